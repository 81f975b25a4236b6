"""Outputs made elsewhere are systems of a comparison: placed, measured, written; what cannot be used says why."""

import json
import pickle
import threading
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from eval.compare.mel import GivenMel
from eval.compare.output_folder import GivenOutput
from tests.conftest import harmonic_tone
from ui.compare.job import CompareJob
from ui.compare.made_elsewhere import read_outputs
from ui.compare.metric_table import metric_table
from ui.compare.outputs import levels_of
from vocoders.audio import SAMPLE_RATE, Recording
from vocoders.catalogue import find_systems
from vocoders.recordings.reader import AudioError, Limits

DELAY = 6615  # samples, 300 ms
HOSTILE = "'><img src=x onerror=1>${7*7}{{7*7}} $x^{$"


def noisy(seconds: float = 1.5) -> np.ndarray:
    """A tone and noise: a waveform that has one place only."""
    noise = np.random.default_rng(0).standard_normal(round(seconds * SAMPLE_RATE))
    return (harmonic_tone(seconds) + 0.02 * noise).astype(np.float32)


RECORDING = Recording("clip", noisy(), "WAV.")


def compared(store, given: list, systems: tuple = (), recording: Recording = RECORDING):
    folder = store.new()
    *_, last = CompareJob(recording, [*given, *systems], folder).run(threading.Event())
    return last, folder


def written(tmp_path, name: str, samples: np.ndarray, rate: int = SAMPLE_RATE):
    soundfile.write(tmp_path / name, samples, rate, subtype="FLOAT")
    return tmp_path / name


def test_a_late_and_inverted_output_is_placed_measured_and_told(store, tmp_path):
    path = written(tmp_path, "My vocoder.wav", -np.pad(RECORDING.samples, (DELAY, 0)))
    given = read_outputs([path], RECORDING, Limits())
    last, folder = compared(store, given, tuple(find_systems("griffin-lim")))
    assert [(track["id"], track["state"]) for track in last.player["tracks"]] == [
        ("reference", "ready"),
        ("file-My-vocoder", "ready"),
        ("griffin-lim", "ready"),
    ]
    output, track = last.outputs[0], last.player["tracks"][1]
    np.testing.assert_array_equal(output.samples, -RECORDING.samples)
    assert track["title"] == "My vocoder"
    assert "It is 300 ms late (6615 samples)" in track["about"]
    assert "its polarity is inverted" in track["about"]
    assert output.metrics["M-STFT"] == 0
    assert track["gain_db"] == last.player["tracks"][0]["gain_db"]
    assert "inverted (1.00)" in levels_of(last)
    assert metric_table(last.outputs).count("n/a") >= 2  # computing and speed are unknown
    results = json.loads((folder.path / "results.json").read_text(), parse_constant=pytest.fail)
    found = results["systems"]["file-My-vocoder"]
    assert found["compute_seconds"] is found["real_time_factor"] is None
    assert "its polarity is inverted" in found["notes"]


def test_a_lower_rate_and_clipping_are_told(store, tmp_path):
    import soxr

    low = written(tmp_path, "low.wav", soxr.resample(RECORDING.samples, SAMPLE_RATE, 16_000), 16_000)
    loud = RECORDING.samples / np.abs(RECORDING.samples).max()
    clipped = written(tmp_path, "clipped.wav", np.clip(3 * loud, -1, 1))
    last, _ = compared(store, read_outputs([low, clipped], RECORDING, Limits()))
    told = {output.system.id: output.about for output in last.outputs}
    assert "16 kHz: nothing is in it above 8 kHz" in told["file-low"]
    assert "clipp" in told["file-clipped"]


def test_what_cannot_be_used_is_a_failed_track_with_its_sentence(store, tmp_path):
    (tmp_path / "letter.wav").write_text("Dear vocoder,")
    short = written(tmp_path, "short.wav", RECORDING.samples[: SAMPLE_RATE // 2])
    good = written(tmp_path, "good.wav", RECORDING.samples)
    paths = [tmp_path / "letter.wav", short, tmp_path / "gone.wav", good]
    last, _ = compared(store, read_outputs(paths, RECORDING, Limits()))
    tracks = {track["id"]: track for track in last.player["tracks"]}
    assert "not a WAV" in tracks["file-letter"]["error"]
    assert "67% less" in tracks["file-short"]["error"]
    assert "there is no such file" in tracks["file-gone"]["error"]
    assert tracks["file-good"]["state"] == "ready"
    assert last.player["status"]["text"] == "1 system ready, 3 failed"


def test_names_are_text_and_stay_apart(store, tmp_path):
    path = written(tmp_path, "Recording.wav", RECORDING.samples)
    (tmp_path / "b").mkdir()
    again = written(tmp_path / "b", "Recording.flac.wav", RECORDING.samples).rename(tmp_path / "b" / "Recording.wav")
    hostile = written(tmp_path, f"{HOSTILE}.wav", RECORDING.samples)
    given = read_outputs([path, again, hostile], RECORDING, Limits(), ["Recording (2)"])
    assert [item.system.title for item in given] == ["Recording (3)", "Recording (4)", HOSTILE]
    assert [item.system.id for item in given[:2]] == ["file-Recording", "file-Recording-2"]
    last, folder = compared(store, given)
    assert last.archive is not None
    for track in last.player["tracks"]:
        assert track["state"] == "ready"
        assert store.find(folder.token, track["audio"]["url"].rpartition("/")[2])


def test_limits_hold(tmp_path, monkeypatch):
    path = written(tmp_path, "a.wav", RECORDING.samples)
    assert read_outputs([], RECORDING, Limits()) == []
    with pytest.raises(AudioError, match=r"9 outputs made elsewhere are too many; 8 files are the limit"):
        read_outputs([path] * 9, RECORDING, Limits())
    size = path.stat().st_size / 1e6
    with pytest.raises(AudioError, match=r"MB in all are accepted"):
        read_outputs([path] * 3, RECORDING, replace(Limits(), max_megabytes=2 * size))
    mel = GivenMel.__new__(GivenMel)
    with pytest.raises(AudioError, match="remove the mel file"):
        read_outputs([path], mel, Limits())
    late = written(tmp_path, "late.wav", np.pad(RECORDING.samples, (DELAY, 0)))
    assert read_outputs([late], RECORDING, Limits(max_seconds=1.5))[0].recording is not None


def test_what_travels_is_equal_afterwards(tmp_path):
    (given,) = read_outputs([written(tmp_path, "a.wav", RECORDING.samples)], RECORDING, Limits())
    back = pickle.loads(pickle.dumps(given))
    assert isinstance(back, GivenOutput)
    assert back.system == given.system
    np.testing.assert_array_equal(back.recording.samples, RECORDING.samples)
