"""The owner's preview: every trial as a listener sees it, and nothing stored."""

from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from eval.listening.recruiting.terms import Quotas, Recruiting
from eval.listening.session.every_trial import EveryTrial
from eval.listening.session.preview import Preview
from eval.listening.session.rehearsal import Rehearsal
from eval.listening.session.service import Listening
from eval.listening.storage import tables
from eval.listening.study import Question, Study
from tests.eval.listening.test_results import filled
from tests.listening import Listener, any_answer, store_silently
from ui.listening.rate_routes import rate_routes

TIRED = Question("tired", "How tired are your ears?", ("not at all", "very"))
DEVICE = Question("device", "With what?", ("headphones", "loudspeakers"))


@pytest.fixture(params=["acr", "mushra", "ab", "abx", "dcr", "ccr", "sabx", "bws"])
def previewed(tmp_path, request):
    store, public_id = filled(tmp_path, request.param, raters=1, trials=3, repeats=0)
    listening = Listening(store, "secret")
    app = FastAPI()
    app.include_router(rate_routes(listening))
    return SimpleNamespace(store=store, listening=listening, public_id=public_id, http=TestClient(app))


def owner(http, listening, public_id: str, kind: type[Rehearsal] = EveryTrial, **more) -> Listener:
    link = Preview(listening).link(public_id, kind)
    address = dict(part.split("=", 1) for part in link.partition("?")[2].split("&"))
    return Listener(http, public_id, any_answer, address=address, **more)


def rows(store) -> dict[str, int]:
    with store.snapshot() as connection:
        count = sa.select(sa.func.count())
        return {name: connection.scalar(count.select_from(t)) for name, t in tables.metadata.tables.items()}


def test_every_trial_is_shown_and_nothing_is_stored(previewed):
    before = rows(previewed.store)
    previewed.store.set_closed(previewed.public_id, True)  # an owner looks whether or not others may
    before["event"] += 1
    listener = owner(previewed.http, previewed.listening, previewed.public_id)
    announced = listener.open()["study"]["trials"]
    assert listener.run()["code"] == "PREVIEW"
    study = previewed.store.study(previewed.public_id).study
    plan = EveryTrial.plan(study)
    assert len(listener.trials) == len(plan)
    assert announced == sum(trial.kind != "training" for trial in plan)
    asked = {(trial.item, frozenset(trial.shown)) for trial in plan if trial.counted}
    assert asked == {(item, frozenset(unit)) for item in study.items for unit in study.clip_units}
    assert {trial.kind for trial in plan} == {"training", "trial", "gold", "trap"}
    assert all(step["need"] == 0 for step in listener.trials)
    assert all(sound.status_code == 200 for step in listener.trials for sound in step["sounds"])
    assert rows(previewed.store) == before


@pytest.mark.parametrize("kind", [Rehearsal, EveryTrial])
def test_both_kinds_ask_what_listeners_are_asked(http, listening, kind):
    """Between trials, before them, and at the end."""
    study = Study(
        "Which one?", "acr", ("one", "two"), ("a", "b"), questions=(DEVICE, Question("remarks", "Anything else?")),
        between=(TIRED,), between_every=2,
        recruiting=Recruiting("prolific", "DONE", quotas=Quotas(9, {"device": {"headphones": 9}})),
    )  # fmt: skip
    listener = owner(http, listening, store_silently(listening.store, study), kind, says={"device": "headphones"})
    listener.run()
    questions = [[question["id"] for question in step["questions"]] for step in questionnaires(listener)]
    times = (study.length - 1) // 2  # the last one would come at the end, where nobody is asked
    assert questions == [["device"], *[["tired"]] * times, ["remarks"]]


def questionnaires(listener: Listener) -> list[dict]:
    found = [answer.json() for answer in listener.responses if "json" in answer.headers["content-type"]]
    return [step for step in found if step["step"] == "questionnaire"]


def test_every_trial_is_shown_whoever_would_be_turned_away(http, listening):
    recruiting = Recruiting("prolific", "DONE", quotas=Quotas(1, {"device": {"headphones": 0}}), headphones=True)
    study = Study("Which one?", "acr", ("one",), ("a",), questions=(DEVICE,), recruiting=recruiting)
    public_id = store_silently(listening.store, study)
    ends = {}
    for kind in (Rehearsal, EveryTrial):
        listener = owner(http, listening, public_id, kind, says={"device": "headphones"})
        ends[kind] = listener.run(until=lambda step: step["step"] in ("done", "quota_full"))["step"]
    assert ends == {Rehearsal: "quota_full", EveryTrial: "done"}


def test_a_reload_goes_on_and_what_has_ended_begins_again(http, listening):
    public_id = store_silently(listening.store, Study("Which one?", "acr", ("one", "two"), ("a",)))
    for kind in (Rehearsal, EveryTrial):
        listener = owner(http, listening, public_id, kind)
        step = listener.run(until=lambda step: step["step"] == "trial")
        assert listener.open()["nonce"] == step["nonce"]
        other = owner(http, listening, public_id, next(one for one in (Rehearsal, EveryTrial) if one is not kind))
        other.token = listener.token
        assert other.open()["step"] == "welcome", "the other kind has sessions of its own"
        assert listener.run()["step"] == "done"
        assert listener.open()["step"] == "welcome"
