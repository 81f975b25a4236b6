"""What the results of a study say, and that they say no more than its votes allow."""

import html
import re
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, spearmanr, t, ttest_1samp
from statsmodels.stats.multitest import multipletests

from eval.listening.analysis.estimates import holm
from eval.listening.analysis.ratings import means, paired_differences
from eval.listening.analysis.results import _json, analyse
from eval.listening.analysis.votes import REFERENCE, AbxResponse, Extremes, Preference, Rating
from eval.listening.conclusions.intervals import UNINFORMATIVE, on_scale, presentable
from eval.listening.conclusions.methods import methods_paragraph
from eval.listening.conclusions.metric_agreement import agreement_with_metrics, human_scores, warning_for_few
from eval.listening.conclusions.order_effects import order_effects
from eval.listening.conclusions.per_rater import rater_matrix
from eval.listening.conclusions.sentences import conclusions_of
from eval.listening.simulation import coverage
from eval.listening.simulation.example import simulated_example
from eval.listening.storage.records import Stimulus
from eval.listening.tasks.registry import TASKS, task_of
from eval.reports.study import study_report
from eval.reports.study_cells import Names
from tests.eval.listening.test_results import filled, results

MUSHRA, ACR, AB, ABX = (task_of(mode) for mode in ("mushra", "acr", "ab", "abx"))
SPACES = re.compile(r"\s+")


def flagged(tmp_path, mode: str, out: int, raters: int = 6, rule: str = "gold") -> dict:
    """Results of a study of which that many raters broke a rule."""
    store, public_id = filled(tmp_path, mode, raters=raters)
    people = store.raters(public_id)
    for rater in people[:out]:
        rater["flags"].append({"rule": rule, "version": 1, "detail": "why"})
    return analyse(store.study(public_id), store.answers(public_id), people)


def ratings(rng, raters: int, items: int, systems: dict[str, float], spread: float = 15.0) -> list[Rating]:
    """Two-way structure: tastes of raters and difficulties of clips for each system."""
    taste = {(r, s): rng.normal(0, spread / 2) for r in range(raters) for s in systems}
    hard = {(i, s): rng.normal(0, spread / 2) for i in range(items) for s in systems}
    return [
        Rating(f"r{r}", f"i{i}", s, float(np.clip(mean + taste[r, s] + hard[i, s] + rng.normal(0, spread), 0, 100)), i)
        for r in range(raters)
        for i in range(items)
        for s, mean in systems.items()
    ]


def shown(votes, task) -> dict:
    found = {"means": means(votes), "differences": paired_differences(votes)} if task is MUSHRA else task.analyse(votes)
    return presentable(_json(found), task)


# ------------------------------------------------ intervals


def test_intervals_stay_on_their_scale(rng):
    for _ in range(20):
        found = shown(ratings(rng, 2, 2, {"a": 90, "b": 8}, 30), MUSHRA)
        for mean in (mean for mean in found["means"].values() if mean["low"] is not None):
            assert 0 <= mean["low"] <= mean["mean"] <= mean["high"] <= 100
        for pair in (pair for pair in found["differences"] if pair["difference"]["low"] is not None):
            for name in ("difference", "adjusted"):
                assert -100 <= pair[name]["low"] <= pair[name]["mean"] <= pair[name]["high"] <= 100


def test_an_interval_of_the_whole_scale_says_that_it_says_nothing():
    wide = {"mean": 47.0, "low": -77.8, "high": 172.0, "note": ""}
    assert on_scale(wide, 0, 100) == {"mean": 47.0, "low": 0, "high": 100, "note": UNINFORMATIVE}
    assert on_scale({**wide, "low": 30.0}, 0, 100) == {"mean": 47.0, "low": 30.0, "high": 100, "note": ""}
    assert on_scale({"mean": 1.0, "low": None, "high": None, "note": "x"}, 0, 1)["note"] == "x"


def test_cutting_intervals_off_keeps_their_coverage(rng):
    """Scores near the end of the scale, where t intervals pass it most often."""
    systems = {"a": 95.0, "b": 88.0}
    everything = ratings(rng, 150, 150, systems, 6)
    truth = {s: np.mean([vote.score for vote in everything if vote.system == s]) for s in systems}
    covered = cut = 0
    for _ in range(200):
        found = shown(ratings(rng, 4, 4, systems, 6), MUSHRA)["means"]["a"]
        covered += found["low"] <= truth["a"] <= found["high"]
        cut += found["high"] == 100
    assert cut > 10
    assert 0.92 <= covered / 200 <= 1.0


