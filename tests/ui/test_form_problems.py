"""The form that makes a study says all that is wrong with it, at each field, in words for people."""

from dataclasses import replace

import pytest

from eval.listening.closing import end_of
from eval.listening.making.make_study import Made
from eval.listening.recruiting.terms import Pay, hashed_id
from eval.listening.study import MAX_KEEP_DAYS
from eval.listening.tasks.material import Material
from eval.listening.tasks.registry import task_of
from ui.listening.form import Form
from ui.listening.invitation import durability_warning, invitation
from ui.listening.outlook import outlook_of
from ui.listening.problems import FIELDS, problems_of

GOOD = Form(
    name="Which one?", mode="acr", files=["a.wav"], with_compared=False, recording="", systems=["x", "y"], raters=12, trials=0,
    repeats=1, golds=1, traps=1, seed=0, about="", questions="Which? | a, b", revises="", key="",
)  # fmt: skip


PROLIFIC = {"platform": "prolific", "completed": "C1"}


def found(form: Form, clips: int = 3) -> list[tuple[str, str]]:
    def units() -> int:
        return len(task_of(form.mode).units(Material(form.systems)))

    return [(problem.field, problem.text) for problem in problems_of(form, clips, form.systems, units)]


def test_nothing_is_wrong_with_a_good_form():
    assert found(GOOD) == []


def test_everything_is_said_at_once_in_the_order_of_the_fields():
    form = replace(GOOD, name=" ", systems=[], raters=0, repeats=11, questions="Same?\nSame?", key="k")
    fields = [field for field, _ in found(form, clips=0)]
    assert fields == ["name", "clips", "systems", "raters", "checks", "questions", "revises"]
    assert fields == sorted(fields, key=FIELDS.index)


@pytest.mark.parametrize(
    ("change", "clips", "problem"),
    [
        ({"systems": []}, 3, ("systems", "Choose at least one system.")),
        ({"systems": ["x"], "mode": "ab"}, 3, ("systems", "Choose at least two systems.")),
        (
            {"trials": 50},
            1,
            ("trials", "There are 3 different trials: give a number up to that, or 0 for all of them."),
        ),
        ({"raters": 20_000}, 3, ("raters", "Say how many raters you expect: 1 to 10000.")),
        ({}, 61, ("clips", "There are 61 clips; a study has at most 60.")),
        ({"systems": list("abcdefghijklm")}, 1, ("systems", "There are 13 systems; a study has at most 12.")),
        (
            {"platform": "prolific"},
            3,
            ("people", "Code or address when they have finished: Prolific needs the study's completion code."),
        ),
        (
            {"pay": 2.0, "currency": "pounds", "platform": "prolific", "completed": "C1"},
            3,
            ("people", "Recruiting: pay: 'POUNDS' is no currency; allowed: three capital letters, such as GBP."),
        ),
        (
            {"keep_days": 1e6},
            3,
            ("people", f"Answers can be kept for at most {MAX_KEEP_DAYS} days, or without a limit (0)."),
        ),
        ({"revises": "id"}, 3, ("revises", "To revise a study takes the key that came with it.")),
        (
            PROLIFIC | {"quotas": "Which? | a = 5, c = 5"},
            3,
            ("people", "Recruiting: quotas: 'c' is no choice of 'which'."),
        ),
        (
            PROLIFIC | {"quotas": "Age? | old = 5"},
            3,
            ("people", "Recruiting: quotas: 'age' is no question with choices."),
        ),
        (
            PROLIFIC | {"quotas": "Which? | a: 5"},
            3,
            ("people", "Recruiting: quotas: 'a: 5' is no number of places; write: choice = places."),
        ),
        (
            PROLIFIC | {"quotas": "Which?"},
            3,
            (
                "people",
                "Recruiting: quotas: 'Which?' says no places; write: question | choice = places, choice = places.",
            ),
        ),
    ],
)
def test_a_problem_is_a_sentence_at_its_field(change, clips, problem):
    assert found(replace(GOOD, **change), clips) == [problem]


def test_a_session_that_is_too_long_asks_for_trials():
    form = replace(GOOD, systems=list("abcdefgh"))
    ((field, text),) = found(form, clips=30)
    assert (field, text[:38]) == ("trials", "A session of 270 trials is too long: g")
    assert found(replace(form, trials=100), clips=30) == []


