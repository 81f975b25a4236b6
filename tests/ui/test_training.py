"""Runs of the page on disk: whose turn it is, who waits, what others can have of them, and when they are removed."""

import contextlib
import dataclasses
import fcntl
import os

import gradio as gr
import numpy as np
import pytest

import app
from tests import warm_python
from tests.voices import write_voice
from tests.waiting import until
from train.voice.progress import (
    BEFORE,
    DONE,
    FILES,
    GRIFFIN_LIM,
    ORIGINAL,
    PACKED,
    STOPPED,
    TRAINING,
    WEIGHTS,
    Progress,
    Sound,
    Validation,
    write_progress,
)
from ui.training.handlers import begin, follow, recall
from ui.training.layout import lay_out
from ui.training.run import DIED, LOG, RECORDINGS, REQUEST, RUNNING, WAITING, file_of, run_named
from ui.training.runs import KEPT_SECONDS, MAX_GIVEN_FILES, MAX_KEPT, MAX_WAITING, TURN, NoTraining, Runs
from ui.training.view import MARKS, player_of, shown_sounds, status_panel
from vocoders.audio import write_wav


@pytest.fixture
def files(tmp_path):
    return write_voice(tmp_path / "given")


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path / "training", max_minutes=30)


@contextlib.contextmanager
def turn_of(runs, token):
    """As while another process of the app trains that run."""
    with (runs.root / TURN).open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(token)
        file.flush()
        yield


@pytest.fixture
def busy(runs, files):
    """A run that is trained elsewhere."""
    with turn_of(runs, "nobody-that-is-known-here"):
        run = runs.begin(files, 10.0, None, True, "own recordings")
    run.waits(False)
    write_progress(run.path, Progress(phase=TRAINING, minutes_left=4.0, spent=6.0))
    with turn_of(runs, run.token):
        yield run


def asked(runs, files, minutes=5.0):
    return runs.begin(files, minutes, None, True, "")


def test_others_wait_and_are_told_how_long(runs, files, busy):
    assert runs.running() == busy.token
    assert runs.standing(busy) == RUNNING
    first, second = (asked(runs, files) for _ in range(2))
    assert runs.waiting() == [first, second]
    assert (runs.standing(first), runs.minutes_before(first)) == (WAITING, (1, 4.0))
    assert runs.minutes_before(second) == (2, 10.0)
    assert "2 trainings come before yours: it begins in about 10 minutes" in status_panel(second, WAITING, 2, 10.0)
    runs.stop(first)
    assert runs.waiting() == [second]
    assert runs.standing(first) == DIED
    asked(runs, files)
    third = asked(runs, files)
    assert len(runs.waiting()) == MAX_WAITING
    with pytest.raises(NoTraining, match="3 trainings wait already, for about 22 minutes"):
        asked(runs, files)
    with pytest.raises(NoTraining, match="wait already"):
        runs.go_on(first)
    assert {path.name for path in runs.root.iterdir() if path.is_dir()} >= {third.token, busy.token}


def test_without_its_process_a_run_has_died_and_can_go_on(tmp_path, files):
    runs = Runs(tmp_path / "training", max_minutes=30)
    with turn_of(runs, "somebody"):
        run = asked(runs, files)
        run.waits(False)
        write_progress(run.path, Progress(phase=TRAINING, spent=2.5))
        assert runs.standing(run) == DIED
        words = status_panel(run, DIED)
        assert "has ended before its time, after 2.5 of 5 minutes" in words
        assert 'role="alert"' in words
        update = recall(runs, run.token)
        assert update["go_on"]["visible"]
        runs.go_on(run)
        assert runs.standing(run) == WAITING


APP = """
import sys, threading
from pathlib import Path
from ui.training.runs import Runs
Runs(Path(sys.argv[1]), 30).begin([Path(name) for name in sys.argv[2:]], 5.0, None, True, "own recordings")
threading.Event().wait()
"""