def test_adjusted_intervals_cover_together(rng):
    systems = {"a": 30.0, "b": 40.0, "c": 50.0, "d": 70.0}
    together = alone = 0
    for _ in range(120):
        found = shown(ratings(rng, 8, 8, systems), MUSHRA)["differences"]
        truth = [systems[pair["first"]] - systems[pair["second"]] for pair in found]
        for name in ("difference", "adjusted"):
            hits = [pair[name]["low"] <= true <= pair[name]["high"] for pair, true in zip(found, truth)]
            together += all(hits) if name == "adjusted" else 0
            alone += all(hits) if name == "difference" else 0
    assert together / 120 >= 0.92
    assert alone < together


def test_an_adjusted_interval_and_its_p_value_agree(rng):
    for _ in range(40):
        votes = ratings(rng, 6, 5, {"a": 50.0, "b": 56.0, "c": 64.0}, 12)
        for pair in shown(votes, MUSHRA)["differences"]:
            low, high = pair["adjusted"]["low"], pair["adjusted"]["high"]
            assert (pair["p_holm"] < 0.05) == (low >= 0 or high <= 0)


def test_the_adjusted_interval_of_one_comparison_is_its_own(rng):
    (pair,) = shown(ratings(rng, 6, 5, {"a": 50.0, "b": 56.0}), MUSHRA)["differences"]
    assert pair["adjusted"] == pair["difference"]


def test_preferences_have_adjusted_intervals_of_wins_minus_losses():
    """Of one clip: t intervals over raters, at 1 - 0.05 / 3."""
    votes = [Preference(f"r{r}", "i", pair, 0 if r < 9 else 1, 0) for r in range(12) for pair in combinations("abc", 2)]
    pairs = shown(votes, AB)["pairs"]
    values = np.array([1.0] * 9 + [-1.0] * 3)
    reach = t.ppf(1 - 0.05 / 6, 11) * values.std(ddof=1) / np.sqrt(12)
    for pair in pairs:
        assert (pair["adjusted"]["low"], pair["adjusted"]["high"]) == pytest.approx((0.5 - reach, min(0.5 + reach, 1)))
        assert (pair["p_holm"] < 0.05) == (pair["adjusted"]["low"] > 0)


def test_shares_of_right_answers_have_exact_adjusted_intervals():
    heard = [AbxResponse(f"r{r}", "i", ("reference", "a"), 0, int(r == 0), 0) for r in range(12)]
    (pair,) = shown(heard, ABX)["pairs"]
    assert pair["adjusted"]["high"] == 1.0
    assert pair["adjusted"]["low"] == pytest.approx(beta.ppf(0.05, 11, 2)), "one-sided, as the test of 11 of 12 is"
    assert 0 <= pair["by_rater"]["low"] <= pair["by_rater"]["high"] <= 1


@settings(max_examples=12)
@given(st.lists(st.none() | st.floats(0, 1), max_size=12))
def test_holm_is_that_of_statsmodels(p_values):
    tested = [p for p in p_values if p is not None]
    expected = iter(multipletests(tested, method="holm")[1] if tested else ())
    adjusted = holm(p_values)
    assert [p is None for p in adjusted] == [p is None for p in p_values]
    assert [p for p in adjusted if p is not None] == pytest.approx(list(expected))


# ------------------------------------------------ sentences


def test_sentences_say_what_is_shown_and_what_is_still_possible(rng):
    votes = ratings(rng, 24, 10, {"good": 80.0, "poor": 40.0, "alike": 41.0}, 10)
    found = conclusions_of({"after": shown(votes, MUSHRA), "preliminary": None}, Names(good="Good"), "points of 100")
    assert found.summary.startswith("2 of 3 comparisons show a difference")
    assert any(
        re.match(r"Good is rated higher than poor by \d+\.\d points of 100 \(adjusted interval \+", s)
        for s in found.shown
    )
    (left,) = found.open
    assert re.search(r"no difference was found; one of up to \d+\.\d points of 100 is still possible", left)
    assert "does not mean no difference" in found.summary


