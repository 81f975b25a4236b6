"""Intervals, distances between sets, alignment: against closed forms and independent computations."""

import numpy as np
import pytest
from scipy import linalg

from eval.compare.clip_task import REFERENCE
from eval.compare.intervals import mean_with_interval, paired_difference
from eval.compare.measurement import Row
from eval.compare.summary import common_clips, summarise
from eval.metrics.alignment import align, delay, loudness_difference, residual
from eval.metrics.set_distances import KAD_MOST, frechet_distance, kernel_distance


def test_few_clips_get_points_and_no_interval():
    assert mean_with_interval([]) is None
    few = mean_with_interval([1.0, 2.0, 3.0])
    assert (few.mean, few.n, few.low) == (2.0, 3, None)
    assert not few.excludes_zero
    same = mean_with_interval([2.0] * 6)
    assert (same.low, same.high) == (2.0, 2.0)


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says():
    """Skewed values, 20 at a time. The bootstrap is known to be a little narrow there: 95 % nominal, 90 to 97 % wanted."""
    rng = np.random.default_rng(0)
    found = [mean_with_interval(rng.gamma(2.0, 0.5, 20), seed) for seed in range(300)]
    covered = np.mean([estimate.low <= 1.0 <= estimate.high for estimate in found])
    assert 0.90 <= covered <= 0.97
    assert mean_with_interval([1, 2, 3, 4, 9]) == mean_with_interval([1, 2, 3, 4, 9])


def test_pairs_see_what_means_hide():
    clips = np.linspace(0, 10, 12)
    ours, theirs = clips + 0.1, clips + np.tile([0.0, 0.02], 6)
    assert paired_difference(ours, theirs).excludes_zero
    assert not mean_with_interval(ours).low > mean_with_interval(theirs).mean
    with pytest.raises(ValueError, match="12 values against 3"):
        paired_difference(ours, theirs[:3])


def test_frechet_distance_is_the_textbook_formula(rng):
    a, b = rng.normal(size=(400, 12)), rng.normal(size=(300, 12)) @ rng.normal(size=(12, 12)) + 1
    root = linalg.sqrtm(np.cov(a.T) @ np.cov(b.T))
    wanted = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * root).real
    assert frechet_distance(a, b) == pytest.approx(wanted, rel=1e-8)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, a + 2) == pytest.approx(12 * 4)  # only the mean moves
    few = rng.normal(size=(5, 12))  # singular covariance: no complex numbers, nothing negative
    assert 0 <= frechet_distance(few, few[::-1]) < 1e-9


def test_of_large_sets_every_so_manieth_embedding_counts(rng):
    a, b = rng.normal(0, 1, (KAD_MOST + 2, 3)), rng.normal(0.3, 1, (2 * KAD_MOST + 1, 3))
    assert kernel_distance(a, b) == kernel_distance(a[::2], b[::3])


def test_kernel_distance_is_unbiased_and_grows(rng):
    def draw(n: int = 60, shift: float = 0.0) -> np.ndarray:
        return rng.normal(shift, 1, (n, 8))

    alike = [kernel_distance(draw(), draw()) for _ in range(60)]
    assert abs(np.mean(alike)) < 3 * np.std(alike) / np.sqrt(60)
    assert min(alike) < 0 < max(alike)
    assert kernel_distance(draw(), draw(shift=0.5)) < kernel_distance(draw(), draw(shift=1.0))
    a, b = draw(7), draw(5, 0.3)
    width = np.median([np.sum((a[i] - a[j]) ** 2) for i in range(7) for j in range(i)])
    k = lambda x, y: np.exp(-np.sum((x - y) ** 2) / (2 * width))  # noqa: E731
    within = [np.mean([k(x[i], x[j]) for i in range(len(x)) for j in range(len(x)) if i != j]) for x in (a, b)]
    assert kernel_distance(a, b) == pytest.approx(100 * (sum(within) - 2 * np.mean([k(x, y) for x in a for y in b])))


@pytest.mark.parametrize(("a", "b"), [(np.zeros((1, 3)), np.zeros((4, 3))), (np.zeros((4, 3)), np.zeros((4, 2)))])
def test_sets_that_cannot_be_compared_are_refused(a, b):
    for distance in (frechet_distance, kernel_distance):
        with pytest.raises(ValueError, match="embeddings"):
            distance(a, b)


@pytest.mark.parametrize("late", [-300, 0, 17, 1000])
def test_delay_polarity_and_gain_are_found(tone, late):
    shifted = np.roll(np.pad(tone, 2000), late) * np.float32(-0.5)
    found = align(np.pad(tone, 2000), shifted)
    assert found.delay == late
    assert found.inverted
    assert found.certain
    assert found.gain == pytest.approx(20 * np.log10(0.5), abs=1e-4)
    assert delay(np.pad(tone, 2000), shifted) == late


