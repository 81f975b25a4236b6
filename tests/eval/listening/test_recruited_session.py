"""Sessions of participants whom a platform sent, over HTTP: their way in, back after a break, and out."""

import csv
import hashlib
import json

import pytest

from eval.listening.analysis.results import analyse
from eval.listening.making.make_study import make_study
from eval.listening.recruiting.platform import Visit
from eval.listening.recruiting.terms import Exclude, Quotas, Recruiting
from eval.listening.storage.records import Stimulus
from eval.listening.storage.store import Store
from eval.listening.study import Question, Study, StudyError
from tests.command import command
from tests.listening import Listener, any_answer, store_silently

DEVICE = Question("device", "With what?", ("headphones", "loudspeakers"))
NOTE = Question("note", "Anything?")
COMPLETE = "https://app.prolific.com/submissions/complete?cc="


def study_with(listening, questions=(), platform="prolific", **terms) -> str:
    """Its public id."""
    codes = {"completed": "DONE", "screened_out": "SCREENED", "quota_full": "FULL"}
    recruiting = Recruiting(platform, **codes, **terms)
    study = Study("Which one?", "acr", ("one", "two"), ("a",), questions=questions, recruiting=recruiting)
    return store_silently(listening.store, study)


def from_prolific(http, study: str, participant: str = "5f1", says: str = "headphones", **more) -> Listener:
    address = {"PROLIFIC_PID": participant, "STUDY_ID": "60a", "SESSION_ID": f"61-{participant}"}
    return Listener(http, study, any_answer, fetch=False, address=address, says={"device": says}, **more)


def test_a_participant_returns_to_the_platform_when_everything_is_stored(http, listening):
    study = study_with(listening)
    listener = from_prolific(http, study)
    done = listener.run()
    assert (done["step"], done["code"]) == ("done", "DONE")
    assert (done["url"], done["host"], done["fields"]) == (COMPLETE + "DONE", "app.prolific.com", None)
    assert not any("DONE" in response.text for response in listener.responses[:-1]), "no code before the end"
    assert len(listening.store.answers(study)) == len(listener.trials)
    (row,) = listening.store.participants(study)
    assert (row["participant"], row["platform_session"], row["outcome"]) == ("5f1", "61-5f1", "completed")


def test_the_same_id_goes_on_in_another_browser_and_ends_where_it_ended(http, listening):
    study = study_with(listening)
    first = from_prolific(http, study)
    step = first.run(until=lambda step: step["step"] == "trial" and not step["training"])
    elsewhere = from_prolific(http, study)
    assert elsewhere.open()["nonce"] == step["nonce"]
    assert elsewhere.join()["nonce"] == step["nonce"], "who starts anyway goes on as well"
    elsewhere.run()
    assert first.open()["step"] == "done"
    assert from_prolific(http, study).open()["url"] == COMPLETE + "DONE"
    assert len(listening.store.raters(study)) == 1
    assert from_prolific(http, study, "5f2").open()["step"] == "welcome"


def test_the_address_decides_who_somebody_is(http, listening):
    """Two participants share a browser, whose token is of the first."""
    study = study_with(listening)
    first = from_prolific(http, study)
    first.run()
    second = from_prolific(http, study, "5f2", token=first.token)
    assert second.open()["step"] == "welcome"
    second.address = {}
    assert second.open()["step"] == "done", "without an id the token is all there is"


@pytest.mark.parametrize(
    ("address", "code"), [({}, "no_participant"), ({"PROLIFIC_PID": "{{%PROLIFIC_PID%}}"}, "bad_participant")]
)
def test_who_comes_without_an_id_cannot_begin(http, listening, address, code):
    listener = Listener(http, study_with(listening), any_answer, address=address)
    for path, more in (("open", {}), ("join", {"language": "en", "device": {}})):
        refused = listener.post(path, study=listener.study, address=address, **more)
        assert refused.json()["error"] == code
        assert refused.status_code in (403, 422)
    assert listening.store.raters(listener.study) == []


