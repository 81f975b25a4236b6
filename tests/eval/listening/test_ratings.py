"""Scores: intervals against closed forms, another package, and the truth of simulated studies."""

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from eval.listening.analysis.estimates import (
    ALL_EQUAL,
    NO_VOTES,
    ONE_CLIP,
    TOO_FEW,
    ClusteredEstimate,
    clustered_interval,
    holm,
)
from eval.listening.analysis.ratings import means, paired_differences
from eval.listening.analysis.votes import Rating

STRONG, MILD = 1.0, 0.5  # of raters' and clips' general levels, standard deviations 0.5 and 0.4
OWN_RATER, OWN_ITEM, RESIDUAL = 0.3, 0.4, 0.7  # of what is particular to one system, and of one vote
TRUE = np.array([3.2, 3.8])  # latent level of two systems


def studies(rng, runs: int, raters: int, items: int, strength: float, latent=TRUE) -> np.ndarray:
    """(runs, raters, items, systems) ACR scores. Raters and clips are drawn anew in every run."""
    level = rng.normal(0, 0.5 * strength, (runs, raters, 1, 1)) + rng.normal(0, 0.4 * strength, (runs, 1, items, 1))
    own = rng.normal(0, OWN_RATER, (runs, raters, 1, 2)) + rng.normal(0, OWN_ITEM, (runs, 1, items, 2))
    votes = latent + level + own + rng.normal(0, RESIDUAL, (runs, raters, items, 2))
    return np.clip(np.rint(votes), 1, 5)


def expected(strength: float, latent=TRUE) -> np.ndarray:
    """The mean of those scores over all raters and clips. A study estimates the mean of the scores people can
    give, so that is the truth and not the latent level; of a rounded and clipped normal it has a closed form."""
    deviation = np.sqrt((0.5**2 + 0.4**2) * strength**2 + OWN_RATER**2 + OWN_ITEM**2 + RESIDUAL**2)
    return 1 + sum(stats.norm.sf((step + 0.5 - latent) / deviation) for step in (1, 2, 3, 4))


def pooled_interval(values: np.ndarray) -> tuple[float, float]:
    """The usual interval: every vote as if it were independent."""
    return stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))


def ratings(scores: np.ndarray) -> list[Rating]:
    """(raters, items, systems) to votes; nan: not rated."""
    return [
        Rating(f"r{r}", f"i{i}", f"s{s}", float(score), trial)
        for trial, ((r, i, s), score) in enumerate(np.ndenumerate(scores))
        if not np.isnan(score)
    ]


@pytest.mark.parametrize("strength", [STRONG, MILD], ids=["strong", "mild"])
@pytest.mark.parametrize(("raters", "items"), [(12, 8), (40, 20)])
def test_intervals_cover_the_truth_as_often_as_they_say_and_pooled_ones_do_not(raters, items, strength):
    runs, rng = 2000, np.random.default_rng(1)
    scores, truth = studies(rng, runs, raters, items, strength), expected(strength)
    who, what = (codes.ravel() for codes in np.indices((raters, items)))
    for values, true in ((scores[..., 0], truth[0]), (scores[..., 1] - scores[..., 0], truth[1] - truth[0])):
        values = values.reshape(runs, -1)
        found = [clustered_interval(run, who, what) for run in values]
        assert 0.93 <= np.mean([estimate.low <= true <= estimate.high for estimate in found]) <= 0.97
        pooled = [pooled_interval(run) for run in values[:300]]
        assert np.mean([low <= true <= high for low, high in pooled]) < 0.8


@pytest.mark.parametrize(("raters", "items"), [(12, 8), (40, 20)])
def test_intervals_cover_where_each_rater_hears_a_part(raters, items):
    """From one clip to all of them, as when people leave."""
    runs, rng = 1500, np.random.default_rng(2)
    scores, truth = studies(rng, runs, raters, items, STRONG), expected(STRONG)
    covered = np.zeros(2)
    for run in scores:
        heard = rng.random((raters, items)).argsort(axis=1) < rng.integers(1, items + 1, (raters, 1))
        for k, (values, true) in enumerate(((run[..., 0], truth[0]), (run[..., 1] - run[..., 0], truth[1] - truth[0]))):
            estimate = clustered_interval(values[heard], *np.nonzero(heard))
            covered[k] += estimate.low <= true <= estimate.high
    assert np.all((covered / runs >= 0.925) & (covered / runs <= 0.97))


