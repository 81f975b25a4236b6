"""The layer around the app: sizes, origins, rates, closed doors, headers; and what operators ask."""

import json
import logging
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.requests import ClientDisconnect

from server.guard import MANY, MULTIPART, RULES, SMALL, Guard
from server.health import Observed, operations, route_of
from server.log import JsonLines
from server.sweep import OLDEST, sweep
from tests.conftest import running_app

LARGEST = 1000  # bytes of a file here
UPLOADS = Path("/data/uploads")


@pytest.fixture
def seen() -> list[bytes]:
    """Bodies that got through."""
    return []


@pytest.fixture
def client(seen) -> TestClient:
    return TestClient(guarded(seen))


def guarded(seen: list[bytes], per_minute: int = 0) -> FastAPI:
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def anything(path: str, request: Request) -> dict:
        seen.append(await request.body())
        return {"path": path}

    app.add_middleware(Guard, largest_file=LARGEST, uploads=UPLOADS, per_minute=per_minute)
    return app


def test_every_answer_has_the_headers_also_a_refusal(client):
    for path, status in (("/", 200), ("/monitoring", 404)):
        response = client.get(path)
        assert response.status_code == status
        policy = response.headers["content-security-policy"]
        assert "object-src 'none'" in policy
        assert "http" not in policy, "nothing from elsewhere"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "SAMEORIGIN"


def test_parts_of_the_page_are_always_asked_for(client):
    """Old and new modules must not mix after an upgrade."""
    assert client.get("/gradio_api/file=assets/player/player.js").headers["cache-control"] == "no-cache"
    assert "cache-control" not in client.get("/").headers


def test_a_space_may_be_framed_by_its_platform(monkeypatch, seen):
    monkeypatch.setenv("SPACE_ID", "somebody/lab")
    headers = TestClient(guarded(seen)).get("/").headers
    assert "frame-ancestors 'self' https://huggingface.co" in headers["content-security-policy"]
    assert "x-frame-options" not in headers


@pytest.mark.parametrize(
    ("path", "cap"), [("/listening/answer", SMALL), ("/gradio_api/upload", LARGEST * MANY + MULTIPART)]
)
@pytest.mark.parametrize("announced", [True, False], ids=["announced", "streamed"])
def test_a_request_that_is_too_large_never_arrives(client, seen, path, cap, announced):
    def stream(size):
        for _ in range(0, size, 50_000):
            yield b"x" * min(50_000, size)

    small, large = 10_000, cap + 200_000
    body = b"x" * small if announced else stream(small)
    assert client.post(path, content=body).status_code == 200
    seen.clear()
    if announced:
        assert client.post(path, content=b"x" * large).status_code == 413
    else:
        with pytest.raises(ClientDisconnect):  # cut off in the middle: to the app, a client that went away
            client.post(path, content=stream(large))
    assert seen == []


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://testserver", 200),
        ("http://elsewhere", 403),
        ("null", 403),
        ("http://testserver.evil", 403),
    ],
)
def test_other_sites_cannot_post(client, origin, status):
    headers = {"Origin": origin} if origin else {}
    assert client.post("/listening/answer", headers=headers).status_code == status
    assert client.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/proxy=http://x",
        "/gradio_api/file=http://x",
        "/rate/gradio_api/file=https://x",
        "/rate/gradio_api/upload",
        "/rate/gradio_api/queue/join",
        "/monitoring/summary",
        "/gradio_api/vibe-edit",
        "/gradio_api/run-history/records",
        "/login",
        "/gradio_api/component_server",
        "/user",
    ],
)
def test_what_is_not_needed_is_closed(client, seen, path):
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404
    assert seen == []


def test_doors_stay_closed_below_a_prefix(seen):
    client = TestClient(guarded(seen), root_path="/lab")
    assert client.get("/lab/monitoring").status_code == 404
    assert client.get("/lab/healthz").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "http://10.0.0.1/x",
        " HTTPS://x",
        "file:///etc/passwd",
        "ftp://x",
        "/etc/passwd",
        "app.py",
        "a\x00b",
        "x" * 5000,
        f"{UPLOADS}/../secret",
        f"{UPLOADS}-not/song.wav",
    ],
)
def test_a_file_that_is_no_upload_is_neither_read_nor_fetched(client, seen, path):
    body = {"data": [["deep", {"file": {"path": path, "meta": {"_type": "gradio.FileData"}}}]]}
    for route in ("/gradio_api/call/compare", "/gradio_api/queue/join"):
        assert client.post(route, json=body).status_code == 400
    assert seen == []
    body["data"][0][1]["file"]["path"] = f"{UPLOADS}/ab/song.wav"
    assert client.post("/gradio_api/queue/join", json=body).status_code == 200
    assert json.loads(seen[0]) == body, "the body arrives as it was sent"


