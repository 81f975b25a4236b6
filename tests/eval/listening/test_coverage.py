"""The interval of every kind of test in simulated studies of known truth. Short here, and in full with --proof."""

from math import sqrt

import pytest

from eval.listening.simulation import coverage as simulated
from eval.listening.tasks.registry import TASKS

LOW, HIGH = 0.93, 0.97
SHORT_STUDIES, STUDIES = 100, 2000
SHORT_POPULATION = (
    1000  # its truth has an error of an eighth of that of a study of 16 raters: no part of a percent of coverage
)


@pytest.mark.parametrize("mode", TASKS)
def test_the_interval_covers_the_truth_as_often_as_it_says(mode, request, monkeypatch):
    proof = request.config.getoption("--proof")
    if not proof:
        monkeypatch.setattr(simulated, "POPULATION", SHORT_POPULATION)
    for raters, items in ((12, 8), (24, 12)) if proof else ((16, 8),):
        found = simulated.coverage(mode, raters, items, studies=STUDIES if proof else SHORT_STUDIES)
        slack = 2 * sqrt(0.95 * 0.05 / found.studies)  # two standard errors of the share itself
        print(f"{mode:11} {raters} raters x {items} clips: {found.share:.3f} of {found.studies} studies")
        assert LOW - slack <= found.share <= HIGH + slack
