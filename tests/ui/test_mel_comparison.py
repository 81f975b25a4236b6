"""A mel without a recording: outputs, what they are measured by, what is on the page and what is not."""

import json
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from common.paths import ROOT
from eval.compare.mel import MEL_ERROR, GivenMel, compare_mel, read_given_mel
from eval.metrics.spectral import log_mel_l1
from server.executor import InlineExecutor
from tests.conftest import harmonic_tone
from ui.compare.job import CompareJob
from ui.compare.mel_input import chosen_mel, mel_looker
from ui.compare.metric_table import mel_error_table
from ui.compare.outputs import download_links, mel_note
from vocoders.analysis import Analysis, synthesize
from vocoders.catalogue import find_systems
from vocoders.features import hw2_mel, log_hifigan_mel
from vocoders.mel import HW2, mel_of
from vocoders.mel_files.file import MelFileError
from vocoders.mel_files.options import Declared
from vocoders.recordings.reader import Limits, read_recording

TONE = harmonic_tone(0.6)[: 256 * 50]
GRIFFIN_LIM = find_systems("griffin-lim")


def given(features=None) -> GivenMel:
    return GivenMel("my mel.npy", features or hw2_mel(TONE), "the hw2 mel")


@pytest.fixture(scope="module")
def phrase() -> np.ndarray:
    return read_recording(ROOT / "tests" / "audio_files" / "phrase.flac").samples


def test_a_mel_lies_at_no_distance_from_its_own_recording():
    assert given().error(TONE) < 1e-6
    assert given(log_hifigan_mel(TONE)).error(TONE) < 1e-6
    assert given().seconds == pytest.approx(50 * 256 / 22_050)


def test_half_the_gain_is_twice_the_distance_in_power():
    loud = TONE + np.random.default_rng(0).normal(0, 0.05, TONE.size).astype(np.float32)
    assert given(hw2_mel(loud)).error(loud / 2) == pytest.approx(2 * np.log(2), rel=1e-3)
    assert given(log_hifigan_mel(loud)).error(loud / 2) == pytest.approx(np.log(2), rel=1e-2)


def test_takes_of_a_mel_are_those_of_its_recording_and_measured_against_it():
    events = []
    compare_mel(given(), find_systems("griffin-lim-oracle,griffin-lim"), events.append)
    failed, output = (event for event in events if not hasattr(event, "fraction"))
    assert failed.reason == "this system needs the recording itself; a mel is not enough"
    assert np.array_equal(output.samples, synthesize(GRIFFIN_LIM[0], Analysis(TONE)))
    assert dict(output.metrics) == {MEL_ERROR: pytest.approx(log_mel_l1(TONE, output.samples), abs=1e-6)}
    assert output.alignment is None


def test_the_page_has_no_recording_and_nothing_against_it(store):
    folder = store.new()
    *_, last = CompareJob(given(), GRIFFIN_LIM, folder, residuals=True).run(threading.Event())
    (track,) = last.player["tracks"]
    assert (track["id"], track["role"], track["state"], track["difference"]) == ("griffin-lim", "system", "ready", None)
    assert last.player["status"]["total"] == 1
    assert set(last.levels) == {"griffin-lim"}
    assert "comparison.png" not in download_links(last)
    with zipfile.ZipFile(folder.path / "everything.zip") as archive:
        assert sorted(archive.namelist()) == ["my-mel-npy__griffin-lim.wav", "results.json"]
    results = json.loads((folder.path / "results.json").read_text())
    assert results["mel"]["taken_for"] == "the hw2 mel"
    assert results["metrics"]["griffin-lim"].keys() == {MEL_ERROR}
    table = mel_error_table(last.outputs)
    assert MEL_ERROR in table
    assert "M-STFT" not in table
    assert "Without a recording there is no reference" in mel_note(given())


# The page's sentences about a file


def told(path: Path | None) -> tuple:
    *_, last = mel_looker(Limits(max_seconds=20), InlineExecutor())(None if path is None else str(path))
    return last


def test_a_clear_mel_is_told_and_fills_the_dropdowns(phrase, tmp_path):
    np.save(tmp_path / "clear.npy", mel_of(phrase, HW2).T)
    said, box, *values = told(tmp_path / "clear.npy")
    assert "clear.npy: this looks like the hw2 mel: power" in said
    assert "confidence" in said
    assert box["visible"]
    assert values == ["hw2", "power", "none"]


def test_a_doubtful_mel_asks(phrase, tmp_path):
    decibel = 10 * np.log10(np.maximum(mel_of(phrase, HW2), 1e-10))
    np.save(tmp_path / "below.npy", decibel - decibel.max())
    said, box, *values = told(tmp_path / "below.npy")
    assert "its own maximum" in said
    assert "--recipe" not in said
    assert "Choose what it is." in said
    assert box["visible"]
    assert values == [None, None, None]
    with pytest.raises(MelFileError, match="choose the recipe, the scale and the logarithm"):
        chosen_mel(str(tmp_path / "below.npy"), "hw2", "power", None, Limits(), InlineExecutor())


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\x93NUMPY\x01\x00", "header is damaged"), (b"", "not a NumPy array"), (None, "128 bands, probably")],
)
def test_what_is_no_mel_is_said(content, reason, tmp_path):
    path = tmp_path / "bad.npy"
    path.write_bytes(content) if content is not None else np.save(path, np.ones((128, 40)))
    said, box, *values = told(path)
    assert reason in said
    assert not box["visible"]
    assert values == [None, None, None]


def test_without_a_file_nothing_is_asked():
    said, box, *_ = told(None)
    assert (said, box["visible"]) == ("", False)
    assert chosen_mel(None, None, None, None, Limits(), InlineExecutor()) is None


def test_what_is_chosen_wins_where_it_is_possible(phrase, tmp_path):
    np.save(tmp_path / "m.npy", log_hifigan_mel(phrase).values)
    path = str(tmp_path / "m.npy")
    mel = chosen_mel(path, "hw2", "power", "e", Limits(), InlineExecutor())
    assert mel.features.kind == "hw2 mel"
    assert mel.taken_for == "the hw2 mel: power, HTK bands of peak 1, natural logarithm, as chosen"
    with pytest.raises(MelFileError, match="has negative values, so it is not linear"):
        chosen_mel(path, "hw2", "power", "none", Limits(), InlineExecutor())


def test_a_mel_is_as_long_as_a_recording_may_be(tmp_path):
    np.save(tmp_path / "long.npy", np.ones((80, 3000), np.float32))
    with pytest.raises(ValueError, match="lasts 35 s; at most 20 s"):
        read_given_mel(tmp_path / "long.npy", Declared(), 20.0, lambda: None)
