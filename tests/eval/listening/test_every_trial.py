"""The owner's preview: every trial as a listener sees it, and nothing stored."""

from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from eval.listening.session.every_trial import every_trial
from eval.listening.session.open import every_trial_of
from eval.listening.session.service import Listening
from eval.listening.storage import tables
from tests.eval.listening.test_results import filled
from tests.listening import Listener, any_answer
from ui.listening.rate_routes import rate_routes


@pytest.fixture(params=["acr", "mushra", "ab", "abx", "dcr", "ccr", "sabx", "bws"])
def previewed(tmp_path, request):
    store, public_id = filled(tmp_path, request.param, raters=1, trials=3, repeats=0)
    listening = Listening(store, "secret")
    preview = every_trial_of(listening)
    app = FastAPI()
    app.include_router(rate_routes(listening, preview))
    return SimpleNamespace(store=store, public_id=public_id, link=preview.link(public_id), http=TestClient(app))


def rows(store) -> dict[str, int]:
    with store.snapshot() as connection:
        count = sa.select(sa.func.count())
        return {name: connection.scalar(count.select_from(t)) for name, t in tables.metadata.tables.items()}


def test_every_trial_is_shown_and_nothing_is_stored(previewed):
    before = rows(previewed.store)
    previewed.store.set_closed(previewed.public_id, True)  # an owner looks whether or not others may
    before["event"] += 1
    listener = Listener(previewed.http, previewed.link, any_answer)
    assert listener.run()["code"] == "PREVIEW"
    study = previewed.store.study(previewed.public_id).study
    plan = every_trial(study)
    assert len(listener.trials) == len(plan)
    asked = {(trial.item, frozenset(trial.shown)) for trial in plan if trial.counted}
    assert asked == {(item, frozenset(unit)) for item in study.items for unit in study.clip_units}
    assert {trial.kind for trial in plan} == {"training", "trial", "gold", "trap"}
    assert all(sound.status_code == 200 for step in listener.trials for sound in step["sounds"])
    assert rows(previewed.store) == before


def test_a_reload_begins_again_and_a_link_opens_nothing_else(previewed):
    listener = Listener(previewed.http, previewed.link, any_answer)
    step = listener.run(until=lambda step: step["step"] == "trial")
    assert step["need"] == 0
    assert listener.post("open", study=previewed.link, token=listener.token).json()["step"] == "volume"
    assert listener.post("open", study=previewed.public_id, token=listener.token).json()["step"] == "welcome"
    forged = f"J{previewed.link[1:]}"
    assert listener.post("open", study=forged, token=None).status_code == 404
    refused = listener.post("answer", token=listener.token, nonce="x" * 20, answer=any_answer(step))
    assert refused.json()["error"] == "stale"
