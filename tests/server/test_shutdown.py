"""Stopping the app: an answer that was just sent is still confirmed."""

import contextlib
import socket
import sqlite3
from collections.abc import Iterator

import httpx
import pytest

from eval.listening.making.stimuli import render_stimuli
from eval.listening.session.open import open_listening
from eval.listening.study import Study
from tests.conftest import harmonic_tone, start_app
from tests.listening import Listener, any_answer
from tests.waiting import until
from vocoders.audio import Recording
from vocoders.catalogue import find_systems


@pytest.fixture
def study(tmp_path):
    listening = open_listening(tmp_path)
    asked = Study("Stopping", "acr", ("one",), ("griffin-lim",))
    recordings = {"one": Recording("one", harmonic_tone(1.5))}
    rendered = render_stimuli(asked, recordings, find_systems("griffin-lim"))
    public_id, _ = listening.store.add_study(asked, *rendered, {})
    listening.store.close()
    return public_id


@contextlib.contextmanager
def begun(request: httpx.Request) -> Iterator[socket.socket]:
    """The connection of a request that the app is at work on."""
    headers = {**request.headers, "Expect": "100-continue"}
    head = f"{request.method} {request.url.path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    with socket.create_connection((request.url.host, request.url.port)) as connection:
        connection.sendall(f"{head}\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100")  # what reads the content is waiting for it
        connection.sendall(request.content)
        yield connection


def accepts(url: str) -> bool:
    address = httpx.URL(url)
    try:
        socket.create_connection((address.host, address.port)).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_submit_is_finished_before_the_app_stops(tmp_path, study):
    process, url = start_app(tmp_path)
    with httpx.Client(base_url=url, timeout=30) as http:
        listener = Listener(http, study, any_answer)
        step = listener.run(until=lambda step: step["step"] == "trial")
        blocker = sqlite3.connect(tmp_path / "listening" / "listening.db", isolation_level=None)
        blocker.execute("BEGIN EXCLUSIVE")  # the answer cannot be written yet
        heard = {"heard": [[[0, step["need"]]]], "plays": [1], "switches": 0, "dwell_ms": 3000}
        content = {"token": listener.token, "nonce": step["nonce"], "answer": 4, **heard}
        with begun(http.build_request("POST", "/listening/answer", json=content)) as connection:
            process.terminate()
            until(lambda: not accepts(url), "the app takes no new connections")
            assert process.poll() is None, "it waits"
            blocker.rollback()
            assert connection.recv(100).startswith(b"HTTP/1.1 200 OK")
    assert process.wait(20) is not None
    listening = open_listening(tmp_path)
    assert [row["answer"] for row in listening.store.answers(study)] == [4]


def test_open_pages_end_at_once_and_are_no_error(tmp_path):
    process, url = start_app(tmp_path)
    with httpx.Client(base_url=url, timeout=30) as http, contextlib.ExitStack() as pages:
        paths = ("/gradio_api/heartbeat/one", "/rate/gradio_api/heartbeat/two")
        streams = [pages.enter_context(http.stream("GET", path)).iter_text() for path in paths]
        assert [next(stream) for stream in streams] == ["data: ALIVE\n\n"] * 2
        process.terminate()
        assert [list(stream) for stream in streams] == [[], []], "each ends as an answer should"
    assert process.wait(20) is not None
    log = (tmp_path / "log.txt").read_text()
    assert [line for line in log.splitlines() if '"level": "error"' in line or "Traceback" in line] == []
