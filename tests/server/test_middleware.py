"""The middleware around the app: closed routes, origins, sizes, rates, paths of files, headers, counts."""

import json
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.requests import ClientDisconnect

from eval.listening.recruiting.registry import PLATFORMS
from server.middleware.access_log import route_of
from server.middleware.rate_limit import RULES
from server.middleware.size_cap import MAX_REQUEST_BYTES, MAX_UPLOAD_FILES, MULTIPART_OVERHEAD_BYTES
from server.middleware.stack import protect
from server.prometheus import REQUESTS

MAX_FILE_BYTES = 1000
UPLOADS = Path("/data/uploads")


@pytest.fixture
def seen() -> list[bytes]:
    """Bodies that got through."""
    return []


@pytest.fixture
def client(seen) -> TestClient:
    return TestClient(protected(seen))


def protected(seen: list[bytes], per_minute: int = 0) -> FastAPI:
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def anything(path: str, request: Request) -> dict:
        seen.append(await request.body())
        return {"path": path}

    protect(app, max_file_bytes=MAX_FILE_BYTES, uploads=UPLOADS, requests_per_minute=per_minute)
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


def test_only_the_page_of_a_study_is_framed_by_its_platform_and_sends_it_a_form(seen):
    app = FastAPI()
    app.get("/{path:path}")(lambda path: {})
    protect(
        app,
        max_file_bytes=MAX_FILE_BYTES,
        uploads=UPLOADS,
        platform_of={"turk": PLATFORMS["mturk"], "prolific": PLATFORMS["prolific"]}.get,
    )
    client = TestClient(app)
    headers = client.get("/rate/?assignmentId=3X&study=turk").headers
    policy = headers["content-security-policy"]
    assert "form-action 'self' https://www.mturk.com https://workersandbox.mturk.com;" in policy
    assert policy.endswith(
        "frame-ancestors 'self' https://worker.mturk.com https://www.mturk.com https://workersandbox.mturk.com"
    )
    assert "x-frame-options" not in headers
    plain = client.get("/").headers
    for path in ("/?study=turk", "/rate/", "/rate/?study=prolific", "/rate/?study=other", "/rate/?study=x&study=turk"):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == plain["content-security-policy"], path
        assert headers["x-frame-options"] == "SAMEORIGIN"


def test_parts_of_the_page_are_always_asked_for(client):
    """Old and new modules must not mix after an upgrade."""
    assert client.get("/gradio_api/file=assets/player/player.js").headers["cache-control"] == "no-cache"
    assert "cache-control" not in client.get("/").headers


def test_a_space_may_be_framed_by_its_platform(monkeypatch, seen):
    monkeypatch.setenv("SPACE_ID", "somebody/lab")
    headers = TestClient(protected(seen)).get("/").headers
    assert "frame-ancestors 'self' https://huggingface.co" in headers["content-security-policy"]
    assert "x-frame-options" not in headers


@pytest.mark.parametrize(
    ("path", "cap"),
    [
        ("/listening/answer", MAX_REQUEST_BYTES),
        ("/gradio_api/upload", MAX_FILE_BYTES * MAX_UPLOAD_FILES + MULTIPART_OVERHEAD_BYTES),
    ],
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
    client = TestClient(protected(seen), root_path="/lab")
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


def test_json_that_is_too_large_is_refused_though_it_announces_no_length(client, seen):
    stream = (b"x" * 50_000 for _ in range(MAX_REQUEST_BYTES // 50_000 + 1))
    assert client.post("/gradio_api/queue/join", content=stream).status_code == 413
    assert seen == []


def test_whoever_asks_too_often_waits(seen):
    client = TestClient(protected(seen, per_minute=8))
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
    protect(app, max_file_bytes=MAX_FILE_BYTES, uploads=UPLOADS, is_full=lambda: True)
    refused = TestClient(app).post("/gradio_api/upload", content=b"x")
    assert (refused.status_code, refused.json()["detail"][:17]) == (503, "The server's disk")
    assert TestClient(app).post("/listening/answer").status_code == 404, "answers still pass"


def test_routes_are_few_whatever_is_asked():
    found = {
        route_of(f"/{kind}/{n}")
        for n in range(50)
        for kind in ("results", "x", "rate/y", "gradio_api/z", "listening/q")
    }
    assert len(found) == 4
    assert route_of("/gradio_api/file=assets/page.css") == "/gradio_api/file"


def test_a_refusal_is_counted(seen):
    app = protected(seen)
    counter = REQUESTS.labels("other", "GET", 404)
    before = counter._value.get()
    TestClient(app).get("/monitoring")
    assert counter._value.get() == before + 1
