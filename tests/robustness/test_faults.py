"""A confirmed answer stays through every fault: a full disk, a locked or vanished database, a clock that jumps.

python -m pytest tests/robustness/test_faults.py --proof -s
"""

import contextlib
import random
import resource
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from eval.listening.session.open import open_listening
from eval.listening.storage.database import LOCK_SECONDS
from tests.listening import Listener, any_answer
from tests.robustness.rating_server import rating_server
from tests.robustness.studied_app import add_study
from tests.waiting import random_moment, until
from ui.listening.rate_routes import rate_routes


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> tuple[Path, str]:
    """(data directory, public id): made once, copied for every fault."""
    data = tmp_path_factory.mktemp("template")
    return data, add_study(data)[0]


@pytest.fixture
def study(template, tmp_path) -> tuple[Path, str]:
    shutil.copytree(template[0], tmp_path / "data")
    return tmp_path / "data", template[1]


def database(data: Path) -> Path:
    return data / "listening" / "listening.db"


def stored_answers(data: Path, public_id: str) -> dict[str, object]:
    """{nonce: answer}, each there once, in a database that finds nothing wrong with itself."""
    with contextlib.closing(sqlite3.connect(database(data))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    listening = open_listening(data)
    rows = listening.store.answers(public_id)
    listening.store.close()
    assert len({row["nonce"] for row in rows}) == len(rows)
    return {row["nonce"]: row["answer"] for row in rows}


class Patient(Listener):
    """Sends what was refused again, as the rating page does, and remembers what was confirmed."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.confirmed: dict[str, object] = {}
        self.refused = 0

    def post(self, path: str, **content) -> httpx.Response:
        response = until(lambda: self.accepted(path, content), "the fault has ended and something can be stored", 600)
        if path == "answer" and response.status_code == 200:
            self.confirmed.setdefault(content["nonce"], content["answer"])
        return response

    def accepted(self, path: str, content: dict) -> httpx.Response | None:
        response = super().post(path, **content)
        if response.status_code != 503:
            return response
        assert response.json()["error"] == "storage"
        self.refused += 1
        return None


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of its own of some megabytes."""
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("no disk can be mounted here; the limit on the size of files stands for it")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextlib.contextmanager
def full_disk(data: Path, _process: subprocess.Popen) -> Iterator[None]:
    filler = data / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    yield
    filler.unlink()


@contextlib.contextmanager
def limited_files(data: Path, process: subprocess.Popen) -> Iterator[None]:
    before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    yield
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("fault", [full_disk, limited_files])
def test_an_answer_is_stored_or_refused_when_nothing_can_be_written(template, tmp_path, scale, fault):
    where = small_disk(tmp_path / "disk") if fault is full_disk else contextlib.nullcontext(tmp_path)
    with where as folder:
        data, public_id = folder / "data", template[1]
        shutil.copytree(template[0], data)
        listeners = []
        with rating_server(data) as (url, process):
            for _ in range(scale(2, 25)):
                with httpx.Client(base_url=url, timeout=60) as http:
                    listener = Patient(http, public_id, any_answer)
                    listeners.append(listener)
                    step = listener.run(until=lambda step: step["step"] == "trial" and step["number"] == 2)
                    with fault(data, process):
                        refused = super(Patient, listener).post("open", study=public_id)
                        answer = threading.Thread(target=listener.send, args=(step, 4))
                        before = listener.refused
                        answer.start()
                        until(
                            lambda one=listener, before=before, answer=answer: (
                                one.refused > before or not answer.is_alive()
                            ),
                            "the answer is refused, or found room",
                        )
                    answer.join()
                    assert listener.run()["step"] == "done"
                    assert refused.status_code in (200, 503)
        confirmed = {nonce: answer for listener in listeners for nonce, answer in listener.confirmed.items()}
        assert stored_answers(data, public_id) == confirmed
    refusals = sum(listener.refused for listener in listeners)
    assert refusals > 0, "nothing was in the way"
    print(
        f"\n{fault.__name__}: {len(confirmed)} answers, {refusals} refused with 503 and sent again, 0 lost, 0 doubled"
    )


@contextlib.contextmanager
def locked(data: Path) -> Iterator[None]:
    """By another process, as far as the server can see."""
    with contextlib.closing(sqlite3.connect(database(data), timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


@pytest.mark.parametrize("refusing", [False, True], ids=["short", "long"])
def test_a_locked_database_delays_an_answer_or_refuses_it(study, scale, refusing):
    """Of many listeners at once. A write waits for much longer than the lock lasts, or gives up before."""
    data, public_id = study
    patience = scale(2, LOCK_SECONDS) if refusing else 600
    with rating_server(data, patience) as (url, _):
        clients = [httpx.Client(base_url=url, timeout=1200) for _ in range(scale(12, 50))]
        listeners = [Patient(http, public_id, any_answer) for http in clients]
        with ThreadPoolExecutor(len(listeners)) as pool:
            steps = list(pool.map(lambda one: one.run(until=lambda step: step["step"] == "trial"), listeners))
            with locked(data):
                sent = [pool.submit(one.send, step, 3) for one, step in zip(listeners, steps)]
                if refusing:
                    until(lambda: all(one.refused for one in listeners), "everybody is refused", 100 * patience)
                else:
                    random_moment(random.Random(0), 1.0)
            for response in sent:
                assert response.result().status_code == 200
        for http in clients:
            http.close()
    confirmed = {nonce: answer for one in listeners for nonce, answer in one.confirmed.items()}
    assert stored_answers(data, public_id) == confirmed
    assert len(confirmed) == len(listeners)
    refusals = sum(one.refused for one in listeners)
    assert (refusals > 0) == refusing
    slowest = max(r.elapsed.total_seconds() for one in listeners for r in one.responses)
    print(
        f"\nlocked: {len(listeners)} answers at once, {refusals} refused with 503 and sent again, 0 lost; "
        f"slowest request {slowest:.1f} s (a write waits for {patience} s)"
    )


def test_a_database_that_is_gone_for_a_while_loses_nothing(study, scale):
    data, public_id = study
    refusals = scale(2, 100)
    with rating_server(data) as (url, _), httpx.Client(base_url=url, timeout=60) as http:
        listener = Patient(http, public_id, any_answer)
        step = listener.run(until=lambda step: step["step"] == "trial" and step["number"] == 2)
        for away in range(3):
            files = list((data / "listening").glob("listening.db*"))
            for file in files:
                file.rename(file.with_name(f"away-{file.name}"))
            sending = threading.Thread(target=listener.send, args=(step, 2 + away))
            refused = listener.refused
            sending.start()
            until(lambda: listener.refused >= refused + refusals or not sending.is_alive(), "the answer is refused")  # noqa: B023
            assert sending.is_alive(), "confirmed, and written for nobody"
            assert not database(data).exists(), "an empty database in the place of the one that is gone"
            for file in files:
                file.with_name(f"away-{file.name}").rename(file)
            sending.join()
            step = listener.post("open", study=public_id, token=listener.token).json()
        assert listener.run()["step"] == "done"
    assert stored_answers(data, public_id) == listener.confirmed
    print(
        f"\ndatabase away: 3 times, {listener.refused} requests refused with 503 and sent again, 0 of {len(listener.confirmed)} lost"
    )


JUMPS = (
    0,
    -3600,
    86_400,
    -1,
    -86_400 * 365,
    86_400 * 3650,
    0,
)  # seconds by which the clock is wrong, one after the other


def test_a_clock_that_jumps_breaks_no_session(study, monkeypatch):
    """Order is that of arrival and not of the clock, and nobody is accused of hearing more than time allows."""
    data, public_id = study
    right, wrong = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: right() + wrong[0])
    listening = open_listening(data)
    app = FastAPI()
    app.include_router(rate_routes(listening))
    listeners = [Listener(TestClient(app), public_id, any_answer) for _ in JUMPS]
    sent: list[str] = []
    for number, wrong[0] in enumerate(JUMPS * 2):
        listener = listeners[number % len(JUMPS)]
        step = listener.run(until=lambda step: step["step"] == "trial")
        for wrong[0] in JUMPS:
            sent.append(step["nonce"])
            step = listener.send(step, 3).json()
            if step["step"] != "trial":
                break
    for listener in listeners:
        before = len(listener.trials)
        assert listener.run()["step"] == "done"
        sent += [trial["nonce"] for trial in listener.trials[before:]]
    rows = listening.store.answers(public_id)
    assert [row["nonce"] for row in rows] == sent
    rules = {flag["rule"] for rater in listening.store.raters(public_id) for flag in rater["flags"]}
    assert "impossible-time" not in rules
    listening.store.close()
    print(f"\nclock jumps: {len(sent)} answers under {len(JUMPS)} clocks, 0 lost, order kept")
