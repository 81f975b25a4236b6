"""Recruiting platforms and the terms of a study: what an address brings, where it leads, and what is refused."""

import json
from dataclasses import asdict, replace

import pytest

from eval.listening.recruiting.launch import entry_address, launch_notes
from eval.listening.recruiting.platform import OUTCOMES, Visit
from eval.listening.recruiting.quotas import Holder, has_place, is_held
from eval.listening.recruiting.registry import PLATFORMS
from eval.listening.recruiting.terms import Pay, Quotas, Recruiting, hashed_id, recruiting_from
from eval.listening.study import Question, Study, StudyError, session_minutes, study_from

PROLIFIC = Recruiting("prolific", completed="C0MPL3TE", screened_out="SCREEN3D", quota_full="FULL")
PLAIN = Recruiting(
    "plain",
    completed="https://panel.example.org/done?p={participant}&s={session}&c={code}",
    parameters={"participant": "pid", "session": "sid"},
)
QUESTION = Question("device", "With what?", ("headphones", "loudspeakers"))
STUDY = {"name": "Which one?", "mode": "acr", "items": ["one"], "systems": ["a", "b"]}


def test_prolific_brings_three_ids_and_takes_a_code_for_each_outcome():
    address = {"PROLIFIC_PID": "5f1", "STUDY_ID": "60a", "SESSION_ID": "61b", "study": "ours", "cc": "FORGED"}
    visit = PROLIFIC.site.visit(PROLIFIC, address)
    assert visit == Visit("5f1", "60a", "61b")
    found = {outcome: PROLIFIC.way_back(outcome, visit, "OURS") for outcome in OUTCOMES}
    assert found["completed"].url == "https://app.prolific.com/submissions/complete?cc=C0MPL3TE"
    assert found["screened_out"].url.endswith("?cc=SCREEN3D")
    assert found["quota_full"].url.endswith("?cc=FULL")
    assert [way.code for way in found.values()] == ["C0MPL3TE", "SCREEN3D", "FULL"]
    assert PROLIFIC.site.entry(PROLIFIC) == (
        "&PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
    )


def test_prolifics_code_may_be_given_as_its_address():
    pasted = Recruiting("prolific", completed="https://app.prolific.com/submissions/complete?cc=C0MPL3TE")
    assert pasted.way_back("completed", None) == PROLIFIC.way_back("completed", None)
    assert pasted.way_back("quota_full", None).url == "", "no code was given for it"


def test_mturk_brings_the_form_that_submits_the_assignment():
    terms = Recruiting("mturk")
    address = {"workerId": "A1", "assignmentId": "3X", "hitId": "H1", "turkSubmitTo": "https://workersandbox.mturk.com"}
    visit = terms.site.visit(terms, address)
    way = terms.way_back("completed", visit, "0CA1B2C3")
    assert way.url == "https://workersandbox.mturk.com/mturk/externalSubmit"
    assert way.fields == {"assignmentId": "3X", "outcome": "completed", "completion_code": "0CA1B2C3"}
    live = terms.site.visit(terms, {**address, "turkSubmitTo": "https://www.mturk.com/"})
    assert terms.way_back("quota_full", live, "").url == "https://www.mturk.com/mturk/externalSubmit"


def test_the_code_that_proves_the_end_is_given_at_the_end_only():
    visit = Visit("A1", session="3X")
    for outcome in ("screened_out", "quota_full"):
        way = Recruiting("mturk").way_back(outcome, visit, "0CA1B2C3")
        assert way.fields == {"assignmentId": "3X", "outcome": outcome, "completion_code": ""}
        assert way.code == ""
        plain = Recruiting("plain", **{outcome: "https://panel.example.org/{code}"})
        assert plain.way_back(outcome, visit, "0CA1B2C3").url == "https://panel.example.org/"


def test_mturk_shows_a_task_before_it_is_accepted():
    terms = Recruiting("mturk")
    address = {"assignmentId": "ASSIGNMENT_ID_NOT_AVAILABLE", "hitId": "H1"}
    assert terms.site.is_preview(address)
    assert terms.site.visit(terms, address) is None
    assert not PROLIFIC.site.is_preview(address)


