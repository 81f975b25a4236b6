"""Requests as an attacker, a bad proxy or a broken browser sends them, against the running app: no answer says 5xx unless it
means it, none shows how the server is made, and it is alive afterwards.

python -m pytest tests/robustness/test_endpoints.py --proof -s
"""

import collections
import json
import math
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.paths import ROOT
from tests.listening import Listener, any_answer
from tests.robustness.requests_by_hand import ask, send_bytes
from tests.robustness.studied_app import StudiedApp, studied_app

ENDPOINTS = ("open", "join", "next", "answer", "questionnaire", "mine", "privacy", "forget")
STATUSES = {200, 403, 404, 405, 409, 413, 415, 422}
METHODS = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "",
    "G T",
    "\u0000",
)
TYPES = (
    "application/json",
    "text/plain",
    "multipart/form-data; boundary=",
    "multipart/form-data",
    "x" * 5000,
    "\xff/\xfe",
    "",
)
GIVEAWAYS = ("Traceback", 'File "', "site-packages", "sqlalchemy", f"{ROOT}/", "SELECT ")


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> Iterator[StudiedApp]:
    with studied_app(tmp_path_factory.mktemp("endpoints")) as app:
        yield app


@pytest.fixture(scope="module")
def step(app) -> tuple[str, str]:
    """(token, nonce) of a listener in front of a trial: what makes a request plausible."""
    with app.client() as http:
        listener = Listener(http, app.study, any_answer)
        step = listener.run(until=lambda step: step["step"] == "trial")
        return listener.token, step["nonce"]


def check(app: StudiedApp, status: int | None, body: bytes, request: object) -> None:
    text = body.decode("utf-8", "replace")
    assert status is None or status < 500, (status, request, text[:500])
    assert not [word for word in GIVEAWAYS if word in text], (status, request, text[:500])


def odd_json() -> st.SearchStrategy:
    """Bodies for a parser of JSON, also some that JSON does not allow."""
    text = st.text(st.characters(exclude_categories=()), max_size=20)
    plain = st.none() | st.booleans() | st.integers() | st.floats() | text | st.sampled_from(
        ["\0", "\ud800", "x" * 100_000, 10**400, -(10**4000), math.nan, math.inf, "' OR 1=1 --", "../../etc/passwd", "en"]
    )  # fmt: skip
    return st.recursive(
        plain,
        lambda inner: st.lists(inner, max_size=6) | st.dictionaries(text, inner, max_size=6),
        max_leaves=15,
    )


def bodies(study: str, token: str, nonce: str) -> st.SearchStrategy[bytes]:
    """Near enough to a right request to get far, with odd values at any place."""
    right = {
        "study": study, "token": token, "nonce": nonce, "done": "headphones", "language": "en", "answer": 3, "device": {"width": 1},
        "heard": [[[0, 9]]], "plays": [1], "switches": 1, "dwell_ms": 10, "answers": [0, 1, 2, 0, 1, 2], "skipped": False,
        "address": {"PROLIFIC_PID": "5f1"},
    }  # fmt: skip
    near = {
        "token": st.sampled_from([token, token[:-1], f"{token}x", "", "\0", "e30.x", "." * 399]),
        "nonce": st.sampled_from([nonce, "", nonce[::-1]]),
        "heard": st.lists(st.lists(st.lists(st.floats() | st.integers(), max_size=3), max_size=9), max_size=30)
        | odd_json(),
        "answer": st.integers(-2, 10) | odd_json(),
        "answers": st.lists(st.integers(), max_size=9) | odd_json(),
        "address": st.dictionaries(st.sampled_from(["preview", "study", "workerId"]), odd_json()) | odd_json(),
        "done": st.sampled_from(["volume", "headphones", "instructions", "questionnaire", ""]) | odd_json(),
    }
    value = {name: near.get(name, odd_json()) for name in right}
    changes = st.sets(st.sampled_from(sorted(right)), max_size=3).flatmap(
        lambda names: st.fixed_dictionaries({name: value[name] for name in names})
    )
    deep = st.sampled_from(
        [b"[" * 50_000, b'{"a":' * 10_000, b'{"study": ' + b"[" * 900, b'{"token":"a","answers":' * 800]
    )
    whole = changes.map(lambda changed: written(right | changed))
    return (
        deep
        | whole
        | odd_json().map(written)
        | st.binary(max_size=200)
        | st.builds(damaged, whole, st.integers(0, 2000), st.binary(max_size=9))
    )


def written(value: object) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


