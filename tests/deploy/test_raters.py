"""The simulated raters of the proof: connections that are kept, cut and closed, and what is fetched when."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest

from deploy.endurance.connections import Away, Connections
from deploy.endurance.programs import family_seconds
from deploy.endurance.raters import Measured, Rater, _Calls, rate
from deploy.endurance.studies import Asked
from tests.coroutines import finished


class Server:
    """`answer(method, path, content) -> (status, body)`, or None where the connection is to be cut in the middle of an answer."""

    def __init__(self, answer):
        self.answer, self.connections, self.paths = answer, [], []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def _serve(self, reader, writer):
        self.connections.append(writer)
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:  # the client has closed it
                return
            first, *lines = head.decode().split("\r\n")
            fields = dict(line.split(": ", 1) for line in lines if line)
            method, path, _ = first.split()
            content = json.loads(await reader.readexactly(int(fields.get("Content-Length", 0))) or "null")
            self.paths.append(path)
            answer = self.answer(method, path, content)
            found = await answer if asyncio.iscoroutine(answer) else answer
            if found is None:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
                writer.close()
                return
            status, body = found
            writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


def test_a_connection_is_kept_and_one_that_was_closed_or_cut_is_replaced():
    async def run():
        answers = {"/whole": (200, b"x" * 200_000), "/refused": (409, b"no"), "/cut": None}
        async with Server(lambda method, path, content: answers[path]) as server:
            connections = Connections(server.url, {"X-Forwarded-For": "10.0.0.1"}, 30)
            assert await connections.request("GET", "/whole") == answers["/whole"]
            assert await connections.request("POST", "/refused", {"a": 1}) == answers["/refused"]
            assert len(server.connections) == 1
            with pytest.raises(Away):
                await connections.request("GET", "/cut")
            assert await connections.request("GET", "/whole") == answers["/whole"]
            assert len(server.connections) == 2
            server.connections[1].close()
            assert await connections._idle[0][0].read() == b"", "its end has arrived"
            assert await connections.request("GET", "/whole") == answers["/whole"]
            assert len(server.connections) == 3
            connections.close()
        with pytest.raises(Away):
            await connections.request("GET", "/whole")

    finished(run())


def test_a_server_that_says_nothing_is_away():
    async def run():
        async with Server(lambda method, path, content: asyncio.Event().wait()) as server:
            with pytest.raises(Away):
                await Connections(server.url, {}, 0.01).request("GET", "/")

    finished(run())


def test_a_request_counts_from_when_it_was_due_and_over_all_its_tries(monkeypatch):
    monkeypatch.setattr("deploy.endurance.raters.RETRY_SECONDS", (0,))
    answers = iter([(502, b"the process was killed"), None, (200, b"{}")])

    async def run(measured):
        async with Server(lambda method, path, content: next(answers)) as server:
            call = _Calls(Connections(server.url, {}, 30), measured)
            await call.pause(-7.0)  # it was due then
            await call("answer", nonce="1")

    measured = Measured()
    finished(run(measured))
    assert (measured.tries, measured.again) == (3, 2)
    (seconds,) = measured.latencies["answer"]
    assert seconds >= 7.0


def test_the_sounds_of_a_trial_are_asked_for_at_once_and_before_its_answer():
    slots = [{"role": "take", "url": f"listening/stim/{n}"} for n in range(3)]
    trial = {"step": "trial", "mode": "acr", "nonce": "a nonce", "slots": slots, "need": 1.0}
    steps = {
        "/listening/open": {"step": "welcome"},
        "/listening/join": {"step": "volume", "token": "t", "url": "listening/stim/volume"},
        "/listening/next": trial,
        "/listening/answer": {"step": "done"},
    }

    async def run(rater, measured):
        together = asyncio.Event()

        async def answer(method, path, content):
            if method == "POST":
                return 200, json.dumps(steps[path]).encode()
            if len([p for p in server.paths if p[-1].isdigit()]) == len(slots):
                together.set()
            if path != "/listening/stim/volume":
                await together.wait()  # no sound before all are asked for
            return 200, b"RIFF"

        async with Server(answer) as server:
            await rate(server.url, [rater], 0.0001, measured)
        return server.paths

    rater, measured = Rater(Asked("study", "acr", 1), 0), Measured()
    paths = finished(run(rater, measured))
    sounds = {f"/{slot['url']}" for slot in slots}
    assert paths[:4] == ["/listening/open", "/listening/join", "/listening/stim/volume", "/listening/next"]
    assert set(paths[4:7]) == sounds
    assert paths[7:] == ["/listening/answer"]
    assert rater.acknowledged.keys() == {"a nonce"}
    assert (rater.ended, measured.sounds, measured.sound_bytes) == ("done", 4, 16)


def test_processor_time_is_that_of_a_process_and_its_children(monkeypatch):
    busy = "import time, subprocess, sys\nwhile time.process_time() < 0.3: pass\n"
    parent = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}]); print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        assert family_seconds(process.pid) >= 0.28, "of the child, which has ended"
        process.stdin.close()
