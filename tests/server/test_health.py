"""The operator's questions to a running app: whether it is ready, its figures, its log."""

import json

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from eval.listening.analysis.alarm import Alarm
from eval.listening.session.open import open_listening
from eval.listening.study import Study
from server.health import health_routes
from tests.conftest import running_app
from tests.listening import store_silently


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    data = tmp_path_factory.mktemp("operated")
    with running_app(data, options=["--log-requests"]) as url:
        yield data, httpx.Client(base_url=url, timeout=30)


def test_ready_means_that_answers_can_be_stored(app):
    data, http = app
    assert http.get("/healthz").text == "ok"
    assert http.get("/readyz").json() == {"ready": True, "problems": []}
    (data / "listening").rename(data / "away")
    gone = http.get("/readyz")
    assert gone.status_code == 503
    assert "database" in gone.json()["problems"][0]
    assert http.get("/healthz").status_code == 200, "it lives"
    assert not (data / "listening").exists(), "no empty database in its place"
    (data / "away").rename(data / "listening")
    assert http.get("/readyz").status_code == 200


def test_a_link_that_lost_its_slash_still_leads_to_the_study(app):
    _, http = app
    response = http.get("/rate?study=abc", follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (307, "rate/?study=abc")
    assert http.get("/rate?study=abc", follow_redirects=True).status_code == 200


def test_metrics_are_for_this_machine_or_a_token(app):
    _, http = app
    http.get("/results/nothing-to-see-here-at-all/x")
    text = http.get("/metrics").text
    assert 'lab_requests_total{method="GET",route="/results",status="404"}' in text
    assert "lab_jobs 0.0" in text
    assert "nothing-to-see" not in text
    assert http.get("/metrics", headers={"X-Forwarded-For": "1.2.3.4"}).status_code == 403


@pytest.mark.parametrize(("sent", "status"), [("Bearer schlüssel", 200), ("Bearer schlussel", 403), ("é", 403)])
def test_a_token_for_metrics_may_hold_any_letter(tmp_path, monkeypatch, sent, status):
    monkeypatch.setenv("METRICS_TOKEN", "schlüssel")
    served = FastAPI()
    served.include_router(health_routes(tmp_path, open_listening(tmp_path), lambda: 0))
    assert TestClient(served).get("/metrics", headers={"Authorization": sent.encode()}).status_code == status


def test_alarms_that_wait_for_an_owner_are_counted(tmp_path, monkeypatch):
    monkeypatch.setenv("METRICS_TOKEN", "t")
    listening = open_listening(tmp_path)
    served = FastAPI()
    served.include_router(health_routes(tmp_path, listening, lambda: 0))
    client = TestClient(served, headers={"Authorization": "Bearer t"})
    public_id = store_silently(listening.store, Study("Which one?", "acr", ("one",), ("a",)))
    assert "lab_listening_alarms 0.0" in client.get("/metrics").text
    listening.store.add_alarm(listening.store.study(public_id), Alarm("gold", 5, 5, 0.2))
    assert "lab_listening_alarms 1.0" in client.get("/metrics").text
    (tmp_path / "listening").rename(tmp_path / "away")
    text = client.get("/metrics").text
    assert "lab_listening_alarms NaN" in text
    assert "lab_jobs 0.0" in text, "the others are still there"


def test_the_log_is_json_and_knows_no_person(app):
    data, http = app
    http.post("/listening/open", json={"study": "a-secret-study", "token": "a-secret-token"})
    lines = [line for line in (data / "log.txt").read_text().splitlines() if line.startswith("{")]
    found = [json.loads(line) for line in lines]
    assert any(entry.get("route") == "/listening/open" and entry["status"] == 404 for entry in found)
    text = "".join(lines)
    assert not any(word in text for word in ("a-secret", "127.0.0.1", "testclient"))
