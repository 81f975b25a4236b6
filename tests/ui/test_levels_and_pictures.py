"""Loudness matching, spectrogram images, figures."""

import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from eval.metrics.loudness import MAX_TRUE_PEAK_DBTP, TARGET_LUFS, loudness, match_levels, true_peak
from eval.reports import spectrogram
from eval.reports.figures import save_comparison
from tests.conftest import harmonic_tone
from vocoders.audio import Recording


def sine(frequency: float, seconds: float = 2.0, amplitude: float = 1.0) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * frequency * np.arange(int(seconds * 22_050)) / 22_050)).astype(np.float32)


def test_the_standards_calibration_tone():
    """BS.1770: a full-scale 997 Hz sine in one channel reads -3.01 LUFS; the filter at 22 050 Hz is 0.06 off."""
    assert loudness(sine(997)) == pytest.approx(-3.01, abs=0.08)
    assert loudness(sine(997, amplitude=0.1)) == pytest.approx(-23.01, abs=0.08)


def test_short_and_silent_takes_have_a_defined_loudness():
    assert loudness(sine(997, 0.2)) == pytest.approx(-3.7, abs=0.1)  # unweighted power
    assert loudness(np.zeros(40_000, np.float32)) == -math.inf
    assert loudness(np.zeros(10, np.float32)) == loudness(np.zeros(0, np.float32)) == -math.inf


def test_a_true_peak_lies_between_samples():
    """A quarter of the sampling rate, 45 degrees off: every sample is 3 dB below the peak."""
    hidden = np.sin(2 * np.pi * np.arange(4000) / 4 + np.pi / 4).astype(np.float32)
    assert np.abs(hidden).max() == pytest.approx(0.707, abs=1e-3)
    assert true_peak(hidden) == pytest.approx(0.0, abs=0.35)  # four times oversampled


def test_matched_takes_have_the_target_loudness():
    sounds = {"loud": harmonic_tone(), "soft": 0.02 * harmonic_tone(f0=300)}
    levels = match_levels({name: (loudness(sound), true_peak(sound)) for name, sound in sounds.items()})
    for name, level in levels.items():
        assert loudness(sounds[name] * 10 ** (level.gain / 20)) == pytest.approx(TARGET_LUFS, abs=0.1)


@given(st.dictionaries(st.text(max_size=3), st.tuples(st.floats(-60, 0), st.floats(-40, 6)), min_size=1, max_size=6))
def test_no_peak_passes_the_ceiling_and_all_stay_matched(measured):
    levels = match_levels(measured)
    matched = [level.lufs + level.gain for level in levels.values()]
    assert max(matched) - min(matched) < 1e-6
    assert max(level.true_peak + level.gain for level in levels.values()) <= MAX_TRUE_PEAK_DBTP + 1e-6
    assert max(matched) <= TARGET_LUFS + 1e-6


def test_silence_gets_no_gain():
    sounds = {"silence": np.zeros(30_000, np.float32), "tone": harmonic_tone()}
    levels = match_levels({name: (loudness(sound), true_peak(sound)) for name, sound in sounds.items()})
    assert levels["silence"].gain == 0


def test_the_level_of_a_full_scale_sine_is_0_db():
    picture = spectrogram.level(sine(22_050 / 1024 * 100))
    assert picture.shape == (513, math.ceil(2 * 22_050 / 256))
    assert picture[100, 5:-5] == pytest.approx(0.0, abs=0.01)
    assert picture.min() == spectrogram.MIN_DB


def test_half_the_gain_is_6_db_of_difference_and_silence_is_none():
    tone = sine(22_050 / 1024 * 100)
    signed = spectrogram.difference(tone, tone / 2)
    assert signed[100, 5:-5] == pytest.approx(-6.02, abs=0.01)
    silence = np.zeros(5000, np.float32)
    assert not spectrogram.difference(silence, silence).any()


def test_pictures_have_one_pixel_per_bin_and_frame_and_fixed_colours():
    tone = harmonic_tone(0.5)
    image = Image.open(io.BytesIO(spectrogram.level_png(spectrogram.level(tone))))
    assert (image.mode, image.size) == ("P", (math.ceil(len(tone) / 256), 513))
    flat = Image.open(io.BytesIO(spectrogram.difference_png(np.zeros((513, 4)))))
    assert max(flat.convert("RGB").getpixel((0, 0))) < 40  # no difference is (nearly) black
    low, high = (np.full((513, 4), value) for value in (-500.0, 500.0))
    assert set(Image.open(io.BytesIO(spectrogram.level_png(low))).tobytes()) == {0}
    assert set(Image.open(io.BytesIO(spectrogram.level_png(high))).tobytes()) == {255}


def test_high_frequencies_are_on_top():
    image = Image.open(io.BytesIO(spectrogram.level_png(spectrogram.level(sine(10_000)))))
    brightest_row = np.asarray(image)[:, 20].argmax()
    assert brightest_row == pytest.approx((1 - 10_000 / 11_025) * 513, abs=2)


def test_the_figure_is_drawn(tmp_path):
    tone = harmonic_tone(0.5)
    estimates = {"half": Recording("half", tone / 2), "quarter": Recording("quarter", tone / 4)}
    save_comparison(tmp_path / "figure.png", Recording("tone", tone), estimates)
    width, height = Image.open(tmp_path / "figure.png").size
    assert width > 1000
    assert height > 500
