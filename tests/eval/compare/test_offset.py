"""How late an estimate is: to the sample where the waveforms are the same, within a frame where the phases are others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.paths import ROOT
from eval.compare.offset import MAX_COMPARED_SAMPLES, MAX_OFFSET_SAMPLES, find_offset
from eval.metrics.alignment import delay
from tests.conftest import harmonic_tone
from vocoders.analysis import Analysis, synthesize
from vocoders.audio import SAMPLE_RATE
from vocoders.catalogue import find_system
from vocoders.mel import HOP
from vocoders.recordings.reader import read_recording

PHRASE = ROOT / "assets" / "examples" / "sung_phrase_low.flac"


def late(samples: np.ndarray, delay: int) -> np.ndarray:
    """Silence before it, or its start cut off."""
    return np.pad(samples, (delay, 0)) if delay >= 0 else samples[-delay:]


def noise(seconds: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * SAMPLE_RATE)).astype(np.float32)


def steady(seconds: float, f0: float) -> np.ndarray:
    """Strictly periodic: it fits itself at every period."""
    phase = 2 * np.pi * f0 * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.2 * sum(np.sin(k * phase + k) / k for k in range(1, 9))).astype(np.float32)


delays = st.integers(-MAX_OFFSET_SAMPLES, MAX_OFFSET_SAMPLES)


@settings(max_examples=25)
@given(delays, st.floats(1.5, 2.5), st.integers(0, 99), st.floats(0.01, 3), st.booleans())
def test_noise_is_found_to_the_sample(wanted, seconds, seed, gain, inverted):
    reference = noise(seconds, seed)
    found = find_offset(reference, late(reference, wanted) * np.float32(-gain if inverted else gain))
    assert (found.samples, found.exact, found.inverted) == (wanted, True, inverted)


@settings(max_examples=25)
@given(delays, st.floats(1.5, 2.5), st.floats(70, 800), st.sampled_from([0.0, 0.02]))
def test_a_sung_tone_is_found_to_the_sample(wanted, seconds, f0, vibrato):
    reference = harmonic_tone(seconds, f0, vibrato)
    assert find_offset(reference, late(reference, wanted)).samples == wanted


@settings(max_examples=25)
@given(st.integers(0, MAX_OFFSET_SAMPLES), st.floats(1.5, 2.5), st.floats(70, 800))
def test_a_strictly_periodic_tone_is_found_by_its_ends(wanted, seconds, f0):
    """Also when the file's length is kept, so that the delay pushes its end out."""
    reference = steady(seconds, f0)
    for estimate in (late(reference, wanted), late(reference, wanted)[: len(reference)]):
        assert find_offset(reference, estimate).samples == wanted


@pytest.fixture(scope="module")
def phrase():
    return read_recording(PHRASE).samples


@pytest.fixture(scope="module", params=["griffin-lim", "griffin-lim-oracle"])
def output(request, phrase):
    return synthesize(find_system(request.param), Analysis(phrase))


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("wanted", [-20_000, -5000, -1103, 0, 1103, 11_025, MAX_OFFSET_SAMPLES])
def test_an_output_with_phases_of_its_own_is_found_within_a_frame(phrase, output, wanted, cut):
    estimate = late(output, wanted)[: len(phrase)] if cut else late(output, wanted)
    found = find_offset(phrase, estimate)
    assert abs(found.samples - wanted) < HOP / 4
    assert not found.exact
    assert np.isnan(delay(phrase, estimate))


def test_what_is_of_something_else_or_silent_has_no_place(phrase, rng):
    assert find_offset(phrase, noise(2.0, 7)) is None
    assert find_offset(phrase, np.zeros_like(phrase)) is None
    assert find_offset(np.zeros_like(phrase), phrase) is None
    assert find_offset(phrase, np.zeros(0, np.float32)) is None


def test_a_change_of_level_noise_and_rate_costs_nothing(phrase, rng):
    import soxr

    noisy = phrase + rng.normal(0, 0.2 * phrase.std(), len(phrase)).astype(np.float32)
    telephone = soxr.resample(soxr.resample(phrase, SAMPLE_RATE, 8000), 8000, SAMPLE_RATE).astype(np.float32)
    for estimate in (0.01 * noisy, telephone):
        assert abs(find_offset(phrase, late(estimate, 3000)).samples - 3000) <= 1


def test_of_a_long_recording_the_first_minute_of_sound_is_looked_at(phrase):
    quiet = np.zeros(MAX_COMPARED_SAMPLES, np.float32)
    long = np.concatenate([quiet, np.tile(phrase, -(-MAX_COMPARED_SAMPLES // len(phrase))), noise(1.0, 3)])
    assert find_offset(long, late(long, 777)).samples == 777


def test_the_metric_reaches_a_second(phrase):
    assert delay(phrase, late(phrase, MAX_OFFSET_SAMPLES)) == MAX_OFFSET_SAMPLES
    assert delay(phrase, late(phrase, -MAX_OFFSET_SAMPLES)) == -MAX_OFFSET_SAMPLES