def test_folders_without_recordings_are_planned_without_them():
    """Two systems of four clips: twelve trials with the recording among them, eight without."""
    values = ("acr", ["file"] * 4, False, None, ["x", "y"], 12, 0)
    assert "12 trials" in outlook_of(*values)
    assert "8 trials" in outlook_of(*values, has_reference=False)
    (problem,) = problems_of(replace(GOOD, mode="dcr"), 3, ["x"], lambda: 1, has_reference=False)
    assert problem.field == "clips"
    assert problem.text.endswith("this task needs the recordings. Choose their folder, or another task.")
    assert problems_of(replace(GOOD, mode="similarity"), 3, ["x", "y"], lambda: 1, has_reference=False) == []


def test_the_end_of_a_study_is_a_date_to_come():
    now = end_of("2026-12-31 12:00")

    def said(closes: str) -> list[str]:
        found = problems_of(replace(GOOD, closes=closes), 3, GOOD.systems, lambda: 1, clock=lambda: now)
        assert {problem.field for problem in found} <= {"people"}
        return [problem.text for problem in found]

    assert said("") == said("2026-12-31") == said("2026-12-31 12:01") == []
    assert said("2026-12-30") == said("2026-12-31 12:00") == ["The date on which the study closes is over already."]
    assert said("31 Dec") == [
        "When the study closes: “31 Dec” is no date. Write it as 2026-12-31, or as 2026-12-31 18:00, in UTC."
    ]
    assert replace(GOOD, closes=" 2026-12-31 ").study(["a"], ["x", "y"]).ends == end_of("2027-01-01 00:00")


def test_a_form_becomes_a_study_that_recruits():
    form = replace(
        GOOD, owner=" A. Person ", contact="a@b.c", keep_days=90, platform="prolific", completed="C1", screened_out="C2", quota_full="C3", places=40,
        pay=1.5, currency="gbp", headphones=True, excluded="P1\n\n P 2 ", quotas="Which? | a = 20, b=10",
    )  # fmt: skip
    assert found(form) == []
    study = form.study(["a", "b"], ["x", "y"])
    assert (study.owner, study.contact, study.keep_days) == ("A. Person", "a@b.c", 90)
    terms = study.recruiting
    assert (terms.platform, terms.completed, terms.screened_out, terms.quotas.total) == ("prolific", "C1", "C2", 40)
    assert (terms.pay, terms.headphones) == (Pay(1.5, "GBP"), True)
    assert terms.exclude.participants == (hashed_id("P1"), hashed_id("P 2"))
    assert terms.quotas.attributes == {"which": {"a": 20, "b": 10}}
    made = Made("0123", "key", 1, ())
    page = invitation(made, study, durable=True, rehearsal="rate/?preview=x")
    assert "rate/?study=0123&amp;PROLIFIC_PID=" in page
    assert "on Prolific" in page
    assert "GBP an hour" in page
    assert 'href="rate/?preview=x"' in page, "the owner tries it before others do"
    ((field, text),) = found(replace(form, screened_out="", quota_full=""))
    assert field == "people"
    assert text.startswith("Give Prolific's code for participants who are screened out and find no place")
    assert GOOD.study(["a"], ["x"]).recruiting is None


def test_a_plain_link_names_the_participants_parameter():
    plain = replace(GOOD, platform="plain", parameter=" pid ")
    assert found(plain) == []
    assert plain.study(["a"], ["x"]).recruiting.parameters == {"participant": "pid"}
    ((field, text),) = found(replace(plain, parameter="two words"))
    assert field == "people"
    assert "two words" in text


def test_an_earlier_study_is_named_with_its_key():
    ((field, text),) = found(replace(GOOD, platform="prolific", completed="C1", earlier="0123 key\n4567"))
    assert field == "people"
    assert "'4567': write the id of the study, a space, and its key" in text


def test_answers_that_will_be_lost_are_told_before_and_after_a_study_is_made():
    assert durability_warning(True) == ""
    assert "Answers die with this server" in durability_warning(False)
    page = invitation(Made("0123", "key", 1, ()), GOOD.study(["a"], ["x"]), durable=False, rehearsal="rate/?preview=x")
    assert durability_warning(False) in page