@pytest.mark.parametrize(
    "server",
    ["https://evil.example", "http://www.mturk.com", "https://www.mturk.com.evil.example", "javascript:alert(1)"],
)
def test_an_assignment_is_submitted_to_mturk_only(server):
    with pytest.raises(ValueError, match="turkSubmitTo: allowed are"):
        PLATFORMS["mturk"].visit(Recruiting("mturk"), {"workerId": "A1", "turkSubmitTo": server})


def test_an_address_of_any_site_is_filled_without_changing_where_it_leads():
    visit = PLAIN.site.visit(PLAIN, {"pid": "a&b=c/../?#@", "sid": "é 1", "pif": "x"})
    assert visit == Visit("a&b=c/../?#@", session="é 1")
    way = PLAIN.way_back("completed", visit, "AB12")
    assert way.url == "https://panel.example.org/done?p=a%26b%3Dc%2F..%2F%3F%23%40&s=%C3%A9%201&c=AB12"
    assert way.as_step()["host"] == "panel.example.org"
    assert PLAIN.hosts() == {"completed": "panel.example.org"}


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ("x" * 129, "1 to 128"),
        ("{{%PROLIFIC_PID%}}", "braces"),
        ("a\nb", "visible"),
        (" a", "ends"),
        ("a\0", "visible"),
    ],
)
def test_what_is_no_id_is_refused(given, match):
    with pytest.raises(ValueError, match=match):
        PROLIFIC.site.visit(PROLIFIC, {"PROLIFIC_PID": given})


@pytest.mark.parametrize(
    "address",
    [
        "http://panel.example.org/",
        "javascript:alert(1)",
        "data:text/html,x",
        "https:///nowhere",
        "//panel.example.org",
        "https://user@panel.example.org/",
        "https://{participant}.example.org/",
        "https://panel.example.org\\@evil.example/",
        "https://panel.example.org/{secret}",
        "https://panel.example.org/{participant",
        "https://panel.example.org/a b",
        "https://panel.example.org/\n",
        "https://panel.example.org/" + "x" * 2000,
    ],
)
def test_what_is_no_safe_address_is_refused(address):
    with pytest.raises(ValueError, match="completed: "):
        Recruiting("plain", completed=address)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ({"platform": "facebook"}, "platform: 'facebook' is unknown; there are prolific, mturk, plain"),
        ({"platform": "prolific"}, "needs the study's completion code"),
        ({"platform": "prolific", "completed": 83}, "completed: Input should be a valid string"),
        ({"platform": "prolific", "completed": "a b"}, "is no code"),
        ({"platform": "prolific", "completed": "A", "parameters": {"participant": "p"}}, "are fixed"),
        ({"platform": "prolific", "completed": "A", "quota": {}}, "quota: Unexpected"),
        ({"platform": "prolific", "completed": "A", "quotas": {"total": 0}}, "1 to 10000"),
        ({"platform": "prolific", "completed": "A", "pay": {"amount": 3, "currency": "£"}}, "three capital letters"),
        ({"platform": "prolific", "completed": "A", "free_after_minutes": 1}, "10 to 10080"),
        (
            {"platform": "prolific", "completed": "A", "quotas": {"attributes": {"age": {"old": 1}}}},
            "'age' is no question",
        ),
        (
            {"platform": "prolific", "completed": "A", "quotas": {"attributes": {"device": {"ears": 1}}}},
            "'ears' is no choice",
        ),
        ({"platform": "plain", "parameters": {"participant": "study"}}, "cannot be the participant's"),
        ({"platform": "plain", "parameters": {"worker": "w"}}, "'worker' is unknown"),
        ({"platform": "plain", "exclude": {"studies": ["x"]}}, "nobody can be told from another"),
        (5, "recruiting: "),
    ],
)
def test_terms_that_cannot_be_kept_are_refused(content, match):
    with pytest.raises(StudyError, match=match):
        study_from({**STUDY, "questions": [asdict(QUESTION)], "recruiting": content})


