"""Rules at their bounds, agreement against published values, and effects of place and time that were put in."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from eval.listening.analysis.reliability import consistency, first_preferred, order_effect, slot_effect
from eval.listening.analysis.screening import (
    Flag,
    against_the_panel,
    hidden_reference,
    included,
    inconsistent_choices,
    inconsistent_scores,
    same_answer,
)
from eval.listening.analysis.votes import REFERENCE, AbxResponse, Preference, Rating
from eval.listening.tasks.registry import task_of

X = np.nan


def panel(scores) -> list[Rating]:
    """(raters, units) to votes on one system; nan: not rated."""
    return [
        Rating(f"r{r}", f"i{i}", "s", float(score), i)
        for (r, i), score in np.ndenumerate(scores)
        if not np.isnan(score)
    ]


def screen(mode: str, votes) -> list[Flag]:
    return task_of(mode).screen(votes)


def alpha(mode: str, votes) -> float:
    return task_of(mode).alpha(votes)


def flagged(flags: list[Flag]) -> list[str]:
    return [flag.rater for flag in flags]


@pytest.mark.parametrize(("missed", "caught"), [(3, False), (4, True)])
def test_the_hidden_reference_may_be_missed_on_15_percent_of_the_clips(missed, caught):
    votes = [Rating("r", f"i{k}", REFERENCE, 89 if k < missed else 90, k) for k in range(20)]
    votes += [Rating("r", f"i{k}", "system", 10, k) for k in range(20)]
    votes += [Rating("r", f"i{k}", REFERENCE, 0, 20 + k, repeat=True) for k in range(5)]
    flags = hidden_reference(votes)
    assert flagged(flags) == ["r"] * caught
    assert flags == [f for f in screen("mushra", votes) if f.rule == "hidden-reference"]
    assert "hidden-reference" not in {flag.rule for flag in screen("acr", votes)}
    if caught:
        assert "4 of 20" in flags[0].detail


def test_one_answer_to_everything():
    assert flagged(same_answer(panel([[3] * 8, [3] * 7 + [4], [3] * 7 + [X]]))) == ["r0"]
    sides = [Preference("r", f"i{k}", ("a", "b"), 1, k) for k in range(8)]
    assert flagged(same_answer(sides)) == ["r"]
    assert same_answer([replace(vote, choice=None) for vote in sides]) == []  # an honest answer
    always_a = [AbxResponse("r", f"i{k}", ("a", "b"), k % 2, 0, k) for k in range(8)]
    assert flagged(screen("abx", always_a)) == ["r"]
    assert screen("abx", [replace(vote, answer=vote.x) for vote in always_a]) == []


def test_against_the_panel_finds_who_turns_the_scale_around_but_not_who_is_strict(rng):
    quality = np.tile([1.5, 2.5, 3.5, 4.5], 4)
    scores = np.rint(quality + rng.normal(0, 0.4, (6, 16)))
    scores[4] = 6 - scores[4]
    scores[5] = np.maximum(scores[5] - 1, 0)
    (flag,) = against_the_panel(panel(scores))
    alone = stats.spearmanr(scores[4], np.delete(scores, 4, axis=0).mean(axis=0)).statistic
    assert (flag.rater, flag.detail) == ("r4", f"Rank correlation with the other raters is {alone:.2f}.")
    assert against_the_panel(panel(scores[:2])) == []  # two do not make a panel
    assert against_the_panel(panel(scores[:, :7])) == []  # too little in common


def test_where_nothing_is_to_be_heard_nobody_is_against_the_panel(rng):
    assert against_the_panel(panel(rng.integers(3, 6, (12, 16)))) == []


def test_honest_raters_are_rarely_against_the_panel_and_guessers_mostly(rng):
    honest, guessing = 0, 0
    for _ in range(20):
        quality = np.tile([1.8, 2.8, 3.6, 4.3], 8) + rng.normal(0, 0.4, 32)
        scores = np.clip(np.rint(quality + rng.normal(0, 0.5, (12, 1)) + rng.normal(0, 0.8, (12, 32))), 1, 5)
        scores[0] = rng.integers(1, 6, 32)
        caught = flagged(against_the_panel(panel(scores)))
        guessing += "r0" in caught
        honest += len(set(caught) - {"r0"})
    assert guessing >= 15
    assert honest <= 4  # of 220


@pytest.mark.parametrize(("mode", "bound"), [("acr", 1.0), ("mushra", 25.0)])
def test_repeats_that_drift(mode, bound):
    votes = panel([[50, 60, 70], [50, 60, 70], [50, 60, 70]])
    moved = {"r0": (bound, bound), "r1": (0, 2 * bound + 1), "r2": (5 * bound,)}
    for rater, steps in moved.items():
        votes += [Rating(rater, f"i{k}", "s", 50 + 10 * k + step, 10 + k, repeat=True) for k, step in enumerate(steps)]
    assert flagged(inconsistent_scores(votes, bound)) == ["r1"]  # r0 only just, r2 only once
    assert flagged(flag for flag in screen(mode, votes) if flag.rule == "inconsistent") == ["r1"]


def test_repeated_comparisons_that_turn_around():
    def asked(rater: str, again: list[int | None]) -> list[Preference]:
        first = [Preference(rater, f"i{k}", ("a", "b"), 0, k) for k in range(len(again))]
        # heard the other way round, so that 0 is the other system
        return first + [Preference(rater, f"i{k}", ("b", "a"), c, 9 + k, repeat=True) for k, c in enumerate(again)]

    votes = asked("all", [0, 0, 0]) + asked("most", [0, 0, 0, 1]) + asked("ties", [None] * 4) + asked("two", [0, 0])
    assert flagged(inconsistent_choices(votes)) == ["all"]
    assert consistency(votes).identical == pytest.approx(1 / 13)
    assert np.isnan(consistency(votes).difference)


def test_repeats_are_compared_with_the_first_answer():
    votes = panel([[4, 2, 5]])
    again = [replace(votes[0], score=3, trial=7, repeat=True), replace(votes[1], trial=8, repeat=True)]
    never_asked = Rating("r0", "elsewhere", "s", 1, 9, repeat=True)
    found = consistency([*again, never_asked, *votes])
    assert (found.repeats, found.identical, found.difference) == (2, 0.5, 0.5)
    assert consistency(votes).repeats == consistency([]).repeats == 0
    assert np.isnan(consistency([]).identical)


def test_flags_leave_raters_out_and_delete_nothing():
    votes = panel([[1, 2], [3, 4], [5, 5]])
    flags = [Flag("r0", "gold", 1, "x"), Flag("r1", "trap", 1, "x")]
    before = list(votes)
    assert {vote.rater for vote in included(votes, flags, {"gold"})} == {"r1", "r2"}
    assert included(votes, flags, {"gold", "trap"}) == votes[4:]
    assert included(votes, flags, ()) == included(votes, [], {"gold"}) == votes == before
    with pytest.raises(ValueError, match="'cmos'; there are acr, mushra, ab, abx"):
        screen("cmos", votes)
    assert [screen(mode, []) for mode in ("acr", "mushra", "ab", "abx")] == [[]] * 4


PUBLISHED = np.array(  # four coders, twelve units (Krippendorff 2011, Computing Krippendorff's Alpha-Reliability)
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, X, X, X],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, X, 3],
        [X, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, X],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, X],
    ]
)


@pytest.mark.parametrize(("mode", "wanted"), [("acr", 0.815), ("mushra", 0.849)])
def test_alpha_is_the_published_one(mode, wanted):
    votes = panel(PUBLISHED)
    assert alpha(mode, votes) == pytest.approx(wanted, abs=5e-4)
    assert alpha(mode, votes[::-1]) == pytest.approx(alpha(mode, votes))
    assert alpha(mode, [*votes, replace(votes[0], score=5, repeat=True)]) == alpha(mode, votes)


def test_alpha_of_choices_is_the_published_one_whatever_the_order_heard():
    """Two observers, ten units, two categories: 0.095 (the same source)."""
    codes = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]])
    votes = [Preference(f"r{r}", f"i{i}", ("a", "b"), int(code), i) for (r, i), code in np.ndenumerate(codes)]
    turned = [replace(v, systems=("b", "a"), choice=1 - v.choice) if k % 3 else v for k, v in enumerate(votes)]
    assert alpha("ab", votes) == alpha("ab", turned) == pytest.approx(0.095, abs=5e-4)


def test_alpha_where_there_is_nothing_to_agree_on():
    assert np.isnan(alpha("acr", []))
    assert np.isnan(alpha("acr", panel([[1, 2, 3]])))
    assert np.isnan(alpha("acr", panel([[4, 4], [4, 4]])))
    assert alpha("acr", panel([[1, 5, 3], [1, 5, 3]])) == pytest.approx(1)
    with pytest.raises(ValueError, match="'abx'"):
        alpha("abx", [])


def session(rng, raters: int, drift: float = 0.0, by_slot=(0.0,)) -> list[Rating]:
    """24 stimuli, each rater in an order and slots of his own; scores rise by `drift` at half time."""
    votes, quality = [], rng.normal(0, 1, 24)
    for rater in range(raters):
        level = rng.normal()
        for trial, stimulus in enumerate(rng.permutation(24)):
            slot = int(rng.integers(len(by_slot)))
            score = quality[stimulus] + level + drift * (trial >= 12) + by_slot[slot] + rng.normal(0, 0.7)
            votes.append(Rating(f"r{rater}", f"i{stimulus % 8}", f"s{stimulus // 8}", score, trial, slot))
    return votes


def test_the_order_effect_is_found_and_its_interval_holds(rng):
    assert order_effect(session(rng, 60, drift=0.4)).mean == pytest.approx(0.4, abs=0.12)
    few = [order_effect(session(rng, 8, drift=0.4)) for _ in range(150)]
    assert np.mean([found.mean for found in few]) == pytest.approx(0.4, abs=0.03)  # not hidden by one's own vote
    assert 0.89 <= np.mean([found.low <= 0.4 <= found.high for found in few]) <= 0.99
    none = [order_effect(session(rng, 8)).p < 0.05 for _ in range(150)]
    assert np.mean(none) < 0.11
    assert np.isnan(order_effect([]).mean)


def test_the_slot_effect_is_found(rng):
    found = slot_effect(session(rng, 60, by_slot=(0.3, 0.0, -0.3)))
    assert [found[slot].mean for slot in range(3)] == pytest.approx([0.3, 0.0, -0.3], abs=0.25)
    assert found[0].mean - found[2].mean == pytest.approx(0.6, abs=0.2)
    assert found[0].raters == 60
    assert slot_effect([]) == {}


def test_the_first_take_heard():
    votes = [Preference("r", f"i{k}", ("a", "b") if k % 2 else ("b", "a"), int(k == 0), k) for k in range(10)]
    votes += [Preference("r", "tie", ("a", "b"), None, 10), Preference("r", "i1", ("a", "b"), 1, 11, repeat=True)]
    found = first_preferred(votes)
    assert (found.count, found.n, found.p) == (9, 10, pytest.approx(22 / 1024))
    assert np.isnan(first_preferred([]).mean)
