"""What a study may add to its sessions: questions and comments between trials, and how the page plays. Off by default."""

import csv
import json

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from eval.listening.analysis.export import export_study
from eval.listening.session.service import Listening
from eval.listening.storage.records import Stimulus
from eval.listening.storage.store import Store
from eval.listening.study import LATER, Question, Study, StudyError, study_from
from tests.listening import Listener, any_answer
from ui.listening.rate_routes import rate_routes

WAV = "0" * 64
ITEMS = ("one", "two", "three")
EXTRA = ("reference", "degraded", *(f"beeps-{n}" for n in range(1, 6)))


@pytest.fixture
def rated(tmp_path):
    """Runs one listener through a study; returns the store, its id and the listener."""
    stores = []

    def run(**options):
        store = Store(f"sqlite:///{tmp_path / f'{len(stores)}.db'}")
        stores.append(store)
        study = Study("x", "acr", ITEMS, ("a",), repeats=0, golds=0, traps=0, **options)
        stimuli = [Stimulus(item, name, WAV, 2.0, {}, {}) for item in ITEMS for name in ("a", *EXTRA)]
        public_id, _ = store.add_study(study, stimuli, {WAV: b""}, {})
        app = FastAPI()
        app.include_router(rate_routes(Listening(store, "secret")))
        listener = Commenting(TestClient(app), public_id, any_answer, fetch=False)
        assert listener.run()["step"] == "done"
        return store, public_id, listener

    yield run
    for store in stores:
        store.close()


class Commenting(Listener):
    """Says something about each trial, and notes the questions that come in between."""

    def post(self, path: str, **content):
        extra = {"comment": f" hm {len(self.trials)} "} if path == "answer" else {}
        return super().post(path, **content, **extra)

    def go_on(self, step: dict) -> dict:
        if step["step"] == "questionnaire":
            self.asked = [*getattr(self, "asked", []), (len(self.trials), step.get("between", False))]
        return super().go_on(step)


def events(store: Store, public_id: str) -> dict:
    return store.raters(public_id)[0]["events"]


def test_comments_are_stored_and_exported(rated, tmp_path):
    store, public_id, listener = rated(comments=True)
    assert all(step["comments"] is True for step in listener.trials)
    assert events(store, public_id)["comment 2"] == {"text": "hm 3"}
    export_study(store, public_id, tmp_path / "out")
    lines = list(csv.DictReader((tmp_path / "out" / "answers.csv").open(encoding="utf-8")))
    assert [line["comment"] for line in lines] == [f"hm {n + 1}" for n in range(len(listener.trials))]
    scores = list(csv.DictReader((tmp_path / "out" / "webmushra.csv").open(encoding="utf-8")))
    assert scores[0]["rating_comment"] == "hm 3", "the first two trials are practice"


def test_without_the_option_nothing_is_kept_or_shown(rated):
    store, public_id, listener = rated()
    assert not [kind for kind in events(store, public_id) if kind.startswith(("comment", "between"))]
    assert not {"comments", "restart_on_switch", "lock_sliders"} & set().union(*listener.trials)
    assert not hasattr(listener, "asked")


def test_questions_come_after_every_so_many_trials_and_once_each(rated):
    between, last = (Question("tired", "Tired?"),), (Question("device", "What with?"),)
    store, public_id, listener = rated(between=between, between_every=2, questions=last)
    training = 2
    assert listener.asked == [(training + 2, True), (training + 4, True), (training + 6, False)]
    found = events(store, public_id)
    assert found["between 1"] == found["between 2"] == {"tired": "yes"}
    assert found["questionnaire"] == {"device": "yes"}
    assert "between 3" not in found, "nothing is asked twice at the end"
    again = listener.post("questionnaire", token=listener.token, answers={"device": "other"}).json()
    assert again["step"] == "done"
    assert events(store, public_id)["questionnaire"] == {"device": "yes"}


def test_an_answer_sent_twice_between_trials_is_no_answer_to_the_last_questions(rated):
    store, public_id, listener = rated(between=(Question("tired", "Tired?"),), between_every=2)
    other = Listener(listener.http, public_id, any_answer, fetch=False)
    step = other.run(until=lambda step: step["step"] == "questionnaire")
    other.go_on(step)
    step = other.go_on(step)
    assert step["step"] == "trial"
    raters = {rater["rater"]: rater["events"] for rater in store.raters(public_id)}
    assert not any("questionnaire" in found for found in raters.values())


def test_how_the_page_plays_is_told_with_each_trial(rated):
    _, _, listener = rated(restart_on_switch=True, lock_sliders=True)
    assert all(step["restart_on_switch"] and step["lock_sliders"] for step in listener.trials)


def test_options_that_are_off_leave_the_hash_of_a_study_as_it_was():
    study = Study("x", "acr", ITEMS, ("a",))
    assert not set(LATER) & set(json.loads(study.as_json()))
    fields = {"name": "x", "mode": "acr", "items": list(ITEMS), "systems": ["a"]}
    between = [{"id": "tired", "text": "Tired?", "choices": ["yes", "no"]}]
    other = study_from(fields | {"comments": True, "between": between, "between_every": 3})
    assert other.between == (Question("tired", "Tired?", ("yes", "no")),)
    assert study_from(json.loads(other.as_json())) == other
    for change in ({"between": between}, {"between_every": 2}, {"between": between, "between_every": 0}):
        with pytest.raises(StudyError, match=r"between_every: . is not possible"):
            study_from(fields | change)
    with pytest.raises(StudyError, match="comments: 1 is neither true nor false"):
        study_from(fields | {"comments": 1})
