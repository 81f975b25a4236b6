"""The synthetic example clips: what is shipped is what the program renders, and it sings what the score says."""

import importlib.util
import sys
from dataclasses import dataclass, replace

import librosa
import numpy as np
import pytest
import soundfile

from common.paths import ASSETS
from train.small_models.singer import synthesis as sing
from train.small_models.singer import voices

FOLDER = ASSETS / "examples"


def load_command():
    spec = importlib.util.spec_from_file_location("examples_sing", FOLDER / "sing.py")  # assets is not a package
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


SHORT = (voices.Note(57, 0.3, "a", "m"), voices.Note(60, 0.3, "e"))


def track_pitch(audio: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Times (s) and F0 (Hz) of the voiced frames, by a tracker that knows nothing of the synthesizer."""
    audio = librosa.resample(audio, orig_sr=sample_rate, target_sr=16_000)
    try:
        from swift_f0 import SwiftF0
    except ImportError:
        f0, voiced, _ = librosa.pyin(audio, fmin=80, fmax=900, sr=16_000, hop_length=256, frame_length=1024)
        return np.flatnonzero(voiced) * 256 / 16_000, f0[voiced]
    result = SwiftF0().detect(audio, sample_rate=16_000)
    voiced = result.confidence >= 0.9
    return result.timestamps[voiced], result.pitch_hz[voiced]


@dataclass(frozen=True)
class Clip:
    name: str
    score: tuple
    voice: object
    audio: np.ndarray  # (samples,)
    times: np.ndarray  # s, of the frames tracked as voiced
    f0: np.ndarray  # Hz, as tracked


@pytest.fixture(scope="module", params=sorted(voices.SCORES))
def clip(request) -> Clip:
    """Each shipped clip, rendered and tracked once."""
    score, voice = voices.SCORES[request.param]
    audio = sing.sing(score, voice)
    return Clip(request.param, score, voice, audio, *track_pitch(audio, sing.SAMPLE_RATE))


def test_tracked_pitch_is_the_contour(clip):
    contour = sing.f0_contour(clip.score, clip.voice)
    assert contour.shape == clip.audio.shape
    assert clip.times.size * 256 / 16_000 > 0.7 * sum(note.seconds for note in clip.score)  # most of it is voiced
    cents = 1200 * np.log2(clip.f0 / np.interp(clip.times, np.arange(contour.size) / sing.SAMPLE_RATE, contour))
    assert abs(np.median(cents)) < 5
    assert np.median(np.abs(cents)) < 10


def test_notes_reach_their_pitch(clip):
    contour = sing.f0_contour(clip.score, clip.voice)
    ends = np.cumsum([note.seconds for note in clip.score])
    for note, end in zip(clip.score, ends):
        late = contour[round((end - 0.12) * sing.SAMPLE_RATE) : round((end - 0.07) * sing.SAMPLE_RATE)]
        assert abs(1200 * np.log2(late.mean() / voices.hertz(note.pitch))) < 40 + note.vibrato


def test_vibrato_of_the_held_note(clip):
    end = sum(note.seconds for note in clip.score)
    grid = np.arange(end - 1.4, end - 0.15, 0.005)
    cents = np.interp(grid, clip.times, 1200 * np.log2(clip.f0))
    spectrum = np.abs(np.fft.rfft((cents - cents.mean()) * np.hanning(cents.size), 16_384))
    assert 5 < np.fft.rfftfreq(16_384, 0.005)[spectrum.argmax()] < 6
    assert 35 < np.sqrt(2) * cents.std() < 80  # half of the peak-to-peak extent


def test_level_and_band(clip):
    assert clip.audio.dtype == np.float32
    assert 20 * np.log10(np.abs(clip.audio).max()) == pytest.approx(-3, abs=0.01)
    assert abs(clip.audio.mean()) < 1e-4
    power = np.abs(np.fft.rfft(clip.audio)) ** 2
    hertz = np.fft.rfftfreq(clip.audio.size, 1 / sing.SAMPLE_RATE)
    assert 10 * np.log10(power[hertz > sing.TOP_HZ[1]].sum() / power.sum()) < -80  # the dither alone
    assert np.abs(np.diff(clip.audio, 2)).max() < 0.2  # no click


def test_shipped_file_is_a_fresh_rendering(clip):
    path = FOLDER / f"{clip.name}.flac"
    shipped, sample_rate = soundfile.read(path, dtype="int16")
    assert sample_rate == sing.SAMPLE_RATE
    assert path.stat().st_size < 700_000
    assert shipped.shape == clip.audio.shape
    assert np.abs(shipped.astype(int) - sing.to_pcm(clip.audio)).max() <= 1
    with soundfile.SoundFile(path) as file:
        assert file.comment.startswith("Synthetic")


def test_same_arguments_same_samples():
    first = sing.sing(SHORT, voices.BARITONE, seed=3)
    assert np.array_equal(first, sing.sing(SHORT, voices.BARITONE, seed=3))
    assert not np.array_equal(first, sing.sing(SHORT, voices.BARITONE, seed=4))


@pytest.mark.parametrize("sample_rate", [16_000, 48_000])
def test_other_sample_rates_sing_the_same(sample_rate):
    audio = sing.sing(SHORT, voices.BARITONE, sample_rate=sample_rate)
    assert audio.size == round((0.6 + sing.TAIL_SECONDS) * sample_rate)
    power = np.abs(np.fft.rfft(audio)) ** 2
    hertz = np.fft.rfftfreq(audio.size, 1 / sample_rate)
    assert hertz[power.argmax()] < 1200


def test_glottal_pulse_is_a_flow_derivative():
    spectra = np.abs(sing.glottal_spectra(64))
    tilt = 20 * np.log10(spectra[::10, 31] / spectra[::10, 0])  # five octaves, ten steps of Rd apart
    assert np.all(np.diff(tilt) < 0)  # breathier is darker
    assert np.all((tilt < -20) & (tilt > -75))


@pytest.mark.parametrize(
    ("score", "voice", "sample_rate", "message"),
    [
        ((), voices.BARITONE, 44_100, "no notes"),
        ((voices.Note(60, 1, "y"),), voices.BARITONE, 44_100, "'y', allowed: a, e, i, o, u"),
        ((voices.Note(60, 1, "a", "k"),), voices.BARITONE, 44_100, "'k', allowed: '' or one of m, n, l"),
        ((voices.Note(60, 0, "a"),), voices.BARITONE, 44_100, "seconds is 0, allowed"),
        ((voices.Note(120, 1, "a"),), voices.BARITONE, 44_100, "pitch is 120, allowed"),
        (SHORT, voices.BARITONE, 8_000, "sample_rate is 8000, allowed"),
        (SHORT, replace(voices.BARITONE, formants={"u": (1, 2, 3, 4, 5)}), 44_100, "'a', allowed: u$"),
    ],
)
def test_what_cannot_be_sung_is_refused(score, voice, sample_rate, message):
    with pytest.raises(ValueError, match=message):
        sing.sing(score, voice, sample_rate=sample_rate)


def test_nothing_is_overwritten_without_force(monkeypatch, tmp_path):
    (tmp_path / "sung_phrase_low.flac").write_bytes(b"mine")
    monkeypatch.setattr(sys, "argv", ["sing.py", "--out", str(tmp_path)])
    with pytest.raises(SystemExit, match="--force"):
        load_command().main()
    assert [path.name for path in tmp_path.iterdir()] == ["sung_phrase_low.flac"]
