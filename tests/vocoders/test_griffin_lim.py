"""The STFT, Griffin-Lim and mel inversion, against what must hold by definition; against librosa in test_speed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.metrics.note_stability import FLUTTER_BAND_HZ, JITTER_BAND_HZ, band_power, modulation, sustained
from eval.metrics.pitch import track_pitch
from tests.conftest import harmonic_tone
from vocoders.mel import HW2, filterbank, mel_of, mel_of_magnitude
from vocoders.phase.griffin_lim import griffin_lim
from vocoders.phase.inversion import invert_mel
from vocoders.phase.stft import istft, stft


def convergence(wanted: np.ndarray, found: np.ndarray) -> float:
    return float(np.linalg.norm(wanted - found) / np.linalg.norm(wanted))


@given(st.one_of(st.integers(1, 40), st.integers(120, 400)), st.integers(0, 2**31))  # also several blocks
@settings(max_examples=40)
def test_the_inverse_stft_is_exact(frames, seed):
    samples = np.random.default_rng(seed).normal(0, 0.1, frames * 256).astype(np.float32)
    assert np.abs(istft(stft(samples)) - samples).max() < 1e-5


def test_projecting_twice_is_projecting_once(rng):
    anything = (rng.normal(size=(30, 513)) + 1j * rng.normal(size=(30, 513))).astype(np.complex64)
    once = stft(istft(anything))
    assert np.abs(stft(istft(once)) - once).max() < 1e-4
    assert np.linalg.norm(once) < np.linalg.norm(anything)


def test_stft_power_gives_torchaudios_mel(tone):
    magnitude = np.abs(stft(tone)).T
    wanted = mel_of(tone, HW2)
    assert np.abs(mel_of_magnitude(magnitude, HW2) - wanted).max() < 1e-5 * wanted.max()


def test_more_iterations_and_the_true_phase_are_better(tone):
    tone = tone[: 256 * 100]  # whole frames: Griffin-Lim knows nothing of what follows
    spectrum = stft(tone)
    magnitude = np.abs(spectrum).T
    errors = [convergence(magnitude, np.abs(stft(griffin_lim(magnitude, iterations=n))).T) for n in (2, 8, 32)]
    assert errors[0] > errors[1] > errors[2]
    exact = griffin_lim(magnitude, iterations=1, phase=np.angle(spectrum).T)
    assert np.abs(exact - tone[: len(exact)]).max() < 1e-4


def test_iterations_of_the_low_band_steady_the_pitch_as_iterations_of_all_bins_do():
    tone = harmonic_tone(3.0)
    (note,) = sustained(track_pitch(tone))
    magnitude = invert_mel(mel_of(tone, HW2))

    def movement(iterations: int, low_band_iterations: int) -> np.ndarray:
        """Jitter and flutter of the note, dB."""
        found = modulation(griffin_lim(magnitude, iterations=iterations, low_band_iterations=low_band_iterations), note)
        powers = band_power(found.cents, JITTER_BAND_HZ), band_power(found.decibels, FLUTTER_BAND_HZ)
        return 10 * np.log10(powers)

    few, many, low = movement(32, 0), movement(192, 0), movement(32, 192)
    assert (low < many + 1).all()
    assert (low < few - 6).all()


def test_iterations_of_the_low_band_leave_true_phases_as_they_are(tone):
    tone = tone[: 256 * 100]
    spectrum = stft(tone)
    phase = np.angle(spectrum).T
    found = griffin_lim(np.abs(spectrum).T, iterations=1, low_band_iterations=20, phase=phase)
    middle = slice(4096, -4096)  # the ends, where the tone is cut off, have few windows over them
    assert np.linalg.norm((found - tone)[middle]) < 0.003 * np.linalg.norm(tone[middle])


def test_griffin_lim_is_deterministic_by_seed_and_leaves_its_input_alone(tone):
    magnitude = np.abs(stft(tone)).T
    before = magnitude.copy()
    first, again, other = (griffin_lim(magnitude, iterations=3, seed=seed) for seed in (4, 4, 5))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.array_equal(magnitude, before)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_very_short_and_silent_inputs(frames):
    assert not griffin_lim(np.zeros((513, frames), np.float32), iterations=2, low_band_iterations=2).any()
    assert griffin_lim(np.ones((513, frames), np.float32), iterations=2).shape == (frames * 256,)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"iterations": 0}, "at least 1 iteration"),
        ({"low_band_iterations": -1}, "low band needs 0 iterations or more, not -1"),
        ({"momentum": 1.0}, r"in \[0, 1\), not 1.0"),
    ],
)
def test_impossible_settings_are_refused(options, reason):
    with pytest.raises(ValueError, match=reason):
        griffin_lim(np.ones((513, 2)), **options)


def test_negative_magnitudes_are_refused():
    with pytest.raises(ValueError, match="finite and not negative"):
        griffin_lim(np.full((513, 2), -1.0))


def test_inversion_reproduces_the_mel_and_finds_the_harmonics(tone):
    mel = mel_of(tone, HW2)
    magnitude = invert_mel(mel)
    assert magnitude.shape == (513, mel.shape[1])
    assert not magnitude[372:].any()  # above 8 kHz
    assert convergence(mel, mel_of_magnitude(magnitude, HW2)) < 0.02
    true = np.abs(stft(tone)).T[:372]
    pinv = np.sqrt(np.maximum(np.linalg.pinv(filterbank(HW2.scale, HW2.unit_area)) @ mel, 0))[:372]
    assert convergence(true, magnitude[:372]) < 0.75 * convergence(true, pinv)


def test_inversion_improves_with_iterations_and_scales_with_the_power(tone):
    mel = mel_of(tone, HW2)
    errors = [convergence(mel, mel_of_magnitude(invert_mel(mel, iterations=n), HW2)) for n in (1, 10, 50)]
    assert errors[0] > errors[1] > errors[2]
    assert np.allclose(invert_mel(4 * mel), 2 * invert_mel(mel), rtol=1e-2, atol=1e-5)


def test_inversion_of_silence_is_silence():
    assert not invert_mel(np.zeros((80, 3), np.float32)).any()


@pytest.mark.parametrize(
    ("mel", "reason"),
    [
        (np.zeros((79, 3)), r"\(80, frames\), not \(79, 3\)"),
        (np.full((80, 3), -1.0), "logarithmic already"),
        (np.full((80, 3), np.inf), "finite"),
    ],
)
def test_what_is_no_hw2_mel_is_refused(mel, reason):
    with pytest.raises(ValueError, match=reason):
        invert_mel(mel)


@pytest.mark.parametrize("low_band_iterations", [0, 60])
def test_a_known_beginning_stays_and_the_rest_follows_from_it(tone, low_band_iterations):
    spectrum = stft(tone)
    options = {"low_band_iterations": low_band_iterations, "beginning": spectrum[:60]}
    found = griffin_lim(np.abs(spectrum).T, iterations=60, **options)
    assert np.abs(found[: 50 * 256] - tone[: 50 * 256]).max() < 0.02 * np.abs(tone).max()
    after = slice(58 * 256, 66 * 256)
    assert np.corrcoef(found[after], tone[after])[0, 1] > 0.8
