"""The state of a comparison after each event, and its view; no file is read and nothing runs."""

import numpy as np
import pytest

from eval.compare.recording import Failed, Measured, Output, Progress
from eval.metrics.loudness import TARGET_LUFS
from tests.conftest import harmonic_tone
from tests.fakes import fake_system
from ui.compare.files import ComparisonFiles
from ui.compare.state import begin, told
from ui.compare.view import view_of
from vocoders.audio import Recording

A, B = fake_system("a"), fake_system("b")
RECORDING = Recording("r", harmonic_tone(0.6))


def output(system, lufs=-30.0) -> Output:
    return Output(system, np.zeros(100, np.float32), lufs, -12.0, 0.5)


def test_events_change_a_copy():
    before = begin(RECORDING, [A, B])
    after = before.after(Progress(A, 0.5)).after(output(A)).after(Measured(A, {"m": 1.0}, {}, None))
    assert (before.outputs, before.progress) == ((), {})
    assert [o.metrics for o in after.outputs] == [{"m": 1.0}]
    assert after.after(output(A, -20.0)).outputs[0].lufs == -20.0  # it came again
    assert len(after.after(output(A)).outputs) == 1
    assert after.after(Failed(B, "no")).summary == "1 system ready, 1 failed"


def test_a_system_that_begins_again_has_not_failed():
    state = begin(RECORDING, [A]).after(Failed(A, "the process died"))
    assert state.failures == {"a": "the process died"}
    assert state.after(Progress(A, 0.1)).failures == {}


def test_levels_are_those_of_what_is_there():
    state = begin(RECORDING, [A, B]).after(output(A))
    assert state.levels.keys() == {"reference", "a"}
    assert state.levels["a"].gain == pytest.approx(TARGET_LUFS + 30.0)


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Progress(A, 0.25), "The a: 25%"),
        (Failed(A, "x"), "The a failed"),
        (output(A), "The a is ready"),
        (Measured(A, {}, {}, None), "The a is measured"),
    ],
)
def test_the_status_line_names_the_system(event, text):
    assert told(event) == text


def test_the_view_has_a_track_for_everything_asked_for(store):
    state, files = begin(RECORDING, [A, B], residuals=True), ComparisonFiles(store.new(), RECORDING)
    state = state.after(Progress(A, 0.5)).after(Failed(B, "no luck"))
    tracks = {track["id"]: track for track in view_of(state, files, "running", "").player["tracks"]}
    assert {system_id: track["state"] for system_id, track in tracks.items()} == {
        "reference": "ready",
        "a": "running",
        "a--residual": "waiting",
        "b": "failed",
        "b--residual": "failed",
    }
    assert tracks["b"]["error"] == "no luck"
    stopped = view_of(state, files, "cancelled", "").player["tracks"]
    assert [track["state"] for track in stopped] == ["ready", "stopped", "stopped", "failed", "failed"]
    assert [track["error"] for track in stopped] == [None, None, None, "no luck", "no luck"]
