"""ABX: what guessing gives, and what a listener of known sensitivity gives."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from eval.listening.analysis.estimates import exact_share
from eval.listening.analysis.identification import identified, identified_by_rater, sensitivity, share_right
from eval.listening.analysis.votes import AbxResponse


def votes(right, systems=("reference", "x")) -> list[AbxResponse]:
    """(raters, trials) of booleans to votes."""
    return [
        AbxResponse(f"r{rater}", f"i{trial}", systems, trial % 2, trial % 2 if hit else 1 - trial % 2, trial)
        for (rater, trial), hit in np.ndenumerate(np.atleast_2d(right))
    ]


def observed(rng, d_prime: float, trials: int) -> np.ndarray:
    """Whether a simulated listener is right. A, B and X each leave one noisy impression; the listener takes the lower
    of A and B for the lower stimulus, and X for the one on whose side of the middle it fell."""
    swapped, x_is_high = rng.random((2, trials)) < 0.5
    a, b = rng.normal(size=(2, trials)) + d_prime * np.stack([swapped, ~swapped])
    sounds_high = rng.normal(size=trials) + d_prime * x_is_high > d_prime / 2
    return ((b > a) == sounds_high) == (~swapped == x_is_high)


@pytest.mark.parametrize("d_prime", [0.0, 0.8, 1.5, 3.0])
def test_the_sensitivity_of_a_simulated_listener_is_recovered(d_prime):
    right = observed(np.random.default_rng(5), d_prime, 400_000)
    assert share_right(d_prime) == pytest.approx(right.mean(), abs=0.003)
    assert sensitivity(share_right(d_prime)) == pytest.approx(d_prime, abs=1e-9)
    (result,) = identified(votes(right[:2000].reshape(20, 100)))
    assert result.d_prime.low <= d_prime <= result.d_prime.high
    assert result.d_prime.mean == pytest.approx(d_prime, abs=0.35)


@given(st.floats(0.05, 8))
def test_share_and_sensitivity_are_inverses(d_prime):
    assert sensitivity(share_right(d_prime)) == pytest.approx(d_prime, rel=1e-5)


def test_the_ends_of_sensitivity():
    assert (sensitivity(0.5), sensitivity(0.2), sensitivity(1.0)) == (0, 0, inf)


@pytest.mark.parametrize("trials", [1, 5, 8, 16, 25, 60, 200])
def test_guessing_passes_no_more_often_than_promised(trials):
    p_values = np.array([exact_share(right, trials, "greater").p for right in range(trials + 1)])
    chance = stats.binom.pmf(np.arange(trials + 1), trials, 0.5)
    for level in (0.01, 0.05, 0.2):
        assert chance[p_values <= level].sum() <= level
    assert np.all(np.diff(p_values) <= 0)


def test_twelve_of_sixteen():
    (result,) = identified(votes(np.arange(16) < 12))
    assert (result.systems, result.share.count, result.share.n) == (("reference", "x"), 12, 16)
    assert result.share.p == pytest.approx(sum(map(int, (1820, 560, 120, 16, 1))) / 2**16)  # 16 over 12, 13, 14, 15, 16
    interval = (stats.beta.ppf(0.025, 12, 5), stats.beta.ppf(0.975, 13, 4))
    assert (result.share.low, result.share.high) == pytest.approx(interval)
    assert share_right(result.d_prime.mean) == pytest.approx(12 / 16)
    assert result.by_rater.low is None  # one rater


def test_perfect_and_hopeless_scores_stay_finite():
    (perfect,) = identified(votes(np.ones((2, 5), bool)))
    assert 2 < perfect.d_prime.mean < 5
    assert perfect.d_prime.high == inf
    assert share_right(perfect.d_prime.low) == pytest.approx(perfect.share.low)
    (wrong,) = identified(votes(np.zeros((2, 5), bool)))
    assert (wrong.d_prime.mean, wrong.d_prime.low, wrong.share.p) == (0, 0, 1)


def test_raters_who_differ_fool_the_pooled_test_and_not_the_one_over_raters():
    """Half of them take X for the one that it resembles less: nobody guesses, and on average nobody is right."""
    rng = np.random.default_rng(6)
    pooled, over_raters = [], []
    for _ in range(400):
        (result,) = identified(votes(rng.random((10, 20)) < rng.choice([0.2, 0.8], (10, 1))))
        pooled.append(result.share.p <= 0.05)
        over_raters.append(result.by_rater.p <= 0.05)
    assert np.mean(pooled) > 0.15
    assert np.mean(over_raters) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_the_mean_over_raters_counts_each_rater_once():
    right = votes([[1, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 1], [1, 1, 0, 1], [1, 1, 1, 1], [1, 1, 1, 0]])
    (result,) = identified([vote for vote in right if vote.rater != "r1" or vote.trial < 2])
    shares = [0.75, 0.5, 1, 0.75, 1, 0.75]
    assert (result.by_rater.mean, result.by_rater.raters) == (pytest.approx(np.mean(shares)), 6)
    interval = stats.t.interval(0.95, 5, np.mean(shares), stats.sem(shares))
    assert (result.by_rater.low, result.by_rater.high) == pytest.approx(interval)
    assert result.by_rater.p == pytest.approx(2 / 2**6)  # no flip beats it; flipping the one at chance changes nothing
    assert result.share.mean == pytest.approx(18 / 22)


def test_pairs_raters_and_repeats():
    first, second = votes([[1, 1, 0], [1, 0, 0]]), votes([[1, 1, 1]], ("y", "reference"))
    everything = first + second
    pooled = identified(everything)
    assert [(r.systems, r.share.count, r.share.n) for r in pooled] == [
        (("reference", "x"), 3, 6),
        (("reference", "y"), 3, 3),
    ]
    alone = identified_by_rater(everything)
    assert {rater: [r.share.count for r in results] for rater, results in alone.items()} == {"r0": [2, 3], "r1": [1]}
    assert identified([*everything, replace(first[0], repeat=True)]) == pooled == identified(everything[::-1])
    assert identified([]) == []
    assert identified_by_rater([]) == {}