def test_sentences_about_preferences_and_audibility(tmp_path):
    for mode, words in (("ab", "is preferred to"), ("abx", "are told apart")):
        folder = tmp_path / mode
        folder.mkdir()
        found = results(*filled(folder, mode))
        said = conclusions_of(found, Names(), "")
        assert said.summary.startswith("Preliminary: ")
        assert any(words in sentence for sentence in said.shown)
        assert len(said.shown) + len(said.open) == 3


def test_sentences_about_comparison_scores_are_about_zero_too(rng):
    """Of systems against the recording, each of them and between them; of named pairs, each pair."""
    task = task_of("ccr")

    def votes(places: dict[tuple[str, str], float]) -> list[Rating]:
        rows = [
            {"shown": shown, "answer": round(mean + rng.normal(0, 0.3)) if mean else (-1) ** (r + i)}
            | {"rater": f"r{r}", "item": f"i{i}", "number": i, "kind": "trial"}
            for r in range(16)
            for i in range(8)
            for shown, mean in places.items()
        ]
        return [vote for row in rows for vote in task.votes(row)]

    against = votes({(REFERENCE, "poor"): -1.6, ("fair", REFERENCE): 0.8, (REFERENCE, "same"): 0.0})
    results = {"after": shown(against, task), "preliminary": None}
    said = conclusions_of(results, Names({"reference": "Recording"}), task.points)
    assert len(said.shown) + len(said.open) == 6
    assert any(s.startswith("Recording is called better than poor by 1.") for s in said.shown)
    assert any(s.startswith("Recording is called better than fair by 0.") for s in said.shown)
    assert any(s.startswith("fair is rated higher than poor by 0.") for s in said.shown)
    assert any("same" in s and "Recording" in s and "no difference was found" in s for s in said.open), said
    pairs = votes({("a", "b"): 1.5, ("c", "a"): 0.0})
    said = conclusions_of({"after": shown(pairs, task), "preliminary": None}, Names(a="A"), task.points)
    assert len(said.shown) + len(said.open) == 2, "no difference between pairs"
    assert any(s.startswith("b is called better than A by 1.") for s in said.shown)


@pytest.mark.parametrize("mode", TASKS)
def test_every_kind_says_what_may_be_concluded_and_how_it_was_found(mode, monkeypatch):
    """Simulated listeners of known opinions: what is said is true, and the methods have the numbers of the test."""
    monkeypatch.setattr(coverage, "POPULATION", 10)  # for the truth as a number, which is of no interest here
    task = task_of(mode)
    difference = 0.8 if task.differences[1] < 1 else 1.0 if task.differences[1] < 10 else 20.0
    found = simulated_example(mode, 24, 12, difference, None, 1)
    said = conclusions_of(found.results, Names({"reference": "Recording"}), task.points)
    assert found.results["n"]["screened"] >= 20, "screening leaves out those who answer by chance, and few others"
    about = [s for s in said.shown if "second" in s and ("first" in s or task.contrast[0] == REFERENCE)]
    assert about, said
    assert any("told apart" in s if task.has_x else s.startswith("second is ") for s in about)
    methods = methods_paragraph(found.results, Names())
    words = {
        "ab": "Wins minus losses of each pair",
        "abx": "exact one-sided binomial tests",
        "sabx": "reached 20 to 1, after 40 trials",
        "bws": "maximum-difference model",
        "ccr": "Means of comparison scores",
    }
    assert words.get(mode, "Means and paired differences") in methods
    assert "24 listeners started and 24 finished" in methods
    assert "The 0 comparison" not in methods


def test_sentences_about_a_sequential_test_count_its_listeners():
    """Six listeners of two pairs: of one every answer is right, of the other every second one."""
    votes = [
        AbxResponse(f"r{rater}", f"i{trial}", (name, REFERENCE), 0, 0 if name == "plain" else trial % 2, trial)
        for rater in range(6)
        for name in ("plain", "hard")
        for trial in range(40)
    ]
    found = conclusions_of({"after": shown(votes, task_of("sabx")), "preliminary": None}, Names(), "")
    assert found.summary.startswith("1 of 2 comparisons shows a difference")
    assert found.shown == ("plain and reference are told apart: 6 of 6 listeners are found to hear the difference.",)
    (left,) = found.open
    assert re.fullmatch(
        r"hard and reference: nobody showed that they can be told apart; 6 of 6 listeners are right less than 75% of the time, 0 "
        r"are undecided\.",
        left,
    )


