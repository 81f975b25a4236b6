"""Planning by simulation: against closed forms, with its errors, and with what it prints."""

import re

import numpy as np
import pytest
from scipy import stats

from eval.listening.analysis.precision import Spread
from eval.listening.simulation.coverage import coverage
from eval.listening.simulation.listeners import Opinions
from eval.listening.simulation.planned import planned_study, population_votes, session_of, simulated_votes
from eval.listening.simulation.power_curve import Curve, Point, power_curve
from eval.listening.tasks.registry import TASKS
from eval.listening.trial import Trial
from tests.command import command


def test_the_power_of_independent_answers_is_that_of_the_t_test():
    """Neither listeners nor clips differ: a mean of differences with the noise of two answers, min(raters, clips) - 1 degrees of
    freedom. The two-way variance is conservative there, so the closed form is an upper bound that is nearly reached."""
    spread = Spread(0.0, 0.0, 2 * 12.0**2)
    curve = power_curve("mushra1s", 8, 6.0, raters=(8, 12), studies=150, seed=1, spread=spread)
    for point in curve.points:
        error = np.sqrt(spread.residual / (8 * point.raters))
        freedom = min(8, point.raters) - 1
        closed = stats.nct.sf(stats.t.ppf(0.975, freedom), freedom, 6.0 / error)
        assert closed - 0.3 < point.power <= closed + 0.1
        assert point.error == pytest.approx(np.sqrt(point.power * (1 - point.power) / 150))


@pytest.mark.parametrize("mode", TASKS)
def test_every_kind_is_planned_and_more_raters_find_more(mode):
    easy = TASKS[mode].difference + 0.4 * (TASKS[mode].differences[1] - TASKS[mode].difference)
    curve = power_curve(mode, 4, easy, raters=(3, 10), studies=20, seed=2)
    assert [point.raters for point in curve.points] == [3, 10]
    assert curve.points[0].power <= curve.points[1].power
    assert curve.points[1].power >= 0.2
    assert curve == power_curve(mode, 4, easy, raters=(3, 10), studies=20, seed=2), "seeded"


def test_no_difference_is_found_as_seldom_as_promised():
    """One side of a two-sided interval, and guessing listeners."""
    for mode in ("dcr", "abx", "sabx"):
        assert coverage(mode, 10, 6, TASKS[mode].differences[0], studies=120).found <= 0.06


def test_the_truth_is_the_difference_that_was_put_in():
    """Half way up the scale, rounding shifts nothing; a difference in levels is one in scores."""
    study = planned_study("mushra", 3)
    votes = population_votes(study, 8.0, 3000, np.random.default_rng(0))
    assert study.task.effect(votes, *study.task.contrast).mean == pytest.approx(8.0, abs=0.6)


def test_levels_have_the_spread_that_is_stated():
    task = TASKS["acr"]
    opinions = Opinions(task, {"s": 3.0}, np.random.default_rng(0))
    levels = [opinions.level(f"r{n}", f"i{n}", "s") for n in range(4000)]
    assert np.var(levels) == pytest.approx(task.spread.rater + task.spread.item, rel=0.1)
    answers = [task.respond(Trial("trial", "i", ("s",)), [3.0], opinions.rng) for _ in range(4000)]
    assert np.var(answers) == pytest.approx(task.spread.residual / 2 + 1 / 12, rel=0.1)


def test_simulated_studies_are_planned_as_real_ones():
    study = planned_study("bws", 5, systems=7)
    assert len(study.systems) == 7
    votes = simulated_votes(study, 0.7, 3, np.random.default_rng(0))
    assert [len(own) for own in votes] == [study.units] * 3
    assert {trial.kind for trial in session_of(study, 0)} == {"trial"}
    long = planned_study("sabx", 12, systems=8)
    assert (long.trials, long.planned) == (66, 198), "a share of the questions, where all are too many for a session"


def test_what_a_curve_says():
    points = (Point(4, 0.5, 0.05), Point(8, 0.85, 0.03), Point(12, 0.7, 0.03), Point(16, 0.9, 0.02))
    curve = Curve("dcr", 0.3, 12, 2, 200, 0, 10, TASKS["dcr"].spread, points)
    assert curve.needed == 16, "after isotonic regression 8 and 12 have 0.775"
    assert curve.verdict.startswith(
        "16 raters x 12 clips, 10 minutes each and 2.7 hours together, find a difference of 0.3"
    )
    assert "between listeners 0.2, between clips 0.2, of one answer 0.65" in curve.assumed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "mos"}, "no mode 'mos'"),
        ({"difference": 0.0}, "difference: 0 is not possible; allowed: above 0, up to 2 points of DMOS"),
        ({"raters": (1,)}, "raters: .* allowed: 2 to 200"),
        ({"studies": 5}, "studies: 5 is not possible; allowed: 20 to 5000"),
        ({"items": 0}, "items"),
    ],
)
def test_what_cannot_be_planned_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        power_curve(**{"mode": "dcr", "items": 4, **options})


def test_the_command_prints_powers_and_draws(tmp_path):
    arguments = ["listening", "plan", "--mode", "ccr", "--clips", "4", "--raters", "3", "10", "--studies", "20"]
    found = command("eval", *arguments, "--difference", "1", "--svg", tmp_path / "curve.svg")
    lines = found.stdout.splitlines()
    assert lines[0].split() == ["power", "3", "10", "raters"]
    assert lines[1].startswith("4 clips")
    assert "points of CMOS" in lines[2]
    assert "seed 0" in lines[3]
    drawing = (tmp_path / "curve.svg").read_text(encoding="utf-8")
    assert drawing.count("<circle") == 2


def test_a_simulated_study_finds_who_answers_by_chance_and_writes_a_report(tmp_path):
    arguments = [
        "--mode",
        "similarity",
        "--raters",
        "20",
        "--clips",
        "5",
        "--difference",
        "1.5",
        "--out",
        tmp_path / "out",
    ]
    lines = command("eval", "listening", "simulate", *arguments).stdout.splitlines()
    assert lines[0] == "20 raters, 2 of them answering by chance; 18 after screening, 180 votes"
    low, high, truth = map(
        float, re.fullmatch(r"second against first: .* \[(.*), (.*)\]; truth (.*)", lines[1]).groups()
    )
    assert low < truth < high
    assert "Simulated listeners" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_the_coverage_of_a_kind_is_printed():
    arguments = ["--mode", "ccr", "--raters", "6", "--clips", "4", "--studies", "30"]
    lines = command("eval", "listening", "coverage", *arguments).stdout.splitlines()
    assert lines[0].startswith("30 studies of 6 raters x 4 clips")
    assert re.fullmatch(r"ccr +\d+\.\d% +\d+\.\d%   truth 0\.\d+", lines[1])
