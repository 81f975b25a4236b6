"""Stopping the app: whoever has just sent an answer still hears that it is stored."""

import sqlite3
import threading
import time

import httpx
import pytest

from eval.listening.home import open_listening
from eval.listening.study import Study
from eval.stimuli import render_stimuli
from tests.conftest import harmonic_tone, start_app
from tests.listening import Listener, any_answer
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


def test_a_submit_is_finished_before_the_app_stops(tmp_path, study):
    process, url = start_app(tmp_path)
    with httpx.Client(base_url=url, timeout=30) as http:
        listener = Listener(http, study, any_answer)
        step = listener.run(until=lambda step: step["step"] == "trial")
        blocker = sqlite3.connect(tmp_path / "listening" / "listening.db", isolation_level=None)
        blocker.execute("BEGIN EXCLUSIVE")  # the answer cannot be written yet
        answers = []
        sender = threading.Thread(target=lambda: answers.append(listener.send(step, 4).status_code))
        sender.start()
        time.sleep(1)
        process.terminate()
        time.sleep(1)
        assert process.poll() is None, "it waits"
        blocker.rollback()
        sender.join()
    assert answers == [200]
    assert process.wait(20) is not None
    listening = open_listening(tmp_path)
    assert [row["answer"] for row in listening.store.answers(study)] == [4]