def test_one_rater_allows_no_conclusion(rng):
    votes = ratings(rng, 1, 5, {"a": 50.0, "b": 90.0})
    found = conclusions_of({"after": shown(votes, MUSHRA), "preliminary": "Preliminary"}, Names(), "points of 100")
    assert found.shown == ()
    assert "nothing may be concluded" in found.open[0]


# ------------------------------------------------ nothing hidden


@pytest.mark.parametrize("mode", ["acr", "mushra", "ab", "abx"])
def test_votes_that_screening_removed_are_still_there(tmp_path, mode):
    found = flagged(tmp_path, mode, out=3, raters=3)
    page = SPACES.sub(" ", study_report(found, {}))
    assert found["after"] == {}
    assert "No votes are left to show" not in page
    assert f"Screening leaves out 3 of 3 raters with {found['n']['votes']} of {found['n']['votes']} votes" in page
    assert "No votes are left after it: all numbers below are from before screening" in page
    assert "3 rated the degraded anchor as good" in page
    assert "before screening: none are left after it" in page
    assert "What may be concluded" not in page
    assert "high" in page


def test_a_system_whose_votes_are_all_removed_keeps_its_row(tmp_path):
    store, public_id = filled(tmp_path, "acr", raters=2, trials=2, repeats=0)
    people, rows = store.raters(public_id), store.answers(public_id)
    first = {row["shown"][0] for row in rows if row["rater"] == people[0]["rater"] and row["kind"] == "trial"}
    second = {row["shown"][0] for row in rows if row["rater"] == people[1]["rater"] and row["kind"] == "trial"}
    assert second - first
    people[1]["flags"].append({"rule": "trap", "version": 1, "detail": "why"})
    found = analyse(store.study(public_id), rows, people)
    assert set(found["before"]["means"]) == first | second
    assert set(found["after"]["means"]) == first
    page = study_report(found, {})
    table = page[page.index("mean after screening") :]
    for system in second - first:
        title = {"reference": "Recording"}.get(system, system)
        assert re.search(rf"{title}</th><td [^>]*><span>no votes left</span></td><td [^>]*><span>\d", table)


def test_raters_are_listed_without_their_ids(tmp_path):
    found = flagged(tmp_path, "acr", out=1, rule="impossible-time")
    assert [line["number"] for line in found["raters"]] == [1, 2, 3, 4, 5, 6]
    assert found["raters"][0]["left_out"] == ["impossible-time"]
    assert {line["votes"] for line in found["raters"]} == {24}
    assert all(line["finished"] and line["median_seconds"] == 5.0 for line in found["raters"])
    matrix = found["matrix"]
    assert np.asarray(matrix["values"]).shape == (6, 6)
    page = study_report(found, {})
    assert "× rater 1" in page
    assert not [flag for flag in found["screening"]["flags"] if flag["rater"] in page]


def test_the_matrix_has_means_and_gaps():
    votes = [Rating("x", "one", "a", 2, 0), Rating("x", "one", "b", 4, 1), Rating("y", "two", "a", 5, 0)]
    found = rater_matrix(votes, ["one", "two"], [{"rater": "x"}, {"rater": "z"}, {"rater": "y"}])
    assert (found.numbers, found.values) == ((1, 3), ((3.0, None), (None, 5.0)))
    with_most = [Preference(r, "one", ("a", "b"), choice, 0) for r, choice in (("x", 0), ("y", 0), ("z", 1))]
    assert rater_matrix(with_most, ["one"], [{"rater": r} for r in "xyz"]).values == ((1.0,), (1.0,), (0.0,))


def test_the_methods_paragraph_has_the_numbers(tmp_path):
    store, public_id = filled(tmp_path, "mushra", raters=4)
    found = results(store, public_id)
    page = SPACES.sub(" ", html.unescape(study_report(found, {"high": "High"})))
    for words in (
        "ITU-R BS.1534",
        "6 clips were heard through 3 systems (low, middle, High), 2.0 s long",
        "4 listeners started and 4 finished",
        f"4 gave {found['n']['votes']} votes. The trials took",
        "The page was in en (4 listeners).",
        "1 trial with a degraded sound, 1 trial with beeps and 1 repeated trial",
        "The 10 comparisons were tested together with Holm's correction",
    ):
        assert words in page, words


# ------------------------------------------------ order, metrics