@pytest.mark.parametrize(("raters", "items"), [(12, 8), (24, 12)])
@pytest.mark.parametrize("strength", [0.0, 0.2, 1.0], ids=["none", "slight", "great"])
def test_intervals_are_not_too_wide_where_raters_and_clips_hardly_differ(raters, items, strength):
    """Normal votes around zero, with rater and clip effects of that many standard deviations of one vote. With the smaller number of
    clusters less one as degrees of freedom, 98.9 and 98.4 % cover without such effects."""
    runs, rng = 2000, np.random.default_rng(4)
    shape = (runs, raters, items)
    effects = strength * (rng.normal(size=(runs, raters, 1)) + rng.normal(size=(runs, 1, items)))
    who, what = (codes.ravel() for codes in np.indices((raters, items)))
    found = [clustered_interval(run.ravel(), who, what) for run in effects + rng.normal(size=shape)]
    assert 0.93 <= np.mean([estimate.low <= 0 <= estimate.high for estimate in found]) <= 0.977


def test_equal_systems_are_told_apart_as_often_as_promised():
    scores = studies(np.random.default_rng(3), 1000, 12, 8, STRONG, np.array([3.5, 3.5]))
    who, what = (codes.ravel() for codes in np.indices((12, 8)))
    found = [clustered_interval((run[..., 0] - run[..., 1]).ravel(), who, what, null=0.0) for run in scores]
    assert 0.03 <= np.mean([estimate.p < 0.05 for estimate in found]) <= 0.07
    assert all((estimate.p < 0.05) == estimate.excludes_zero for estimate in found)


def test_the_variance_is_the_closed_form_of_a_balanced_design(rng):
    raters, items = 7, 5
    scores = np.linspace(0, 4, raters)[:, None] + np.linspace(1, 3, items) + 0.3 * rng.normal(size=(raters, items))
    estimate = clustered_interval(scores.ravel(), *(codes.ravel() for codes in np.indices(scores.shape)))
    over_raters, over_items = (scores.mean(axis=axis).var(ddof=1) / scores.shape[1 - axis] for axis in (1, 0))
    variance = over_raters + over_items - scores.var(ddof=1) / scores.size
    assert variance > max(over_raters, over_items)  # the floor plays no part
    noise = scores.var(ddof=1) / scores.size / variance  # the share that independent votes would have
    freedom = 1 / ((1 - np.sqrt(1 - noise)) / ((raters - 1) * (items - 1)) + np.sqrt(1 - noise) / (items - 1))
    assert items - 1 < freedom == pytest.approx(estimate.freedom)
    half_width = stats.t.ppf(0.975, freedom) * np.sqrt(variance)
    assert estimate.high - estimate.mean == pytest.approx(half_width)
    assert (estimate.low + estimate.high) / 2 == pytest.approx(scores.mean())


def test_the_variance_is_that_of_statsmodels_for_an_unbalanced_design(rng):
    heard = rng.random((9, 6)) < 0.6
    scores = rng.normal(size=(9, 1)) + rng.normal(size=(1, 6)) + rng.normal(size=(9, 6))
    who, what = np.nonzero(heard)
    values = scores[heard]
    fit = sm.OLS(values, np.ones(len(values))).fit(
        cov_type="cluster", cov_kwds={"groups": np.column_stack([who, what]), "use_correction": True}
    )
    estimate = clustered_interval(values, who, what)
    assert estimate.high - estimate.mean == pytest.approx(stats.t.ppf(0.975, estimate.freedom) * fit.bse[0])
    assert 5 <= estimate.freedom <= heard.sum() - 9 - 6 + 1


def test_clusters_that_agree_less_than_chance_are_chance():
    """Every rater and every clip has the same mean: both cluster variances are zero, and what they leave negative."""
    estimate = clustered_interval([5, 3, 3, 5], [0, 0, 1, 1], [0, 1, 0, 1])
    assert estimate.high - estimate.mean == pytest.approx(
        stats.t.ppf(0.975, 1) * np.sqrt(np.var([5, 3, 3, 5], ddof=1) / 4)
    )


def mean_of(votes: list[Rating]) -> ClusteredEstimate:
    (estimate,) = means(votes).values()
    return estimate


def test_one_clip_is_clustered_by_rater_and_says_so():
    values = [4.0, 3.0, 5.0, 2.0, 4.0]
    estimate = mean_of([Rating(f"r{k}", "clip", "s", value, 0) for k, value in enumerate(values)])
    assert (estimate.low, estimate.high) == pytest.approx(stats.t.interval(0.95, 4, np.mean(values), stats.sem(values)))
    assert (estimate.note, estimate.raters, estimate.items, estimate.n) == (ONE_CLIP, 5, 1, 5)


