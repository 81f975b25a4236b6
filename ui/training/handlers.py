"""What the buttons of the Train tab do, and what it shows of a run, as updates by the name of the component."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from common.durable import DiskFull
from train.voice.progress import FAILED, FILES, ORIGINAL, STOPPED, WEIGHTS
from ui.markup import notice
from ui.training.run import DIED, RUNNING, WAITING, Run
from ui.training.runs import NoTraining, Runs
from ui.training.view import curves_panel, player_of, result_panel, status_panel
from ui.vocoders.uploads import Upload, add_upload
from vocoders.checkpoints.checkpoint import CheckpointError

TRIAL, TRIAL_STEPS = "trial", 4
COMPARED_WITH = ("griffin-lim", "harmonic-noise")  # a trained voice
GONE = "The training that stood here is no longer on the server. Give the recordings again and press Train."
Update = dict[str, Any]
# What is shown of no run
NOTHING: Update = {
    "token": "",
    "message": "",
    "status": "",
    "curves": "",
    "player": None,
    "result": "",
    "seen": "",
    "timer": gr.Timer(active=False),
    "start": gr.update(interactive=True),
    "stop": gr.update(interactive=False),
    "go_on": gr.update(visible=False),
    "forget": gr.update(visible=False),
    "compare": gr.update(visible=False),
}


def shown(runs: Runs, run: Run, seen: str = "") -> Update:
    """All that belongs to a run; of what it had when `seen` was returned, only what may have changed since."""
    runs_on = runs.standing(run)
    if runs_on == WAITING:
        runs.start_next()  # the process before it may have ended on another server
        runs_on = runs.standing(run)
    active = runs_on in (WAITING, RUNNING)
    ahead, minutes = runs.minutes_before(run) if runs_on == WAITING else (0, 0.0)
    now = f"{run.token} {runs_on} {run.changed}"
    update: Update = {"status": status_panel(run, runs_on, ahead, minutes), "seen": now, "message": ""}
    if now == seen:
        return update
    progress = run.progress
    ready = not active and run.weights is not None
    return update | {
        "token": run.token,
        "curves": curves_panel(progress),
        "player": player_of(run, progress),
        "result": result_panel(run) if ready else "",
        "timer": gr.Timer(active=active),
        "start": gr.update(interactive=not active),
        "stop": gr.update(interactive=active),
        "go_on": gr.update(visible=runs_on in (STOPPED, DIED, FAILED)),
        "forget": gr.update(visible=not active),
        "compare": gr.update(visible=ready),
    }


def begin(runs: Runs, files: Sequence[str] | None, how: str, length: str, licence: str, token: str) -> Update:
    """A new run, unless this browser's own is still trained."""
    try:
        before = runs.find(token)
        if before and runs.standing(before) in (WAITING, RUNNING):
            raise NoTraining("Your training goes on already; stop it first.")
        minutes, steps = (None, TRIAL_STEPS) if length == TRIAL else (float(length), None)
        run = runs.begin([Path(file) for file in files or ()], minutes, steps, how == "adapt", licence or "")
    except NoTraining as error:
        return {"message": notice(str(error), "bad")}
    except OSError:
        return {
            "message": notice(
                "The recordings could not be stored: the disk may be full, or they are gone. Give them again.", "bad"
            )
        }
    return shown(runs, run)


def recall(runs: Runs, token: str) -> Update:
    """The run that this browser remembers."""
    if not token:
        return NOTHING
    run = runs.find(token)
    return shown(runs, run) if run else NOTHING | {"message": notice(GONE)}


def follow(runs: Runs, token: str, seen: str) -> Update:
    """What is new about it."""
    run = runs.find(token)
    return shown(runs, run, seen) if run else NOTHING | {"message": notice(GONE)}


def stop(runs: Runs, token: str) -> Update:
    """Asks it to end with what it has learned."""
    if run := runs.find(token):
        runs.stop(run)
        if runs.standing(run) == RUNNING:
            return {
                "message": notice("Stopping: what was learned is written down.", "info"),
                "stop": gr.update(interactive=False),
            }
    return recall(runs, token)


def go_on(runs: Runs, token: str) -> Update:
    """One that was stopped, once more."""
    run = runs.find(token)
    if run is None:
        return NOTHING | {"message": notice(GONE)}
    try:
        runs.go_on(run)
    except (NoTraining, DiskFull) as error:
        return {"message": notice(str(error), "bad")}
    return shown(runs, run)


def forget(runs: Runs, token: str) -> Update:
    """Removes it from the server."""
    if run := runs.find(token):
        runs.forget(run)
    return NOTHING | {"message": notice("Removed from the server.", "good")}


def as_system(runs: Runs, token: str, own: tuple[Upload, ...]) -> tuple[tuple[Upload, ...], list[str], str]:
    """The systems of this session with the trained one, the ids to compare, and the held-out passages as a file.

    Errors: `CheckpointError` in words.
    """
    run = runs.find(token)
    if run is None or run.weights is None:
        raise CheckpointError(GONE)
    place = Path(tempfile.mkdtemp(prefix="voice-", dir=get_upload_folder()))
    recording = shutil.copyfile(run.path / FILES / f"{ORIGINAL}.wav", place / "held-out passages.wav")
    known = next((upload for upload in own if upload.checkpoint.startswith(f"{run.path}/") and upload.is_here), None)
    if known is None:
        own, system = add_upload(own, str(run.path / FILES / WEIGHTS), None, None)
        return own, [*COMPARED_WITH, system.id], str(recording)
    return own, [*COMPARED_WITH, known.id], str(recording)
