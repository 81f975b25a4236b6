"""Balance, order and checks of trials, over whole studies."""

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.listening.analysis.votes import ANCHOR, REFERENCE
from eval.listening.design import check_answer, passes, plan_session
from eval.listening.orders import williams
from eval.listening.study import Study, StudyError, study_from
from eval.listening.tasks.registry import TASKS
from eval.listening.trial import Trial

CLIPS = tuple(f"clip-{n}" for n in range(6))
SYSTEMS = ("griffin-lim", "hifigan", "refined")


def study(mode, **options) -> Study:
    return Study("Which one?", mode, CLIPS, SYSTEMS, **{"seed": 5, **options})


def counted(study, row):
    return [trial for trial in plan_session(study, row) if trial.counted]


@pytest.mark.parametrize("n", range(1, 9))
def test_williams_balances_places_and_neighbours(n):
    square = williams(n)
    for place in square.T:
        assert set(np.bincount(place, minlength=n)) == {len(square) // n}
    follows = Counter((a, b) for row in square.tolist() for a, b in itertools.pairwise(row))
    assert len(set(follows.values())) <= 1
    assert len(follows) == n * (n - 1)


@pytest.mark.parametrize("mode", TASKS)
def test_every_rater_is_asked_everything_once(mode):
    asked = study(mode)
    for row in range(8):
        units = [(t.item, frozenset(t.shown)) for t in counted(asked, row)]
        assert len(set(units)) == asked.units
        assert set(Counter(units).values()) == {asked.task.rounds(len(asked.items))}, "once in each round"
        assert len(plan_session(asked, row)) - asked.length == sum(
            t.kind == "training" for t in plan_session(asked, row)
        )


@pytest.mark.parametrize("mode", TASKS)
def test_trials_of_one_clip_are_never_neighbours(mode):
    for row in range(30):
        asked = counted(study(mode), row)
        assert all(a.item != b.item for a, b in itertools.pairwise(asked))


def test_each_place_has_every_condition_equally_often():
    """Over one Williams square's worth of raters, at every round of an ACR session and every slot of MUSHRA."""
    acr, n = study("acr"), 4
    rounds = Counter()
    for row in range(n):
        seen = Counter()
        for trial in counted(acr, row):
            rounds[seen[trial.item], trial.shown[0]] += 1
            seen[trial.item] += 1
    assert set(rounds.values()) == {len(CLIPS)}
    mushra = study("mushra")
    slots = Counter((slot, c) for row in range(10) for t in counted(mushra, row) for slot, c in enumerate(t.shown))
    assert {c for _, c in slots} == {*SYSTEMS, REFERENCE, ANCHOR}
    assert len(set(slots.values())) == 1


def test_pairs_are_heard_in_both_orders_and_x_is_both():
    """Every two raters hear a pair in both orders, every four in all four forms of an ABX trial."""
    asked = study("abx")
    for first in (0, 4, 8):
        forms = Counter(
            (trial.item, frozenset(trial.shown), trial.shown, trial.x)
            for row in range(first, first + 4)
            for trial in counted(asked, row)
        )
        assert set(forms.values()) == {1}
        assert len(forms) == 4 * asked.units


@given(st.sampled_from(list(TASKS)), st.integers(1, 6), st.integers(0, 2**31))
@settings(max_examples=30)
def test_a_share_of_the_questions_is_balanced_over_raters(mode, trials, seed):
    asked = study(mode, trials=trials, seed=seed)
    raters = asked.units  # as many as make a whole number of rounds through all questions
    units = Counter((t.item, frozenset(t.shown)) for row in range(raters) for t in counted(asked, row))
    assert set(units.values()) == {trials * asked.task.rounds(len(asked.items))}


def test_the_same_seed_gives_the_same_session_and_rows_differ():
    assert plan_session(study("acr"), 3) == plan_session(study("acr"), 3)
    assert plan_session(study("acr"), 3) != plan_session(study("acr"), 4)
    assert plan_session(study("acr"), 3) != plan_session(study("acr", seed=6), 3)


def test_a_repeat_comes_well_after_its_question_and_checks_never_first():
    for row in range(40):
        plan = [t for t in plan_session(study("acr", repeats=2, golds=2, traps=1), row) if t.kind != "training"]
        assert plan[0].kind == "trial"
        for place, trial in enumerate(plan):
            if trial.kind == "repeat":
                question = next(
                    i
                    for i, t in enumerate(plan)
                    if t.kind == "trial" and t.shown == trial.shown and t.item == trial.item
                )
                assert place - question > 3


@pytest.mark.parametrize(
    ("mode", "kind", "right", "wrong"),
    [
        ("acr", "gold", 1, 4),
        ("mushra", "gold", {"degraded": 5, REFERENCE: 90}, {"degraded": 90, REFERENCE: 90}),
        ("mushra", "trap", {"beeps": 0, REFERENCE: 100}, {"beeps": 50, REFERENCE: 100}),
    ],
)
def test_checks_know_their_answer(mode, kind, right, wrong):
    asked = study(mode)
    trial = next(t for t in plan_session(asked, 2) if t.kind == kind)

    def answer(values):
        if not isinstance(values, dict):
            return values
        return [next((v for name, v in values.items() if shown.startswith(name)), 50) for shown in trial.shown]

    assert passes(asked, trial, answer(right)) is True
    assert passes(asked, trial, answer(wrong)) is False


@pytest.mark.parametrize("mode", TASKS)
@pytest.mark.parametrize("systems", [SYSTEMS, tuple(f"system-{n}" for n in range(8))])
def test_checks_look_like_the_trials_around_them(mode, systems):
    """As many sounds in the same roles, all different but for the beeps that X repeats, and an answer of the same form."""
    asked = Study("Which one?", mode, CLIPS, systems, trials=1, golds=3, traps=3)
    free = replace(asked, reference=False) if asked.task.is_reference_free else asked
    for one in (asked, free):
        for trial in plan_session(one, 1):
            if trial.kind in ("gold", "trap"):
                like = one.task.trial(one, 1, 0, 0)
                assert [role for role, _ in one.task.slots(trial)] == [role for role, _ in one.task.slots(like)]
                assert len(set(trial.shown)) == len(trial.shown)
                assert passes(one, trial, one.task.right(trial)) is True


@pytest.mark.parametrize(
    ("mode", "kind", "shown", "right", "wrong"),
    [
        ("mushra", "gold", ("degraded", REFERENCE), [5, 90], [90, 5]),
        ("mushra", "trap", (REFERENCE, "beeps-3"), [100, 0], [100, 50]),
        ("mushranr", "gold", (REFERENCE, "degraded"), [90, 5], [5, 90]),
        ("bws", "trap", ("beeps-2", REFERENCE), [1, 0], [0, 1]),
    ],
)
def test_checks_of_plans_from_before_play_two_sounds_and_are_judged_as_they_were(mode, kind, shown, right, wrong):
    older = Trial(kind, CLIPS[0], shown)
    check_answer(study(mode), older, right)
    assert [passes(study(mode), older, answer) for answer in (right, wrong)] == [True, False]


@pytest.mark.parametrize("row", range(6))
def test_checks_of_pairs_know_their_answer(row):
    preference, abx = study("ab"), study("abx")
    for trial in plan_session(preference, row):
        if trial.kind in ("gold", "trap"):
            wanted = REFERENCE if trial.kind == "gold" else next(c for c in trial.shown if c != REFERENCE)
            assert passes(preference, trial, "ab"[trial.shown.index(wanted)]) is True
            assert passes(preference, trial, "same") is False
    for trial in plan_session(abx, row):
        if trial.kind in ("gold", "trap"):
            assert [passes(abx, trial, a) for a in "ab"] == [trial.x == 0, trial.x == 1]
        else:
            assert passes(abx, trial, "a") is None


@pytest.mark.parametrize(
    ("mode", "answer"),
    [
        ("acr", 0),
        ("acr", 6),
        ("acr", True),
        ("acr", 3.0),
        ("acr", "3"),
        ("mushra", [1, 2]),
        ("mushra", 50),
        ("mushra", [101] * 5),
        ("ab", "x"),
        ("ab", None),
        ("abx", "same"),
    ],
)
def test_what_is_no_answer_is_refused(mode, answer):
    with pytest.raises(ValueError, match="the answer is"):
        check_answer(study(mode), counted(study(mode), 0)[0], answer)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mode": "mos"}, "one of acr, mushra, ab, abx"),
        ({"systems": ["a", "a"]}, "different names"),
        ({"systems": ["reference"]}, "none called"),
        ({"systems": ["a"], "mode": "ab"}, "at least two"),
        ({"trials": 0}, "1 to"),
        ({"trials": "many"}, "whole number"),
        ({"items": "abc"}, "not lists"),
        ({"golds": 11}, "0 to 10"),
        ({"colour": "red"}, "no such field"),
        ({"pairs": [["a", "b", "c"]]}, "two systems"),
        ({"name": " "}, "1 to 120"),
        ({"questions": [{"id": "a"}]}, "not lists"),
    ],
)
def test_an_impossible_study_says_why(change, message):
    with pytest.raises(StudyError, match=message):
        study_from({"name": "x", "mode": "acr", "items": ["one"], "systems": ["a", "b"], **change})


def test_a_session_without_end_is_refused():
    with pytest.raises(StudyError, match="too long"):
        Study("x", "acr", tuple(map(str, range(60))), tuple("abcdefgh"))


def test_a_study_survives_its_own_json():
    import json

    asked = study("abx", questions=())
    assert study_from(json.loads(asked.as_json())) == asked