@pytest.mark.parametrize(
    ("votes", "mean", "note"),
    [
        ([Rating("r", "i", "s", 4, 0)], 4, TOO_FEW),
        ([Rating("r", f"i{k}", "s", k, k) for k in range(1, 6)], 3, TOO_FEW),
        ([Rating(f"r{k}", f"i{k}", "s", 5, 0) for k in range(4)], 5, ALL_EQUAL),
    ],
    ids=["one vote", "one rater", "all equal"],
)
def test_no_interval_where_there_is_no_ground_for_one(votes, mean, note):
    estimate = mean_of(votes)
    assert estimate.mean == mean
    assert (estimate.low, estimate.high, estimate.p, estimate.note) == (None, None, None, note)
    assert not estimate.excludes_zero


def test_no_votes_have_no_mean():
    estimate = clustered_interval([], [], [])
    assert np.isnan(estimate.mean)
    assert (estimate.low, estimate.high, estimate.p, estimate.note) == (None, None, None, NO_VOTES)
    assert means([]) == {}


def test_several_votes_of_one_rater_on_one_take_count_once_and_repeats_never():
    votes = ratings(np.array([[[4.0], [2.0]], [[5.0], [3.0]], [[3.0], [3.0]]]))
    again = [replace(votes[0], score=2.0, trial=9), replace(votes[1], score=5.0, trial=10, repeat=True)]
    estimate = mean_of(votes + again)
    assert estimate == mean_of([replace(votes[0], score=3.0), *votes[1:]])
    assert (estimate.mean, estimate.n) == (pytest.approx((3 + 2 + 5 + 3 + 3 + 3) / 6), 6)


def test_the_mean_of_a_system_is_its_own(rng):
    votes = ratings(rng.integers(1, 6, (4, 3, 2)).astype(float))
    assert means(votes) == {name: mean_of([v for v in votes if v.system == name]) for name in ("s0", "s1")}


def test_what_a_rater_and_a_clip_add_to_everything_leaves_differences_alone(rng):
    scores = rng.normal(size=(6, 5, 3))
    shifted = scores + rng.normal(size=(6, 1, 1)) + rng.normal(size=(1, 5, 1))
    before, after = (paired_differences(ratings(table)) for table in (scores, shifted))
    assert [(pair.first, pair.second) for pair in before] == [("s0", "s1"), ("s0", "s2"), ("s1", "s2")]
    for one, other in zip(before, after):
        assert (one.difference.mean, one.difference.low, one.p_holm) == pytest.approx(
            (other.difference.mean, other.difference.low, other.p_holm)
        )
        assert one.p_holm >= one.difference.p


def test_differences_take_only_what_a_rater_heard_of_both():
    scores = np.array([[[5.0, 4.0], [4.0, np.nan]], [[3.0, 1.0], [np.nan, 2.0]], [[4.0, 3.0], [5.0, 5.0]]])
    (pair,) = paired_differences(ratings(scores))
    assert (pair.difference.mean, pair.difference.n) == (1.0, 4)  # 1, 2, 1 and 0
    scores[..., 1] = np.nan
    scores[2, 1] = [np.nan, 2.0]
    (pair,) = paired_differences(ratings(scores))
    assert (pair.difference.note, pair.p_holm) == (NO_VOTES, None)
    assert np.isnan(pair.difference.mean)


def test_holm_by_hand():
    """0.005 x 4, 0.01 x 3, 0.03 x 2, and 0.04 no less than the one before it; what was not tested is not counted."""
    assert holm([0.01, None, 0.04, 0.03, 0.005]) == [pytest.approx(0.03), None, *map(pytest.approx, (0.06, 0.06, 0.02))]
    assert holm([]) == []
    assert holm([None]) == [None]


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz"), st.sampled_from("pq"), st.integers(1, 5)),
        max_size=30,
    ),
    st.randoms(use_true_random=False),
)
def test_any_votes_give_a_sound_answer_whatever_their_order(rows, random):
    votes = [Rating(rater, item, system, score, trial) for trial, (rater, item, system, score) in enumerate(rows)]
    shuffled = random.sample(votes, len(votes))
    one, other = means(votes), means(shuffled)
    assert one.keys() == other.keys()
    for system, estimate in one.items():
        assert 1 <= estimate.mean <= 5
        assert estimate.mean == pytest.approx(other[system].mean)
        assert (estimate.raters, estimate.items, estimate.n, estimate.note) == (
            other[system].raters, other[system].items, other[system].n, other[system].note
        )  # fmt: skip
        if estimate.low is not None:
            assert estimate.low == pytest.approx(other[system].low)
            assert estimate.low < estimate.mean < estimate.high
            assert estimate.raters >= 2
    for pair in paired_differences(votes):
        assert pair.difference.p is None or 0 <= pair.difference.p <= pair.p_holm <= 1