def test_those_who_are_left_out_are_sent_back_and_not_stored(http, listening):
    earlier = study_with(listening)
    from_prolific(http, earlier, "5f2").join()
    study = study_with(listening, exclude=Exclude(("5f1",), (earlier,)))
    for participant in ("5f1", "5f2"):
        listener = from_prolific(http, study, participant)
        for step in (listener.open(), listener.join()):
            assert (step["step"], step["url"], step["code"]) == ("screened_out", COMPLETE + "SCREENED", "SCREENED")
    assert listening.store.raters(study) == []
    assert from_prolific(http, study, "5f3").run()["step"] == "done"


def test_a_full_study_says_so_and_opens_again_when_a_place_is_free(http, listening, clock):
    study = study_with(listening, quotas=Quotas(1))
    inside = from_prolific(http, study)
    inside.run(until=lambda step: step["step"] == "trial")
    late = from_prolific(http, study, "5f2")
    for step in (late.open(), late.join()):
        assert (step["step"], step["url"]) == ("quota_full", COMPLETE + "FULL")
    clock.now += 3600
    assert late.run()["step"] == "done"
    step = inside.open()
    assert (step["step"], step["code"]) == ("quota_full", "FULL"), "away for an hour, and the place is another's"
    assert from_prolific(http, study, "5f3").open()["step"] == "quota_full"


def test_an_answer_that_comes_late_is_kept_even_if_the_place_is_gone(http, listening, clock):
    study = study_with(listening, quotas=Quotas(1))
    inside = from_prolific(http, study)
    step = inside.run(until=lambda step: step["step"] == "trial")
    clock.now += 3600
    from_prolific(http, study, "5f2").run()
    assert inside.send(step, 3).json()["step"] == "quota_full"
    assert step["nonce"] in [row["nonce"] for row in listening.store.answers(study)]


def test_questions_of_quotas_come_first_and_each_choice_has_its_places(http, listening):
    quotas = Quotas(None, {"device": {"headphones": 1}})
    study = study_with(listening, (NOTE, DEVICE), quotas=quotas)
    inside = from_prolific(http, study)
    first = inside.join()
    assert first["step"] == "questionnaire"
    assert first["required"]
    assert [question["id"] for question in first["questions"]] == ["device"]
    refused = inside.post("questionnaire", token=inside.token, answers={"device": "a tin can"})
    assert refused.json()["error"] == "invalid_answer"
    assert inside.run()["step"] == "done"
    (rater,) = listening.store.raters(study)
    assert rater["events"]["screening"] == {"device": "headphones"}
    assert rater["events"]["questionnaire"] == {"note": "yes"}
    late = from_prolific(http, study, "5f2")
    assert late.run(until=lambda step: step["step"] == "quota_full")["url"] == COMPLETE + "FULL"
    again = from_prolific(http, study, "5f2", says="loudspeakers")
    assert again.open()["step"] == "quota_full", "another answer later opens no door"
    assert from_prolific(http, study, "5f3", says="loudspeakers").run()["step"] == "done"
    assert [row["row"] for row in listening.store.raters(study) if row["trials"]] == [0, 1]
    results = analyse(listening.store.study(study), listening.store.answers(study), listening.store.raters(study))
    assert (results["n"]["started"], results["n"]["finished"], results["n"]["turned_away"]) == (3, 2, 1)
    assert "FULL" not in json.dumps(results)


def test_a_study_may_demand_headphones(http, listening):
    study = study_with(listening, headphones=True)
    listener = from_prolific(http, study)
    end = listener.run(until=lambda step: step["step"] in ("screened_out", "trial"))
    assert (end["step"], end["code"]) == ("screened_out", "SCREENED")
    assert listener.open()["step"] == "screened_out"
    assert listener.post("next", token=listener.token, done="instructions").json()["step"] == "screened_out"
    (rater,) = listening.store.raters(study)
    assert (rater["row"], rater["trials"]) == (-1, 0), "no row of the design"
    assert listener.post("forget", token=listener.token).json() == {"step": "forgotten"}
    assert listening.store.participants(study) == []


