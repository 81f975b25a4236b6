"""The interval of every kind of test in simulated studies of known truth. Short here, and in full with --proof."""

from math import sqrt

import pytest

from eval.listening.simulation.coverage import coverage
from eval.listening.tasks.registry import TASKS

LOW, HIGH = 0.93, 0.97
SHORT_STUDIES, STUDIES = 100, 2000


@pytest.mark.parametrize("mode", TASKS)
def test_the_interval_covers_the_truth_as_often_as_it_says(mode, request):
    proof = request.config.getoption("--proof")
    for raters, items in ((12, 8), (24, 12)) if proof else ((16, 8),):
        found = coverage(mode, raters, items, studies=STUDIES if proof else SHORT_STUDIES)
        slack = 2 * sqrt(0.95 * 0.05 / found.studies)  # two standard errors of the share itself
        print(f"{mode:11} {raters} raters x {items} clips: {found.share:.3f} of {found.studies} studies")
        assert LOW - slack <= found.share <= HIGH + slack
