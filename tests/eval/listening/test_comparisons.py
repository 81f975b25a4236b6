"""Scores of pairs and of outputs beside their recording: signs, orders, null pairs, and what is screened."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from eval.listening.analysis.ratings import means_against
from eval.listening.analysis.results import votes_of
from eval.listening.analysis.screening import flat_scores, same_answer
from eval.listening.analysis.votes import ANCHOR, MID_ANCHOR, REFERENCE, Rating
from eval.listening.design import plan_session
from eval.listening.simulation.listeners import Opinions, session_rows
from eval.listening.study import Study, StudyError, study_from
from eval.listening.tasks.registry import task_of
from eval.listening.tasks.scores.dcr import null_pair

ITEMS = tuple(f"clip-{n}" for n in range(8))


def row(shown, answer, kind="trial") -> dict:
    return {"rater": "r", "item": "i", "number": 0, "kind": kind, "shown": shown, "x": None, "answer": answer}


@pytest.mark.parametrize(
    ("shown", "answer", "system", "score"),
    [
        ((REFERENCE, "a"), -2, "a", -2),
        (("a", REFERENCE), 2, "a", -2),
        (("a", "b"), 1, "a / b", 1),
        (("b", "a"), -1, "a / b", 1),
    ],
)
def test_the_order_heard_restores_the_sign(shown, answer, system, score):
    (vote,) = task_of("ccr").votes(row(shown, answer))
    assert (vote.system, vote.score, vote.meant, vote.given) == (system, score, score, answer)


def test_both_orders_of_a_comparison_come_equally_often_and_a_bias_of_order_cancels():
    study = Study("x", "ccr", ITEMS, ("a", "b"), repeats=0, golds=0, traps=0)
    orders = Counter(trial.shown for row in range(8) for trial in plan_session(study, row) if trial.kind == "trial")
    assert set(orders.values()) == {8 * len(ITEMS) // 2}
    always_better = [
        vote
        for number in range(8)
        for trial in plan_session(study, number)
        if trial.kind == "trial"
        for vote in study.task.votes({**row(trial.shown, 1), "rater": f"r{number}", "item": trial.item})
    ]
    assert all(found.mean.mean == 0 for found in means_against(always_better, 0))
    assert [flag.rater for flag in same_answer(always_better)] == [f"r{number}" for number in range(8)]
    assert same_answer([replace(vote, score=0) for vote in always_better]) == [], "about the same may be true"


@pytest.mark.parametrize("mode", ["ccr", "similarity"])
def test_without_recordings_every_pair_of_systems_is_compared(mode):
    study = Study("x", mode, ITEMS, ("a", "b", "c"), reference=False)
    assert list(study.clip_units) == [("a", "b"), ("a", "c"), ("b", "c")]
    named = Study("x", mode, ITEMS, ("a", "b", "c"), pairs=(("c", "a"),))
    assert list(named.clip_units) == [("c", "a")]
    with pytest.raises(StudyError, match="at least"):
        Study("x", mode, ITEMS, ("a",), reference=False)


@pytest.mark.parametrize("mode", ["ccr", "similarity"])
def test_a_check_is_passed_by_the_right_answer_in_either_order(mode):
    study = Study("x", mode, ITEMS, ("a",), golds=3, traps=3, seed=1)
    for number in range(4):
        for trial in plan_session(study, number):
            if trial.kind in ("gold", "trap"):
                passing = [answer for answer in study.task.answers(trial) if study.task.passes(trial, answer)]
                assert study.task.right(trial) in passing
                assert 1 <= len(passing) <= 3
                assert study.task.passes(replace(trial, shown=trial.shown[::-1]), study.task.right(trial)) is (
                    mode == "similarity"
                )


def test_a_degradation_is_heard_against_the_open_recording_and_the_null_pair_is_hidden():
    study = Study("x", "dcr", ITEMS, ("a",))
    trial = next(t for t in plan_session(study, 0) if t.shown == (REFERENCE,) and t.kind == "trial")
    assert study.task.slots(trial) == [("reference", REFERENCE), ("take", REFERENCE)]
    assert [study.task.is_answer(trial, score) for score in (5, 0)] == [True, False]
    scores = [Rating("r", f"i{k}", REFERENCE, 3 if k < 5 else 4, k) for k in range(8)]
    assert [flag.rule for flag in null_pair(scores)] == ["null-pair"]
    assert null_pair([replace(scores[0], score=4), *scores[1:]]) == []


def test_mushra_has_the_second_anchor_where_the_study_asks_for_it():
    content = {"name": "x", "mode": "mushra", "items": list(ITEMS), "systems": ["a", "b"]}
    plain, both = study_from(content), study_from(content | {"mid_anchor": True})
    assert plain.conditions == ("a", "b", REFERENCE, ANCHOR)
    assert both.conditions == ("a", "b", REFERENCE, ANCHOR, MID_ANCHOR)
    assert dict(both.anchors) == {ANCHOR: 3500.0, MID_ANCHOR: 7000.0}
    assert plain.sha256 == Study("x", "mushra", ITEMS, ("a", "b")).sha256 != both.sha256
    assert "mid_anchor" not in plain.as_json()
    with pytest.raises(StudyError, match="mid_anchor: True is not possible; allowed: true for mushra"):
        study_from(content | {"mode": "acr", "mid_anchor": True})
    with pytest.raises(StudyError, match="neither true nor false"):
        study_from(content | {"mid_anchor": "yes"})


def test_mushra_1s_asks_for_one_output_beside_fixed_sounds():
    study = Study("x", "mushra1s", ITEMS, ("a", "b"))
    assert list(study.clip_units) == [("a",), ("b",), (REFERENCE,)]
    trial = next(t for t in plan_session(study, 0) if t.shown == ("a",))
    roles = [("reference", REFERENCE), ("low", ANCHOR), ("mid", MID_ANCHOR), ("take", "a")]
    assert study.task.slots(trial) == roles
    assert [study.task.is_answer(trial, answer) for answer in (100, [100])] == [True, False]
    missed = [Rating("r", item, REFERENCE, 60, n) for n, item in enumerate(ITEMS)]
    assert "hidden-reference" in {flag.rule for flag in study.task.screen(missed)}


def test_mushra_without_a_reference_plays_outputs_only_and_is_screened_by_other_rules():
    for reference, conditions in ((True, ("a", "b", REFERENCE)), (False, ("a", "b"))):
        study = Study("x", "mushranr", ITEMS, ("a", "b"), reference=reference)
        trial = next(t for t in plan_session(study, 0) if t.kind == "trial")
        assert study.conditions == conditions
        assert [role for role, _ in study.task.slots(trial)] == ["take"] * len(conditions)
    with pytest.raises(StudyError, match="at least two systems"):
        Study("x", "mushranr", ITEMS, ("a",), reference=False)
    spread = [Rating("good", item, f"s{k}", 30 * k, n) for n, item in enumerate(ITEMS) for k in range(3)]
    flat = [replace(vote, rater="lazy", score=50 + vote.score / 30) for vote in spread]
    honest = [replace(vote, rater="other") for vote in spread]
    flags = study.task.screen([*spread, *honest, *flat])
    assert [flag.rater for flag in flags if flag.rule == "flat-scores"] == ["lazy"]
    assert "hidden-reference" not in {flag.rule for flag in flags}
    assert flat_scores(flat) == [], "where everybody hears no difference there may be none"


@pytest.mark.parametrize(("mode", "truth"), [("dcr", {"a": 2.2, "b": 3.7}), ("mushra1s", {"a": 30, "b": 62})])
def test_known_opinions_are_recovered(mode, truth):
    study = Study("x", mode, ITEMS, ("a", "b"), repeats=1)
    opinions = Opinions(study.task, truth, np.random.default_rng(4))
    rows = [answer for r in range(30) for answer in session_rows(study, plan_session(study, r), f"r{r}", opinions)]
    found = study.task.analyse(votes_of(study, rows))["means"]
    for system, level in truth.items():
        assert found[system].low < level < found[system].high
        assert found[system].high - found[system].low < 0.25 * (study.task.bounds[1] - study.task.bounds[0])
