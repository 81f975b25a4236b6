"""A comparison of several rates: every track is written and drawn at its own, differences and residuals below the common Nyquist."""

import io
import json
import threading

import numpy as np
import pytest
import soundfile
from PIL import Image

from eval.reports import spectrogram
from tests.conftest import harmonic_tone
from ui.compare.job import CompareJob
from ui.compare.made_elsewhere import read_outputs
from vocoders.audio import SAMPLE_RATE, Recording
from vocoders.catalogue import find_systems
from vocoders.recordings.reader import Limits, read_recording

RATE, SECONDS, DELAY = 44_100, 1.5, 13_231  # an odd delay: half a sample at 22 050 Hz
ORACLE = tuple(find_systems("griffin-lim-oracle"))


def voice(rate: int = RATE, seed: int = 0) -> np.ndarray:
    time = np.arange(round(SECONDS * rate)) / rate
    noise = np.random.default_rng(seed).normal(0, 0.03, len(time))
    return 0.15 * np.sin(2 * np.pi * 220 * time) + noise


def written(path, samples, rate=RATE):
    soundfile.write(path, samples, rate, subtype="PCM_24")
    return path


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """(last view, folder): a recording at 44.1 kHz, a late full-band output of 44.1 kHz, one of 16 kHz, and a system of 22.05 kHz."""
    from server.results import ResultStore

    root = tmp_path_factory.mktemp("rates")
    recording = read_recording(written(root / "song.wav", voice()))
    full = written(root / "full.wav", np.concatenate([np.zeros(DELAY), voice() + voice(seed=1) / 50]))
    low = written(root / "low.wav", recording.at(16_000), 16_000)
    folder = ResultStore(root / "results").new()
    given = read_outputs([full, low], recording, Limits())
    *_, last = CompareJob(recording, [*given, *ORACLE], folder, residuals=True).run(threading.Event())
    return last, folder


def track_of(compared, track_id: str) -> dict:
    return next(track for track in compared[0].player["tracks"] if track["id"] == track_id)


def file_of(compared, url: str):
    return compared[1].path / url.rpartition("/")[2]


@pytest.mark.parametrize(
    ("track_id", "rate", "difference"),
    [
        ("reference", RATE, None),
        ("file-full", RATE, RATE / 2),
        ("file-low", 16_000, 8000),
        ("griffin-lim-oracle", SAMPLE_RATE, SAMPLE_RATE / 2),
        ("file-full--residual", RATE, None),
        ("griffin-lim-oracle--residual", SAMPLE_RATE, None),
    ],
)
def test_a_track_is_written_and_drawn_at_its_own_rate(compared, track_id, rate, difference):
    track = track_of(compared, track_id)
    about = soundfile.info(file_of(compared, track["audio"]["url"]))
    assert (about.samplerate, about.frames) == (rate, round(SECONDS * rate))
    assert track["image"]["frequency_max"] == rate / 2
    picture = Image.open(file_of(compared, track["image"]["url"]))
    assert picture.size == (-(-round(SECONDS * SAMPLE_RATE) // 256), spectrogram.level(np.zeros(2000), rate).shape[0])
    assert (track["difference"] or {}).get("frequency_max") == difference


def test_the_player_has_the_highest_rate(compared):
    player = compared[0].player
    assert player["sample_rate"] == RATE
    assert player["spectrogram"]["frequency_max"] == RATE / 2


def test_a_late_output_is_placed_to_the_sample_of_its_own_rate(compared):
    samples, _ = soundfile.read(file_of(compared, track_of(compared, "file-full")["audio"]["url"]))
    wanted = voice() + voice(seed=1) / 50
    assert np.abs(samples - wanted).max() <= 2**-15  # 16 bits of 24


def test_a_residual_is_what_was_added(compared):
    about = track_of(compared, "file-full--residual")["about"]
    assert "−34.0 dB against it" in about  # 20 lg 50


def test_levels_are_those_of_what_is_played(compared):
    from eval.metrics.loudness import loudness

    view, _ = compared
    samples, rate = soundfile.read(file_of(compared, track_of(compared, "reference")["audio"]["url"]), dtype="float32")
    assert view.levels["reference"].lufs == pytest.approx(loudness(samples, rate), abs=1e-3)


def test_results_name_the_rates(compared):
    content = json.loads((compared[1].path / "results.json").read_text())
    assert (content["recording"]["sample_rate"], content["recording"]["metrics_rate"]) == (RATE, SAMPLE_RATE)
    rates = {name: system.get("sample_rate") for name, system in content["systems"].items()}
    assert rates == {"file-full": RATE, "file-low": 16_000, "griffin-lim-oracle": None}


def test_all_at_22_050_is_as_ever(store):
    """The same bytes of picture and wav as the functions without a rate give."""
    recording, folder = Recording("clip", harmonic_tone(0.6)), store.new()
    *_, last = CompareJob(recording, ORACLE, folder).run(threading.Event())
    player = last.player
    assert (player["sample_rate"], player["spectrogram"]["frequency_max"]) == (SAMPLE_RATE, SAMPLE_RATE / 2)
    reference, output = player["tracks"]
    picture = spectrogram.level_png(spectrogram.level(recording.samples))
    assert (folder.path / reference["image"]["url"].rpartition("/")[2]).read_bytes() == picture
    change = spectrogram.difference_png(spectrogram.difference(recording.samples, last.outputs[0].samples))
    assert (folder.path / output["difference"]["url"].rpartition("/")[2]).read_bytes() == change
    content = json.loads((folder.path / "results.json").read_text())
    assert "metrics_rate" not in content["recording"]
    assert "sample_rate" not in content["systems"]["griffin-lim-oracle"]


@pytest.mark.parametrize("rate", [16_000, 24_000, 44_100, 48_000])
def test_a_full_scale_sine_is_0_db_in_its_row_at_any_rate(rate):
    size = 2 * round(1024 * rate / SAMPLE_RATE / 2)
    tone = np.sin(2 * np.pi * 100 / size * np.arange(rate)).astype(np.float32)
    picture = spectrogram.level(tone, rate)
    assert picture.shape == (size // 2 + 1, -(-SAMPLE_RATE // 256))
    assert np.argmax(picture[:, 40]) == 100
    assert picture[100, 40] == pytest.approx(0, abs=0.01)


def test_a_picture_at_twice_the_rate_has_the_same_lower_half_at_the_same_times():
    """Of what ends below 11 kHz, within what resampling changes."""
    recording = harmonic_tone(1.0)
    twice = Recording("x", recording).at(44_100)
    both = spectrogram.level(twice, 44_100), spectrogram.level(recording)
    assert both[0].shape[1] == both[1].shape[1]
    inside = np.abs(both[0][:450, 2:-2] - both[1][:450, 2:-2])[both[1][:450, 2:-2] > -70]
    assert inside.max() < 0.5
    assert np.median(inside) < 0.02


def test_the_figure_reaches_to_the_highest_rate(tmp_path):
    from eval.reports.figures import save_comparison
    from vocoders.audio import Waveform

    full = Recording("full", harmonic_tone(0.5), own=Waveform(voice()[: RATE // 2].astype(np.float32), RATE))
    picture = io.BytesIO()
    save_comparison(picture, full, {"half": Recording("half", harmonic_tone(0.5))})
    assert Image.open(picture).size[0] > 1000
