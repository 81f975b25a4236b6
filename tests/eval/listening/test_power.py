"""Plans against the studies they promise."""

import numpy as np
import pytest
from scipy import stats

from eval.listening.analysis.estimates import clustered_interval, exact_share
from eval.listening.analysis.identification import share_right
from eval.listening.analysis.power import plan, raters_for, twice_as_precise
from eval.listening.analysis.precision import Spread, detectable_share, is_preliminary
from eval.listening.tasks.registry import TASKS


@pytest.mark.parametrize(
    ("raters", "items", "low", "high"), [(12, 8, 0.35, 0.43), (24, 12, 0.21, 0.29), (40, 20, 0.14, 0.21)]
)
def test_the_half_widths_of_the_usual_designs(raters, items, low, high):
    assert low <= plan("acr", raters, items).half_width <= high


@pytest.mark.parametrize("mode", ["acr", "mushra"])
@pytest.mark.parametrize(("raters", "items"), [(12, 8), (40, 20), (10, 1)])
def test_studies_get_the_half_width_they_were_promised(mode, raters, items):
    rng, spread, widths = np.random.default_rng(7), TASKS[mode].spread, []
    who, what = (codes.ravel() for codes in np.indices((raters, items)))
    for _ in range(300):
        values = (
            rng.normal(0, np.sqrt(spread.rater), (raters, 1))
            + rng.normal(0, np.sqrt(spread.item), (1, items))
            + rng.normal(0, np.sqrt(spread.residual), (raters, items))
        )
        found = clustered_interval(values.ravel(), who, what)
        widths.append((found.high - found.low) / 2)
    assert np.mean(widths) == pytest.approx(plan(mode, raters, items).half_width, rel=0.06)


def test_the_formula_by_hand():
    """sqrt(0.6 / 10 + 0.4 / 8 + 0.8 / 80) = sqrt(0.12); of it (0.6 + 0.4 + 0.8) / 80 is noise, so that t has 1 / (0.0986 / 63 + 0.9014 / 7) =
    7.672 degrees of freedom, and is 2.32325."""
    assert plan("acr", 10, 8, Spread(0.6, 0.4, 0.8)).half_width == pytest.approx(2.32325 * np.sqrt(0.12), rel=1e-4)


@pytest.mark.parametrize(("mode", "alternative"), [("ab", "two-sided"), ("abx", "greater")])
@pytest.mark.parametrize(("raters", "items"), [(4, 4), (12, 8), (30, 10)])
def test_the_smallest_share_is_found_four_times_out_of_five(mode, alternative, raters, items):
    found, trials = plan(mode, raters, items), raters * items
    significant = [k for k in range(trials // 2, trials + 1) if exact_share(k, trials, alternative).p <= 0.05]
    power = stats.binom.pmf(significant, trials, found.share).sum()
    assert power == pytest.approx(0.8, abs=1e-6)
    assert found.half_width is None
    if mode == "abx":
        assert share_right(found.d_prime) == pytest.approx(found.share)


def test_too_few_votes_show_nothing():
    """Five right of five happen by chance once in 32, which is little enough for one side and not for two."""
    assert detectable_share(5, one_sided=True) == pytest.approx(0.8**0.2)
    assert detectable_share(5, one_sided=False) is None
    assert detectable_share(4, one_sided=True) is None
    assert plan("ab", 5, 1).share is None
    assert "too few votes" in plan("ab", 5, 1).verdict


def test_more_is_better():
    for mode in ("acr", "mushra", "ab", "abx"):
        assert plan(mode, 40, 20).reached < plan(mode, 20, 20).reached < plan(mode, 20, 8).reached


@pytest.mark.parametrize(("mode", "wanted"), [("acr", 0.25), ("mushra", 7.0), ("ab", 0.6), ("abx", 0.6)])
def test_raters_for_is_the_fewest(mode, wanted):
    raters = raters_for(mode, wanted, items=12)
    assert plan(mode, raters, 12).reached <= wanted < plan(mode, raters - 1, 12).reached


def test_raters_do_not_make_up_for_clips():
    assert raters_for("acr", 0.15, items=4) is None
    assert raters_for("acr", 0.15, items=40) is not None


def test_it_says_what_twice_the_precision_takes():
    found = plan("abx", 20, 8)
    halved = raters_for("abx", (found.share + 0.5) / 2, 8)
    assert twice_as_precise(found) == f"Twice as precise takes {halved} raters."
    assert 3.5 < halved / 20 < 4.5, "four times the votes"
    assert "more clips" in twice_as_precise(plan("acr", 20, 8))
    assert twice_as_precise(plan("acr", 1, 8)) == twice_as_precise(plan("ab", 2, 1)) == ""


def test_what_is_preliminary():
    assert [is_preliminary(*numbers) for numbers in ((20, 60), (19, 600), (200, 59))] == [False, True, True]
    assert "preliminary" in plan("acr", 12, 8).verdict
    assert "preliminary" not in plan("acr", 24, 12).verdict


def test_verdicts_are_sentences_with_the_number_in_them():
    assert (
        plan("acr", 24, 12).verdict
        == "24 raters x 12 clips give the difference of two systems to within ±0.25 points of MOS."
    )
    assert "this clip only" in plan("mushra", 30, 1).verdict
    assert "59% or more" in plan("ab", 24, 12).verdict
    assert "(d' 0.85)" in plan("abx", 24, 12).verdict
    assert plan("acr", 1, 8).half_width is None
    assert "two raters" in plan("acr", 1, 8).verdict


def test_impossible_plans_say_so():
    with pytest.raises(ValueError, match="'mos'; there are acr, mushra, ab, abx"):
        plan("mos", 12, 8)
    with pytest.raises(ValueError, match="not 0 and 8"):
        plan("acr", 0, 8)