def test_a_closed_study_sends_participants_back(http, listening):
    study = study_with(listening)
    listening.store.set_closed(study, True)
    step = from_prolific(http, study).open()
    assert (step["step"], step["url"]) == ("closed", COMPLETE + "FULL")
    assert from_prolific(http, study).join()["step"] == "closed"


def test_mturk_is_looked_at_accepted_returned_and_submitted(http, listening):
    study = study_with(listening, platform="mturk")
    looks = Listener(http, study, any_answer, address={"assignmentId": "ASSIGNMENT_ID_NOT_AVAILABLE"})
    welcome = looks.open()
    assert (welcome["step"], welcome["preview"]) == ("welcome", True)
    assert looks.post("join", study=study, address=looks.address).json()["error"] == "no_participant"
    assert listening.store.raters(study) == []
    address = {"workerId": "A1", "assignmentId": "first", "turkSubmitTo": "https://workersandbox.mturk.com"}
    worker = Listener(http, study, any_answer, fetch=False, address=address)
    worker.run(until=lambda step: step["step"] == "trial")
    worker.address = {**address, "assignmentId": "second"}  # gave the task back, and accepted it again
    done = worker.run()
    assert done["url"] == "https://workersandbox.mturk.com/mturk/externalSubmit"
    assert done["fields"]["assignmentId"] == "second"


def test_an_address_full_of_nonsense_is_an_address_without_an_id(http, listening):
    study = study_with(listening)
    address = {f"p{n}": "x" * 10_000 for n in range(4)} | {"PROLIFIC_PID": ["5f1"], "STUDY_ID": 5}
    assert Listener(http, study, any_answer, address=address).post("open", study=study, address=address).json() == {
        "error": "no_participant",
        "detail": "The address lacks the id of Prolific.",
    }


def test_ids_are_exported_for_holders_of_the_key_only(tmp_path, http, listening):
    study = Study("Which one?", "acr", ("one",), ("a",), recruiting=Recruiting("prolific", completed="DONE"))
    (tmp_path / "listening").mkdir()
    store = Store(f"sqlite:///{tmp_path / 'listening' / 'listening.db'}")
    sound = Stimulus("one", "a", hashlib.sha256(b"a").hexdigest(), 2.0, {}, {})
    public_id, key = store.add_study(study, [sound], {sound.sha256: b"a"}, {})
    rater = store.add_rater(public_id, "en", {}, Visit("=cmd()", "60a", "61b"))
    wanted = ("export", "--participants", "--study", public_id, "--data-dir", tmp_path, "--out", tmp_path / "out")
    for more in ((), ("--key", "x" + key)):
        done = command("eval", "listening", *wanted, *more, code=1)
        assert "for holders of the study's key" in done.stderr
        assert not (tmp_path / "out").exists()
    command("eval", "listening", *wanted, "--key", key)
    path = tmp_path / "out" / "participants.csv"
    assert path.stat().st_mode & 0o077 == 0
    (row,) = csv.DictReader(path.read_text().splitlines())
    assert (row["participant"], row["platform_session"], row["rater"]) == ("'=cmd()", "61b", rater.id)
    store.close()


def test_an_earlier_study_to_leave_out_has_to_exist(tmp_path, listening):
    terms = Recruiting("prolific", completed="DONE", exclude=Exclude(studies=("mistyped",)))
    study = Study("Which one?", "acr", ("one",), ("a",), recruiting=terms)
    with pytest.raises(StudyError, match="no study 'mistyped' whose participants could be left out"):
        make_study(listening.store, tmp_path, study, {}, [])