@pytest.mark.parametrize("body", [b"{", b"\xff", b"a=b", b"[" * 100_000])
def test_what_cannot_be_looked_at_does_not_arrive(client, seen, body):
    assert client.post("/gradio_api/queue/join", content=body).status_code == 400
    assert seen == []


def test_whoever_asks_too_often_waits(seen):
    client = TestClient(guarded(seen, per_minute=8))
    answers = [client.post("/gradio_api/queue/join").status_code for _ in range(10)]
    assert answers == [200] * 8 + [429] * 2
    refused = client.post("/gradio_api/queue/join")
    assert refused.headers["retry-after"] == "60"
    assert refused.json()["detail"] == "That was too much at once; try again in a minute."
    assert client.post("/listening/answer").status_code == 200, "an answer is never refused for its number"
    assert client.get("/gradio_api/queue/join").status_code == 200
    assert {rule.share for rule in RULES} <= {0.25, 0.5, 1.0, 2.0}


def test_a_full_disk_takes_no_uploads(seen):
    app = FastAPI()
    app.add_middleware(Guard, largest_file=LARGEST, uploads=UPLOADS, is_full=lambda: True)
    refused = TestClient(app).post("/gradio_api/upload", content=b"x")
    assert (refused.status_code, refused.json()["detail"][:17]) == (503, "The server's disk")
    assert TestClient(app).post("/listening/answer").status_code == 404, "answers still pass"


def test_the_oldest_uploads_go_first(tmp_path):
    import os

    (tmp_path / "clock").touch()
    now = (tmp_path / "clock").stat().st_mtime
    (tmp_path / "clock").unlink()
    for age, name in enumerate(("new", "middle", "old")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "song.wav").write_bytes(b"x" * 100)
        os.utime(tmp_path / name / "song.wav", (now - age, now - age))
    assert sweep(tmp_path, 250) == 1
    assert sorted(path.parent.name for path in tmp_path.rglob("*.wav")) == ["middle", "new"]
    assert sweep(tmp_path, 250) == 0
    os.utime(tmp_path / "new" / "song.wav", (now - OLDEST - 1,) * 2)
    assert sweep(tmp_path, 250) == 1
    assert [path.parent.name for path in tmp_path.rglob("*.wav")] == ["middle"]


# ---- what operators ask


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
    served.include_router(operations(tmp_path, None, lambda: 0))
    assert TestClient(served).get("/metrics", headers={"Authorization": sent.encode()}).status_code == status


def test_the_log_is_json_and_knows_no_person(app):
    data, http = app
    http.post("/listening/open", json={"study": "a-secret-study", "token": "a-secret-token"})
    lines = [line for line in (data / "log.txt").read_text().splitlines() if line.startswith("{")]
    found = [json.loads(line) for line in lines]
    assert any(entry.get("route") == "/listening/open" and entry["status"] == 404 for entry in found)
    text = "".join(lines)
    assert not any(word in text for word in ("a-secret", "127.0.0.1", "testclient"))


def test_routes_are_few_whatever_is_asked():
    found = {
        route_of(f"/{kind}/{n}")
        for n in range(50)
        for kind in ("results", "x", "rate/y", "gradio_api/z", "listening/q")
    }
    assert len(found) == 4
    assert route_of("/gradio_api/file=assets/page.css") == "/gradio_api/file"


def test_an_exception_is_one_line():
    try:
        raise ValueError("two\nlines")
    except ValueError:
        import sys

        record = logging.LogRecord("x", logging.ERROR, "", 0, "it %s", ("broke",), sys.exc_info())
    line = JsonLines().format(record)
    assert "\n" not in line
    assert json.loads(line)["message"] == "it broke"


def test_what_the_guard_refuses_is_counted(seen):
    app = guarded(seen)
    app.add_middleware(Observed)
    from server.prometheus import REQUESTS

    counter = REQUESTS.labels("other", "GET", 404)
    before = counter._value.get()
    TestClient(app).get("/monitoring")
    assert counter._value.get() == before + 1