@pytest.mark.parametrize("late", [-40, 0, 25])
def test_the_residual_of_an_aligned_copy_is_what_was_added(tone, rng, late):
    quiet = rng.normal(0, 0.001, len(tone)).astype(np.float32)
    reference = np.pad(tone, 100)
    estimate = np.roll(np.pad(tone + quiet, 100), late) * np.float32(-1)
    left, power = residual(reference, estimate, align(reference, estimate))
    assert np.abs(left[200:-200] - np.pad(quiet, 100)[200:-200]).max() < 1e-6
    assert power == pytest.approx(10 * np.log10(np.sum(quiet**2) / np.sum(tone**2)), abs=0.1)
    assert residual(tone, tone, None)[1] == -np.inf
    assert np.isnan(residual(np.zeros_like(tone), tone, None)[1])


def test_what_does_not_correlate_has_no_delay(tone, rng):
    noise = rng.normal(0, 0.1, len(tone)).astype(np.float32)
    assert np.isnan(delay(tone, noise))
    assert np.isnan(delay(tone, np.zeros_like(tone)))
    assert loudness_difference(tone, tone * np.float32(0.5)) == pytest.approx(-6.02, abs=0.01)
    assert np.isnan(loudness_difference(tone, np.zeros_like(tone)))


def test_everything_is_over_the_clips_that_all_systems_have(rng):
    rows = [
        Row(f"c{i}", system, 2.0, 0.5, {"M-STFT": 1.0 + i + shift, "F0 error": None if i == 3 else 0.1})
        for i in range(6)
        for system, shift in (("a", 0.0), ("b", 0.25))
    ]
    rows[3] = Row("c1", "b", 2.0, 0.0, {}, "ValueError: broken")
    sets = {f"distillmos/{name}": [rng.normal(size=(5, 4)) for _ in range(6)] for name in (REFERENCE, "a")}
    summary = summarise(rows, ["M-STFT", "F0 error"], "a", {**sets, "distillmos/b": sets["distillmos/a"][:5]})
    assert (summary.n, summary.clips) == ({"M-STFT": 5, "F0 error": 4}, 6)
    assert [summary.means[system]["M-STFT"].n for system in "ab"] == [5, 5]
    assert summary.means["a"]["M-STFT"].mean == pytest.approx(np.mean([1, 3, 4, 5, 6]))
    difference = summary.against["b"]["M-STFT"]
    assert (difference.mean, difference.n) == (pytest.approx(0.25), 5)
    assert summary.means["a"]["F0 error"].n == 4
    assert summary.speed == {"a": 4.0, "b": 4.0}
    assert summary.sets["a"]["FAD-distillmos"] > 0
    assert summary.sets["b"]["FAD-distillmos"] is None  # a clip is missing, so the sets are not matched
    assert summary.embeddings["distillmos"] == 30


@pytest.mark.parametrize("hardest", range(4))
def test_failing_on_a_hard_clip_does_not_move_a_system_past_another(hardest):
    """b is worse everywhere; it fails on one clip, where both are bad. Alone, its mean would pass a's."""
    errors = np.array([1.0, 1.1, 1.2, 1.3]) + 9 * (np.arange(4) == hardest)

    def summary_of(fails: bool):
        rows = [Row(f"c{i}", "a", 1.0, 1.0, {"M-STFT": error}) for i, error in enumerate(errors)]
        rows += [
            Row(f"c{i}", "b", 1.0, 1.0, {}, "ValueError: broken")
            if fails and i == hardest
            else Row(f"c{i}", "b", 1.0, 1.0, {"M-STFT": error + 0.2})
            for i, error in enumerate(errors)
        ]
        return summarise(rows, ["M-STFT"], "a", {})

    for fails in (False, True):
        summary = summary_of(fails)
        a, b = (summary.means[system]["M-STFT"] for system in "ab")
        assert b.mean - a.mean == pytest.approx(0.2)
        assert a.n == b.n == summary.n["M-STFT"] == (3 if fails else 4)
        assert summary.against["b"]["M-STFT"].mean == pytest.approx(0.2)


def test_a_system_with_nothing_takes_nothing_from_the_others():
    rows = [Row(f"c{i}", "a", 1.0, 1.0, {"M-STFT": 1.0, "hop buzz": None}) for i in range(2)]
    rows += [Row(f"c{i}", "b", 1.0, 0.0, {}, "Unavailable: no weights") for i in range(2)]
    summary = summarise(rows, ["M-STFT", "hop buzz"], "b", {})
    assert summary.means["a"]["M-STFT"].n == 2
    assert summary.means["b"]["M-STFT"] is None
    assert summary.against["a"]["M-STFT"] is None
    assert (summary.n["hop buzz"], summary.means["a"]["hop buzz"]) == (0, None)
    assert common_clips(rows) == ["c0", "c1"]