def damaged(body: bytes, at: int, noise: bytes) -> bytes:
    return body[: at % len(body)] + noise + body[at % len(body) + len(noise) // 2 :]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_listening_endpoint_refuses_in_its_own_words(app, step, scale, endpoint):
    seen: collections.Counter[int] = collections.Counter()
    # The rater who may be deleted must not be the listener that the other endpoints are asked about
    token, nonce = ("e30.x", "-") if endpoint == "forget" else step
    with app.client() as http:

        @settings(
            max_examples=scale(60, 4_000),
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(body=bodies(app.study, token, nonce))
        def attack(body: bytes) -> None:
            response = http.post(f"/listening/{endpoint}", content=body)
            seen[response.status_code] += 1
            check(app, response.status_code, response.content, body[:300])
            assert response.status_code in STATUSES
            content = response.json()
            assert ("error" in content) == (response.status_code != 200)

        attack()
        assert http.get("/healthz").text == "ok"
    refused = sum(seen.values()) - seen[200]
    print(
        f"\nPOST /listening/{endpoint}: {sum(seen.values()):,} cases, {refused:,} refused, 0 crashed; {dict(sorted(seen.items()))}"
    )
    assert refused > 0


PATHS = (
    "/", "/healthz", "/config", "/rate/", "/rate/config", "/gradio_api/info", "/results/x/y", "/results/" + "a" * 24 + "/reference.wav",
    "/listening/open", "/listening/stim/x", "/study/x", "/study/%00", "/c/x", "/listening/stim/" + "a" * 5_000, "/listening", "/nothing", "/%00", "/%ff%fe", "/%", "/%zz",
    "//", "/../", "/.git/config", "/?a=%00", "/?" + "a=1&" * 3_000, "/favicon.ico", "/robots.txt", "/theme.css", "/" + "x/" * 2_000,
)  # fmt: skip


def test_odd_methods_types_and_paths(app, scale):
    seen: collections.Counter[int | None] = collections.Counter()
    paths = PATHS[:: scale(2, 1)]
    for number, path in enumerate(paths):
        for method in METHODS:
            for kind in TYPES if scale(0, 1) else TYPES[number % len(TYPES) :: len(TYPES)]:
                body = b"" if method in ("GET", "HEAD") else b'{"data": [1], "a": "\xff\xfe\x00"}'
                request = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                status, answer = send_bytes(app.url, request.encode("latin-1") + body)
                seen[status] += 1
                check(app, status, answer[:10_000] if status and status >= 400 else b"", request[:300])
    assert ask(app.url, "/healthz") == (200, b"ok")
    refused = sum(count for status, count in seen.items() if status is None or status >= 400)
    print(f"\nodd requests: {sum(seen.values()):,} cases, {refused:,} refused, 0 crashed; {dict(seen)}")


HEADS = {
    "no request at all": b"\r\n\r\n",
    "binary": bytes(range(256)) * 20,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9.9": b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
    "a header of a megabyte": b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 10**6 + b"\r\n\r\n",
    "thousands of headers": b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 20_000 + b"\r\n",
    "a path of a megabyte": b"GET /" + b"a" * 10**6 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "bytes in a header": b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\nCookie: \xff=\x80\r\nUser-Agent: \x01\r\n\r\n",
    "a zero in a header": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: evil\r\n\r\n",
    "an evil host": b"GET / HTTP/1.1\r\nHost: evil/<script>\r\nConnection: close\r\n\r\n",
    "an evil proxy": b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Host: evil\"><script>\r\nX-Forwarded-Proto: javascript\r\nConnection: close\r\n\r\n",
    "a negative length": b"POST /listening/open HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n{}",
    "two lengths": b"POST /listening/open HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n{}",
    "length and chunks": b"POST /listening/open HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
    "a chunk without end": b"POST /listening/open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nx",
    "a body cut off": b"POST /listening/open HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{",
    "a body without end": b"POST /listening/open HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n" + b"[" * 300_000,
    "a websocket": b"GET /gradio_api/queue/data HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n",
    "a range without end": b"GET /favicon.ico HTTP/1.1\r\nHost: a\r\nRange: bytes=" + b"0-," * 5_000 + b"\r\nConnection: close\r\n\r\n",
    "bad cookies": b"GET / HTTP/1.1\r\nHost: a\r\nCookie: " + b";=;a;b=\"" * 500 + b"\r\nConnection: close\r\n\r\n",
    "a bad language": b"GET /rate/ HTTP/1.1\r\nHost: a\r\nAccept-Language: " + b"zh;q=x," * 900 + b"\r\nConnection: close\r\n\r\n",
}  # fmt: skip


def test_what_is_no_request(app):
    refused = 0
    with ThreadPoolExecutor(len(HEADS)) as pool:  # half of them wait for a server that waits for more
        answers = dict(zip(HEADS, pool.map(lambda request: send_bytes(app.url, request), HEADS.values())))
    for name, (status, answer) in answers.items():
        refused += status is None or status >= 400
        check(app, status, answer if status and status >= 400 else b"", name)
        assert not re.search(rb"evil\S{0,9}<script>", answer), f"{name} came back in the answer"
    assert ask(app.url, "/healthz") == (200, b"ok")
    print(f"\nno requests: {len(HEADS)} cases, {refused} refused, 0 crashed")
