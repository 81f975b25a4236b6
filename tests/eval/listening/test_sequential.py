"""Sequential ABX: error rates that hold under optional stopping, exactly and in simulation, and sessions that end when decided."""

from math import exp, log

import numpy as np
import pytest
from scipy.integrate import quad

from eval.listening.analysis.results import votes_of
from eval.listening.analysis.sequential import (
    ABLE,
    ALPHA,
    BETA,
    MIN_DECIDED_TRIALS,
    bounds,
    decided,
    log_evidence,
    log_evidence_against,
    operating,
    p_value,
    pooled_log_evidence,
)
from eval.listening.analysis.votes import REFERENCE
from eval.listening.design import plan_session
from eval.listening.simulation.listeners import Opinions, session_rows
from eval.listening.study import Study
from eval.listening.tasks.registry import task_of

ITEMS = tuple(f"clip-{n}" for n in range(10))


@pytest.mark.parametrize(("right", "wrong"), [(0, 0), (5, 0), (7, 2), (20, 13), (3, 9)])
def test_the_evidence_is_the_integral_that_it_stands_for(right, wrong):
    mixture = quad(lambda p: 2 * p**right * (1 - p) ** wrong, 0.5, 1)[0] / 0.5 ** (right + wrong)
    assert log_evidence(right, wrong) == pytest.approx(log(mixture), abs=1e-9)


@pytest.mark.parametrize("trials", range(1, 30))
def test_bets_are_fair(trials):
    """The mean of the next e-value is the present one: of guessing exactly, of hearing at the bound of `ABLE`."""
    for right in range(trials + 1):
        now, ahead = (right, trials - right), ((right + 1, trials - right), (right, trials - right + 1))
        fair = sum(0.5 * exp(log_evidence(*state)) for state in ahead)
        assert fair == pytest.approx(exp(log_evidence(*now)))
        for share in (ABLE, 0.9, 1.0):
            against = [exp(log_evidence_against(*state)) for state in ahead]
            mean = share * against[0] + (1 - share) * against[1]
            assert mean <= exp(log_evidence_against(*now)) * (1 + 1e-12)


@pytest.mark.parametrize("longest", [10, 40, 400])
def test_errors_stay_below_their_bounds_however_long_it_goes_on(longest):
    assert operating(0.5, longest)[0]["hears"] <= ALPHA
    assert operating(0.3, longest)[0]["hears"] <= ALPHA
    for share in (ABLE, 0.85, 0.95):
        assert operating(share, longest)[0]["does not"] <= BETA


def test_the_exact_rates_are_those_of_simulated_listeners():
    rng = np.random.default_rng(2)
    for share in (0.5, 0.65, 0.8):
        chances, mean = operating(share)
        ends = [decided(run) for run in rng.random((4000, 40)) < share]
        for verdict, chance in chances.items():
            assert np.mean([found == verdict for found, _ in ends]) == pytest.approx(chance, abs=0.025)
        assert np.mean([trials for _, trials in ends]) == pytest.approx(mean, abs=0.6)
    assert sum(chances.values()) == pytest.approx(1)


def test_repeated_looks_with_the_binomial_test_would_not_hold():
    """The comparison that makes the point: a fixed test looked at after every answer."""
    from scipy.stats import binom

    rng = np.random.default_rng(3)
    right = np.cumsum(rng.random((2000, 40)) < 0.5, axis=1)
    looks = binom.sf(right - 1, np.arange(1, 41), 0.5) <= ALPHA
    assert np.mean(looks.any(axis=1)) > 2 * ALPHA
    assert operating(0.5)[0]["hears"] < 0.03


def test_the_earliest_ends():
    assert decided([True] * 40) == ("hears", 7)
    assert decided([False] * 40) == ("does not", MIN_DECIDED_TRIALS)
    assert decided([True, False] * 3) == ("undecided", 6)
    assert all(low < high for high, low in map(bounds, range(1, 60)))


def test_the_evidence_of_all_listeners_is_fair_and_is_not_lost_among_those_who_guess():
    rng = np.random.default_rng(5)

    def study(shares) -> float:
        ends = [own[: decided(own)[1]] for own in rng.random((len(shares), 40)) < np.array(shares)[:, None]]
        return pooled_log_evidence([log_evidence(sum(own), len(own) - sum(own)) for own in ends])

    assert np.mean([p_value(study([0.5] * 8)) <= ALPHA for _ in range(600)]) <= ALPHA
    assert np.mean([p_value(study([0.85] * 4 + [0.5] * 12)) <= ALPHA for _ in range(100)]) > 0.9
    assert pooled_log_evidence([0.0, 0.0]) == pytest.approx(0)


def test_a_session_asks_until_each_pair_is_decided_and_never_beyond_its_plan():
    study = Study("x", "sabx", ITEMS, ("plain", "hard"), repeats=0, golds=1, traps=1)
    assert study.planned == 2 * 4 * len(ITEMS) == study.length - 2
    opinions = Opinions(study.task, {"plain": log(20.0), "hard": float("-inf")}, np.random.default_rng(1))
    rows = []
    for number in range(12):
        plan = plan_session(study, number)
        own = session_rows(study, plan, f"r{number}", opinions)
        assert [row["number"] for row in own] == sorted(row["number"] for row in own)
        assert len(own) < len(plan)
        assert {"gold", "trap"} <= {row["kind"] for row in own}
        rows += own
    found = {pair["systems"]: pair for pair in study.task.analyse(votes_of(study, rows))["listeners"]}
    plain, hard = found["plain", REFERENCE], found["hard", REFERENCE]
    assert plain["verdicts"] == {"hears": 12, "undecided": 0, "does not": 0}
    assert plain["p_holm"] < 0.001
    assert plain["trials"] < 9 < hard["trials"]
    assert hard["p"] > 0.05
    assert hard["share"].n == 12 * MIN_DECIDED_TRIALS


def test_the_order_of_a_plan_is_balanced_over_rounds():
    study = Study("x", "sabx", ITEMS, ("a",), repeats=0, golds=0, traps=0)
    trials = [t for row in range(4) for t in plan_session(study, row) if t.kind == "trial"]
    assert sum(trial.x == 0 for trial in trials) == len(trials) / 2
    assert sum(trial.shown[0] == REFERENCE for trial in trials) == len(trials) / 2
    assert task_of("sabx").rounds(10) == 4
