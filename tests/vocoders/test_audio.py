import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from vocoders.audio import SAMPLE_RATE, fit_length, resample, to_pcm16, write_wav


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000, 96_000, 192_000])
def test_a_resampled_sine_is_the_same_sine(rate):
    time = np.arange(rate) / rate
    found = resample(np.sin(2 * np.pi * 1000 * time).astype(np.float32), rate)
    wanted = np.sin(2 * np.pi * 1000 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
    assert len(found) == SAMPLE_RATE
    middle = slice(2000, -2000)  # the ends carry the filter's ringing
    assert np.abs(found - wanted)[middle].max() < 1e-4


def test_resampling_removes_what_would_alias():
    time = np.arange(44_100) / 44_100
    found = resample(np.sin(2 * np.pi * 15_000 * time).astype(np.float32), 44_100)
    assert np.abs(found[2000:-2000]).max() < 1e-4


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=200))
def test_16_bit_samples_survive_the_round_trip_exactly(values):
    pcm = np.array(values, dtype=np.int16)
    assert np.array_equal(to_pcm16(pcm.astype(np.float32) / 32768), pcm)


@given(st.integers(0, 50), st.integers(0, 50))
def test_fit_length_keeps_the_start(before, after):
    samples = np.arange(1, before + 1, dtype=np.float32)
    fitted = fit_length(samples, after)
    kept = min(before, after)
    assert len(fitted) == after
    assert np.array_equal(fitted[:kept], samples[:kept])
    assert not fitted[kept:].any()


def test_writing_counts_and_clips_what_passes_full_scale(tmp_path):
    clipped = write_wav(tmp_path / "new" / "a.wav", np.array([0.0, 0.5, 1.5, -2.0], dtype=np.float32))
    pcm, rate = soundfile.read(tmp_path / "new" / "a.wav", dtype="int16")
    assert (clipped, rate) == (2, SAMPLE_RATE)
    assert pcm.tolist() == [0, 16384, 32767, -32768]
