"""The Python interface as the README shows it."""

import dataclasses
import re

import numpy as np
import pytest
import soundfile

from common.paths import ROOT
from common.unavailable import Unavailable
from eval import score
from eval.compare.overlap import LengthError
from eval.metrics.registry import METRICS
from tests.conftest import harmonic_tone
from vocoders import load_system, read_recording
from vocoders.analysis import Analysis, synthesize
from vocoders.audio import SAMPLE_RATE
from vocoders.catalogue import find_system
from vocoders.recordings.reader import AudioError


@pytest.fixture
def song(tmp_path, monkeypatch):
    """song.wav in the current folder: stereo, 44.1 kHz, 0.8 s."""
    tone = np.interp(np.arange(35_280) / 2, np.arange(17_640), harmonic_tone(0.8))
    soundfile.write(tmp_path / "song.wav", np.stack([tone, tone], axis=1), 44_100)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "song.wav"


def test_the_readmes_example_runs_as_printed(song, capsys):
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## In Python")[1].split("\n## ")[0]
    exec(re.search(r"```python\n(.*?)```", section, re.DOTALL)[1], {})
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["griffin-lim", "hifigan-hw2"]
    for line in lines:
        m_stft, f0_error = re.search(r"\{'M-STFT': ([\d.]+), 'F0 error': ([\d.]+)\}$", line).groups()
        assert 0 < float(m_stft) < 3
        assert float(f0_error) < 1
        written = soundfile.info(song.with_name(f"{line.partition(' ')[0]}.wav"))
        assert (written.samplerate, written.channels, written.frames) == (SAMPLE_RATE, 1, 17_640)


def test_a_recording_is_mono_at_the_labs_rate_and_tells_the_files(song):
    recording = read_recording(song)
    assert (recording.samples.shape, recording.samples.dtype, recording.rate) == ((17_640,), np.float32, 44_100)
    part = read_recording(str(song), start=0.2, end=0.5)
    assert np.abs(part.samples[2000:4000] - recording.samples[4410:][2000:4000]).max() < 1e-3


def test_recordings_that_cannot_be_used_are_refused(song, tmp_path):
    with pytest.raises(AudioError, match=r"gone\.wav: there is no such file"):
        read_recording(tmp_path / "gone.wav")
    with pytest.raises(AudioError, match=r"song\.wav: the recording lasts more than 0\.5 s"):
        read_recording(song, max_seconds=0.5)
    with pytest.raises(ValueError, match="a passage ends after it begins"):
        read_recording(song, start=0.5, end=0.2)


def test_a_systems_output_is_that_of_the_commands(song):
    recording = read_recording(song)
    samples, rate = load_system("griffin-lim-oracle")(recording)
    assert rate == SAMPLE_RATE
    assert np.array_equal(samples, synthesize(find_system("griffin-lim-oracle"), Analysis(recording.samples)))
    assert load_system("griffin-lim-oracle").system == find_system("griffin-lim-oracle")


def test_an_unknown_system_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match="unknown vocoder 'wavenet'; known: griffin-lim-oracle, "):
        load_system("wavenet")


def test_a_score_is_the_formulas_value_and_its_optimum_is_the_identity(tone):
    noisy = tone + np.random.default_rng(0).normal(0, 0.01, len(tone)).astype(np.float32)
    values = score(tone, noisy, SAMPLE_RATE, ["M-STFT", "log-mel L1"])
    assert values == {name: METRICS[name].compute(tone, noisy) for name in ("M-STFT", "log-mel L1")}
    assert score(tone, noisy, SAMPLE_RATE, "M-STFT,log-mel L1") == values
    assert score(tone, tone, 44_100, ["M-STFT", "F0 error"]) == {"M-STFT": 0.0, "F0 error": 0.0}


def test_a_score_does_not_depend_on_the_rate_that_signals_come_in(song, tone):
    """The same signals at twice the rate; the tolerance is for the resampler's transition band below 11 kHz."""
    noisy = tone + np.random.default_rng(0).normal(0, 0.01, len(tone)).astype(np.float32)
    doubled = [np.fft.irfft(np.fft.rfft(x), 2 * len(x)).astype(np.float32) * 2 for x in (tone, noisy)]
    expected = score(tone, noisy, SAMPLE_RATE, "log-mel L1")["log-mel L1"]
    assert score(*doubled, 2 * SAMPLE_RATE, "log-mel L1")["log-mel L1"] == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(
    ("estimate", "rate", "metrics", "complaint"),
    [
        (np.zeros(33_075, np.float32), 22_050, None, "the estimate is silent"),
        (np.ones((2, 33_075), np.float32), 22_050, None, "the estimate must be a mono float array"),
        (np.full(33_075, np.nan, np.float32), 22_050, None, "the estimate holds values that are not numbers"),
        (harmonic_tone(), 4_000, None, "the sampling rate is 4000 Hz; 8000 to 192000 Hz are accepted"),
        (harmonic_tone(), 22_050, ["beauty"], "unknown metric 'beauty'"),
        (harmonic_tone(), 22_050, [], "unknown metric '\\(none\\)'"),
    ],
)
def test_signals_and_names_that_cannot_be_used_are_refused(tone, estimate, rate, metrics, complaint):
    with pytest.raises(ValueError, match=complaint):
        score(tone, estimate, rate, metrics)


def test_an_estimate_of_another_length_is_refused(tone):
    with pytest.raises(LengthError, match="at most 2%"):
        score(tone, tone[:9000], SAMPLE_RATE, "M-STFT")


def test_a_metric_that_is_asked_for_and_cannot_be_computed_is_an_error(tone, monkeypatch):
    missing = dataclasses.replace(METRICS["M-STFT"], why_not=lambda: "its package is not installed")
    monkeypatch.setitem(METRICS, "M-STFT", missing)
    with pytest.raises(Unavailable, match="M-STFT: its package is not installed"):
        score(tone, tone, SAMPLE_RATE, ["M-STFT"])