def test_a_trend_over_the_session_is_found_with_its_size(rng):
    orders = [rng.permutation(10) for _ in range(40)]
    drifting = [
        Rating(f"r{r}", f"i{i}", "a", 50 + 9 * place / 9 + rng.normal(0, 3), int(place))
        for r, order in enumerate(orders)
        for i, place in enumerate(order)
    ]
    (effect,) = order_effects(drifting)
    assert effect.size.mean == pytest.approx(9, abs=1.5)
    assert effect.p_holm < 0.001


def test_the_trend_of_abx_answers_is_a_t_test_of_slopes(rng):
    votes = [
        AbxResponse(f"r{r}", f"i{i}", ("reference", "a"), int(rng.integers(2)), int(rng.integers(2)), i)
        for r in range(9)
        for i in range(12)
    ]
    trend, bias = order_effects(votes)
    place = np.arange(12) / 11
    slopes = [np.polyfit(place, [vote.right for vote in votes[12 * r : 12 * r + 12]], 1)[0] for r in range(9)]
    shares = [np.mean([vote.answer == 0 for vote in votes[12 * r : 12 * r + 12]]) - 0.5 for r in range(9)]
    assert trend.size.mean == pytest.approx(np.mean(slopes))
    assert trend.size.p == pytest.approx(ttest_1samp(slopes, 0).pvalue)
    assert bias.size.p == pytest.approx(ttest_1samp(shares, 0).pvalue)


def test_order_effects_of_nothing_are_found_in_five_of_a_hundred(rng):
    found = [order_effects(ratings(rng, 8, 10, {"a": 50.0}))[0].size.p < 0.05 for _ in range(100)]
    assert np.mean(found) < 0.12


def test_a_metric_agrees_as_its_ranks_do(rng):
    votes = ratings(rng, 6, 6, {"a": 30.0, "b": 50.0, "c": 70.0})
    human = human_scores(votes)
    stimuli = [
        Stimulus(item, system, "", 2.0, {}, {"near": score + rng.normal(0, 5), "noise": rng.normal(), "none": None})
        for (item, system), score in human.items()
    ]
    found = agreement_with_metrics(votes, stimuli)
    assert set(found) == {"near", "noise"}
    values = [stimulus.metrics["near"] for stimulus in stimuli]
    assert found["near"]["takes"]["spearman"] == pytest.approx(spearmanr(values, list(human.values())).statistic)
    assert (
        0.7 < found["near"]["takes"]["low"] < found["near"]["takes"]["spearman"] <= found["near"]["takes"]["high"] <= 1
    )
    assert found["noise"]["takes"]["low"] < 0 < found["noise"]["takes"]["high"]


def test_scores_of_listeners_are_higher_for_what_they_like_or_cannot_tell():
    prefer = [Preference("r", "i", ("a", "b"), choice, 0) for choice in (0, 0, None, 1)]
    assert human_scores(prefer) == {("i", "a"): 0.625, ("i", "b"): 0.375}
    heard = [AbxResponse("r", "i", ("a", "reference"), 0, answer, 0) for answer in (0, 0, 0, 1)]
    assert human_scores(heard) == {("i", "a"): 0.25}
    chosen = [Extremes("r", "i", ("a", "b", "c"), best, worst, 0) for best, worst in ((0, 1), (0, 2), (2, 1), (0, 1))]
    assert human_scores(chosen) == {("i", "a"): 0.75, ("i", "b"): -0.75, ("i", "c"): 0.0}


def test_a_slot_that_is_chosen_more_often_is_found(rng):
    """Everybody calls the first slot the best two times out of three."""
    votes = []
    for r in range(20):
        for i in range(10):
            best = 0 if rng.random() < 2 / 3 else 1
            votes.append(Extremes(f"r{r}", f"i{i}", ("a", "b", "c"), best, 2, i))
    first, second, third = order_effects(votes)
    assert first.about.startswith("Slot A")
    assert first.size.mean == pytest.approx(2 / 3, abs=0.08)
    assert first.p_holm < 0.001
    assert second.size.mean == pytest.approx(1 / 3, abs=0.08)
    assert third.size.mean == -1


def test_few_systems_are_often_ordered_by_chance(rng):
    said = warning_for_few(3, 9)
    assert "once in 6 cases; of 9 such metrics 1.5 do so" in said
    guesses = [tuple(rng.permutation(3)) == (0, 1, 2) for _ in range(6000)]
    assert np.mean(guesses) == pytest.approx(1 / len(list(permutations(range(3)))), abs=0.02)
    assert warning_for_few(6, 9) == warning_for_few(1, 9) == ""