def test_a_training_ends_with_its_app_and_goes_on_under_the_next_one(runs, files, tmp_path):
    app_process = warm_python.start(["-c", APP, str(runs.root), *map(str, files)], tmp_path / "log.txt")
    run = until(
        lambda: next(filter(None, (run_named(runs.root, p.name) for p in runs.root.iterdir())), None), "it is there"
    )
    until(lambda: run.progress, "its process has begun")
    assert runs.standing(run) == RUNNING
    app_process.kill()
    app_process.wait()
    until(lambda: runs.running() is None, "its process has ended, too")
    assert runs.standing(run) == STOPPED
    assert "It had learned nothing yet" in status_panel(run, STOPPED)
    with turn_of(runs, "somebody"):
        runs.go_on(run)
        assert runs.standing(run) == WAITING
    assert "Traceback" not in (run.path / LOG).read_text()


@pytest.mark.parametrize(
    ("given", "words"),
    [(0, "Drop recordings of the voice first"), (MAX_GIVEN_FILES + 1, f"at most {MAX_GIVEN_FILES} are taken here")],
)
def test_what_cannot_begin_is_said_in_words(runs, files, given, words):
    update = begin(runs, [str(files[0])] * given, "adapt", "10", "", "")
    assert words in update["message"]
    assert not list(runs.root.glob("*/"))


def test_recordings_that_are_gone_are_said_in_words(runs, files):
    files[0].unlink()
    assert "could not be stored" in begin(runs, [str(path) for path in files], "adapt", "10", "", "")["message"]
    assert not list(runs.root.glob("*/"))


def test_a_browser_trains_one_voice_at_a_time(runs, files, busy):
    assert "goes on already" in begin(runs, [str(files[0])], "adapt", "10", "", busy.token)["message"]
    assert begin(runs, [str(files[0])], "adapt", "60", "", "unknown")["token"]
    assert runs.waiting()[0].request.minutes == 30, "no longer than is allowed"


def test_others_can_have_nothing_but_what_a_run_gives_away(runs, busy):
    (busy.path / FILES).mkdir()
    for name in (PACKED, "original.wav"):
        (busy.path / FILES / name).write_bytes(b"x")
    assert file_of(runs.root, busy.token, PACKED).read_bytes() == b"x"
    for name in (REQUEST, RECORDINGS, LOG, "progress.json", f"../{REQUEST}", f"..%2f{REQUEST}", "none.wav", ".wav", ""):
        assert file_of(runs.root, busy.token, name) is None
    for token in ("", ".", "..", "../training", TURN, busy.token[:-1], busy.token[:-1] + "?"):
        assert file_of(runs.root, token, PACKED) is None
        assert run_named(runs.root, token) is None
    assert os.listdir(busy.path / RECORDINGS)


def test_what_is_old_and_what_is_too_much_is_removed(runs, files, busy):
    kept = asked(runs, files)
    old, *many = (asked_and_ended(runs, files) for _ in range(3))
    for path in old.path.glob("*.json"):
        os.utime(path, (0, path.stat().st_mtime - KEPT_SECONDS - 60))
    for path in [*kept.path.glob("*.json"), *busy.path.glob("*.json")]:
        os.utime(path, (0, path.stat().st_mtime - KEPT_SECONDS - 60))
    runs.sweep()
    assert runs.find(old.token) is None
    assert all(runs.find(run.token) for run in (*many, kept, busy)), "one that waits or is trained is never removed"
    assert recall(runs, old.token)["message"]
    runs.forget(many[0])
    assert runs.find(many[0].token) is None
    assert MAX_KEPT > 3


def asked_and_ended(runs, files):
    run = runs.begin(files[:1], 5.0, None, True, "")
    run.waits(False)
    write_progress(run.path, Progress(phase=STOPPED))
    return run


def sounds(minutes):
    made = [Sound(f"step-{10 * minute:07}", minute + 0.01, (-20.0, -3.0)) for minute in minutes]
    return tuple(Sound(name, 0.0, (-20.0, -3.0)) for name in (ORIGINAL, GRIFFIN_LIM, BEFORE)) + tuple(made)


