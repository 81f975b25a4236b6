"""Stability of notes, on tones whose movement is known."""

import numpy as np
import pytest

from eval.metrics.note_stability import (
    HOP_RATE_HZ,
    amplitude_flutter,
    band_power,
    f0_jitter,
    hop_buzz,
    modulation,
    sustained,
)
from eval.metrics.pitch import cached_track
from vocoders.audio import SAMPLE_RATE

F0 = 220.0
TIME = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE


def note(
    fm: tuple[float, float] = (0, 0), am: tuple[float, float] = (0, 0), vibrato: float = 40.0, noise: float = 1e-3
):
    """A held note with 6 Hz vibrato of so many cents; fm: Hz and cents, am: Hz and dB of a tremble on top."""
    cents = vibrato * np.sin(2 * np.pi * 6 * TIME) + fm[1] * np.sin(2 * np.pi * fm[0] * TIME)
    phase = 2 * np.pi * np.cumsum(F0 * 2 ** (cents / 1200)) / SAMPLE_RATE
    tone = sum(np.sin(k * phase) / k for k in range(1, 20)) * 10 ** (am[1] * np.sin(2 * np.pi * am[0] * TIME) / 20)
    return (0.2 * tone + np.random.default_rng(0).normal(0, noise, len(TIME))).astype(np.float32)


@pytest.fixture(scope="module")
def steady():
    return note()


def test_the_held_note_is_found_and_its_movement_measured_in_cents(steady):
    (stretch,) = sustained(cached_track(steady))
    assert (stretch.stop - stretch.start) / SAMPLE_RATE > 1.5
    assert np.abs(1200 * np.log2(stretch.hertz / F0)).max() < 25  # the vibrato is smoothed away
    moved = modulation(note(fm=(20, 30), vibrato=0), stretch)
    assert band_power(moved.cents, (10, 40)) == pytest.approx(30**2 / 2, rel=0.15)
    assert band_power(modulation(note(am=(20, 2), vibrato=0), stretch).decibels, (10, 40)) == pytest.approx(2, rel=0.15)


def test_a_tremble_is_told_from_a_vibrato(steady):
    assert f0_jitter(steady, steady) == 0
    assert f0_jitter(steady, note(fm=(20, 30))) > 20
    assert abs(f0_jitter(steady, note(vibrato=60))) < 6  # half as much vibrato again is no tremble
    assert abs(amplitude_flutter(steady, note(fm=(20, 30)))) < 6


def test_more_trembling_is_more_and_smoothing_is_less():
    sung = note(fm=(20, 10))
    levels = [f0_jitter(sung, note(fm=(20, cents))) for cents in (5, 10, 20, 40)]
    assert levels == sorted(levels)
    assert levels == pytest.approx([-6, 0, 6, 12], abs=0.7)


def test_flutter_is_seen_in_the_level_only(steady):
    assert amplitude_flutter(steady, steady) == 0
    assert amplitude_flutter(steady, note(am=(20, 1))) > 15
    assert abs(f0_jitter(steady, note(am=(20, 1)))) < 3


def test_a_buzz_at_the_hop_rate_stands_out(steady):
    buzz = sum(np.sin(2 * np.pi * k * HOP_RATE_HZ * TIME) for k in range(1, 80)).astype(np.float32)
    assert hop_buzz(steady, steady) == 0
    assert hop_buzz(steady, steady + 3e-4 * buzz) > 3
    hum = sum(np.sin(2 * np.pi * k * 71.3 * TIME) for k in range(1, 80)).astype(np.float32)
    assert abs(hop_buzz(steady, steady + 3e-4 * hum)) < 2


def test_without_a_held_note_there_is_nothing_to_say():
    noise = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
    for metric in (f0_jitter, amplitude_flutter, hop_buzz):
        assert np.isnan(metric(noise, noise))