def test_terms_come_back_from_json_as_they_were():
    quotas = {"total": 40, "attributes": {"device": {"headphones": 20, "loudspeakers": 0}}}
    given = {"platform": "prolific", "completed": "A", "exclude": {"participants": ["5f1"], "studies": ["x"]}}
    terms = recruiting_from({**given, "quotas": quotas, "pay": {"amount": 2.5, "currency": "GBP"}})
    assert recruiting_from(json.loads(json.dumps(asdict(terms)))) == terms
    assert terms.quotas == Quotas(40, quotas["attributes"])
    assert terms.exclude.participants == (hashed_id("5f1"),), "no raw id in what describes a study"


def test_studies_without_recruiting_keep_their_hash():
    """The value is that of the revision before there was recruiting."""
    study = Study("Which one?", "acr", ("one", "two", "three"), ("a", "b"), seed=1)
    assert study.sha256 == "e1ae8160c6f8126c55021685385c25bb95ed3adb06815d5930212a4ea26398a4"
    alone = Study("Which one?", "acr", ("one", "two", "three"), ("a", "b"), reference=False)
    assert alone.sha256 == "88e2c79d11b6ff93994d380fbd74907a498104c86935a7ca0f9502b8db98eb28"
    other = study_from({**asdict(study), "recruiting": {"platform": "prolific", "completed": "A"}})
    assert other.sha256 != study.sha256
    assert study_from(json.loads(json.dumps(asdict(other)))) == other


def test_what_is_shared_of_a_study_has_no_codes_and_no_ids():
    study = study_from({**STUDY, "recruiting": {"platform": "prolific", "completed": "S3CRET"}})
    assert "S3CRET" not in json.dumps(study.shareable())
    assert "recruiting" not in study.shareable()


def test_the_owner_sees_where_participants_are_sent_and_what_an_hour_is_paid():
    study = Study(
        "Which one?", "acr", ("one", "two"), ("a",), raters=10, recruiting=replace(PROLIFIC, pay=Pay(1, "GBP"))
    )
    minutes = session_minutes("acr", study.length)
    notes = launch_notes(study)
    assert notes[0].startswith(f"1.00 GBP for about {minutes} minutes are {60 / minutes:.2f} GBP an hour; 10 raters")
    assert notes[1:] == [
        "Participants who have finished are sent to app.prolific.com.",
        "Participants who are screened out are sent to app.prolific.com.",
        "Participants who find no place are sent to app.prolific.com.",
    ]
    plain = replace(study, recruiting=PLAIN)
    assert launch_notes(plain)[1] == "Participants who are screened out are sent nowhere."
    assert entry_address("abc", plain) == "rate/?study=abc&pid=...&sid=..."
    assert entry_address("abc", study).startswith("rate/?study=abc&PROLIFIC_PID={{%PROLIFIC_PID%}}&")
    assert (launch_notes(replace(study, recruiting=None)), entry_address("abc", replace(study, recruiting=None))) == (
        [],
        "rate/?study=abc",
    )


def test_places_are_counted_by_total_and_by_attribute():
    quotas = Quotas(3, {"device": {"headphones": 1, "tin-can": 0}})
    held = [Holder("a", {"device": "headphones"}, 0, True)]
    assert not has_place(quotas, held, {"device": "headphones"})
    assert not has_place(quotas, [], {"device": "tin-can"})
    assert has_place(quotas, held, {"device": "loudspeakers"}), "a choice without a number of its own"
    assert has_place(quotas, held, {}), "as long as the answer is not known"
    assert not has_place(quotas, held * 3, {})
    assert has_place(Quotas(), held * 1000, {})


def test_a_place_is_held_until_the_time_without_an_answer_is_over():
    assert is_held(Holder("a", {}, 1000.0, False), now=4599.0, free_after=3600)
    assert not is_held(Holder("a", {}, 1000.0, False), now=4600.0, free_after=3600)
    assert is_held(Holder("a", {}, 1000.0, True), now=1e9, free_after=3600)
    assert is_held(Holder("a", {}, 1000.0, False), now=10.0, free_after=3600), "the clock was set back"