def test_some_minutes_stay_and_the_newest_is_always_heard():
    progress = Progress(sounds=sounds(range(1, 19)))
    kept = [sound.id for sound in shown_sounds(progress)]
    assert kept == [ORIGINAL, GRIFFIN_LIM, BEFORE, *(f"step-{10 * m:07}" for m in (*MARKS[:6], 18))]
    assert len(shown_sounds(Progress(sounds=sounds(range(1, 6))))) == 8


def test_the_player_plays_what_there_is_and_says_which_is_closest(runs, files, busy):
    validations = (
        Validation(0, 0.0, 1.0, 0.3, True),
        Validation(10, 1.0, 0.9, 0.3, True),
        Validation(20, 2.0, 0.95, 0.3, False),
    )
    progress = Progress(phase=TRAINING, sounds=sounds((1, 2)), validations=validations)
    assert player_of(busy, None) is None
    write_wav(busy.path / FILES / f"{ORIGINAL}.wav", np.zeros(22_050))
    value = player_of(busy, progress)
    assert value["seconds"] == 1.0
    assert [track["title"] for track in value["tracks"]] == [
        *("Recording", "Griffin-Lim", "Before training", "After 1 min", "After 2 min")
    ]
    assert [track["about"] for track in value["tracks"]][2:] == [
        "M-STFT 1.000",
        "M-STFT 0.900, the closest",
        "M-STFT 0.950",
    ]
    assert all(run_file(busy, track["audio"]["url"]) for track in value["tracks"])


def run_file(run, url):
    return url.startswith(f"training/{run.token}/")


def test_only_what_is_new_is_sent_again(runs, busy):
    first = recall(runs, busy.token)
    assert {"player", "curves", "timer"} <= first.keys()
    assert {"player", "curves", "timer"}.isdisjoint(follow(runs, busy.token, first["seen"]))
    write_progress(busy.path, Progress(phase=TRAINING, step=3))
    assert "player" in follow(runs, busy.token, first["seen"])


def test_a_finished_run_says_what_it_reached(runs, busy):
    found = (Validation(0, 0.0, 0.95, 0.3, True), Validation(40, 10.0, 0.9, 0.3, True))
    done = Progress(phase=DONE, step=40, spent=10.0, validations=found)
    write_progress(busy.path, done)
    assert "40 steps in 10.0 minutes: M-STFT of the held-out passages from 0.950 to 0.900" in status_panel(busy, DONE)
    write_progress(busy.path, dataclasses.replace(done, validations=found[:1]))
    assert "the model it began with, so that one is kept" in status_panel(busy, DONE)
    assert not (busy.path / FILES / WEIGHTS).exists()
    assert recall(runs, busy.token)["result"] == ""


def test_only_lengths_that_are_allowed_are_offered():
    def offered(most):
        with gr.Blocks():
            return [value for _, value in lay_out(most).length.choices]

    assert offered(30) == ["5", "10", "15", "30", "trial"]
    assert offered(12) == ["5", "10", "trial"]
    assert offered(3) == ["3", "trial"]


@pytest.mark.parametrize(
    ("environment", "arguments", "minutes"),
    [
        ({}, [], 30.0),
        ({"SPACE_ID": "somebody/lab"}, [], 0.0),
        ({"SPACE_ID": "somebody/lab", "TRAINING_MINUTES": "10"}, [], 10.0),
        ({}, ["--training-minutes", "0"], 0.0),
    ],
)
def test_a_space_trains_nothing_unless_it_is_told_to(monkeypatch, environment, arguments, minutes):
    for name in ("SPACE_ID", "TRAINING_MINUTES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["app.py", *arguments])
    assert app.parse_args().training_minutes == minutes


@pytest.mark.parametrize("text", ["-1", "nan", "many", "1e9"])
def test_what_is_no_number_of_minutes_is_refused(monkeypatch, capsys, text):
    monkeypatch.setattr("sys.argv", ["app.py", f"--training-minutes={text}"])
    with pytest.raises(SystemExit):
        app.parse_args()
    assert "is no number of minutes from 0 to 720" in capsys.readouterr().err
