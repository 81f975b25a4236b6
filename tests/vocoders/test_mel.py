"""Both mels against independent implementations: torchaudio, librosa, and the original definition written out."""

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import harmonic_tone
from vocoders import mel as mel_module
from vocoders.features import log_hifigan_mel, remel, stft_magnitude
from vocoders.mel import HIFIGAN, HOP, HW2, MelSpectrogram, filterbank, frame_count, log_mel, mel_of, recipe_named
from vocoders.torchaudio_cpu import import_torchaudio


def hifigan_mel_by_definition(samples: np.ndarray) -> np.ndarray:
    """Kong et al.'s mel with librosa's filters, NumPy's padding and NumPy's FFT, in float64."""
    padded = np.pad(samples.astype(np.float64), 384, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, 1024)[::256]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    magnitude = np.sqrt(np.abs(np.fft.rfft(frames * window)) ** 2 + 1e-9).T
    filters = librosa.filters.mel(sr=22050, n_fft=1024, n_mels=80, fmin=0, fmax=8000)
    return np.log(np.clip(filters @ magnitude, 1e-5, None))


@pytest.fixture(params=["torchaudio", "own code"])
def hw2(request, monkeypatch) -> MelSpectrogram:
    """The hw2 mel by both ways the project can compute it."""
    if request.param == "own code":
        monkeypatch.setattr(mel_module, "import_torchaudio", lambda: None)
    transform = MelSpectrogram(HW2)
    assert (transform.torchaudio is None) == (request.param == "own code")
    return transform


def test_hw2_equals_torchaudio(hw2, tone):
    torchaudio = import_torchaudio()
    reference = torchaudio.transforms.MelSpectrogram(
        sample_rate=22050,
        n_fft=1024,
        win_length=1024,
        hop_length=256,
        f_min=0,
        f_max=8000,
        pad=384,
        n_mels=80,
        power=2,
        center=False,
    )(torch.from_numpy(tone))
    found = hw2(torch.from_numpy(tone))
    assert found.shape == reference.shape == (80, len(tone) // 256)
    assert (found - reference).abs().max() <= 1e-5 * reference.max()
    # Value by value. torchaudio makes its triangles in float32, ours are exact: 7e-5 apart in the narrowest bands.
    tolerance = 1e-5 if hw2.torchaudio else 1e-4
    assert ((found - reference).abs() / reference.clamp(min=1e-5)).max() < tolerance


def test_hw2_equals_a_float64_computation(tone):
    padded = np.pad(tone.astype(np.float64), 384)
    frames = np.lib.stride_tricks.sliding_window_view(padded, 1024)[::256]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    filters = librosa.filters.mel(sr=22050, n_fft=1024, n_mels=80, fmin=0, fmax=8000, htk=True, norm=None)
    wanted = filters @ (np.abs(np.fft.rfft(frames * window)) ** 2).T
    assert np.abs(mel_of(tone, HW2) / wanted - 1).max() < 1e-3  # float32 in the quietest bands
    assert np.abs(mel_of(tone, HW2) - wanted).max() < 1e-5 * wanted.max()


def test_hifigans_mel_equals_its_definition(tone):
    assert np.abs(log_hifigan_mel(tone[: 256 * 100]).values - hifigan_mel_by_definition(tone[: 256 * 100])).max() < 1e-4


@pytest.mark.parametrize(("recipe", "options"), [(HW2, {"htk": True, "norm": None}), (HIFIGAN, {"norm": "slaney"})])
def test_filterbanks_equal_librosas(recipe, options):
    wanted = librosa.filters.mel(sr=22050, n_fft=1024, n_mels=80, fmin=0, fmax=8000, dtype=np.float64, **options)
    assert np.abs(filterbank(recipe.scale, recipe.unit_area) - wanted).max() < 1e-12


@pytest.mark.parametrize(("recipe", "shift"), [(HW2, 2 * np.log(2)), (HIFIGAN, np.log(2))])
def test_half_the_gain_shifts_the_log_mel(recipe, shift, tone):
    loud, soft = (log_mel(torch.from_numpy(mel_of(tone * gain, recipe))).numpy() for gain in (1.0, 0.5))
    audible = soft > np.log(1e-3)
    assert audible.sum() > 1000
    assert np.abs(loud - soft - shift)[audible].max() < 1e-3


@given(st.integers(385, 6000))
def test_frames_are_samples_divided_by_the_hop(length):
    samples = np.zeros(length, dtype=np.float32)
    assert mel_of(samples, HW2).shape == mel_of(samples, HIFIGAN).shape == (80, frame_count(length))
    assert frame_count(length) == length // HOP


def test_the_hw2_mel_is_silent_beyond_the_ends_and_hifigans_is_mirrored():
    start = harmonic_tone(0.5)
    assert mel_of(start, HW2)[:, 0].sum() < mel_of(start, HW2)[:, 2].sum()
    quiet_then_loud = np.concatenate([np.zeros(384, np.float32), start])
    assert np.array_equal(mel_of(quiet_then_loud[384:], HW2), mel_of(start, HW2))


def test_a_mel_from_magnitudes_is_the_mel_from_the_waveform(tone):
    inner = slice(4, -4)  # the ends differ on purpose: zeros against reflection
    assert np.abs(remel(stft_magnitude(tone)).values - log_hifigan_mel(tone).values)[:, inner].max() < 1e-3


@pytest.mark.parametrize(("recipe", "samples"), [(HW2, 255), (HIFIGAN, 384)])
def test_too_few_samples_are_refused(recipe, samples):
    with pytest.raises(ValueError, match=f"at least {samples + 1} samples, not {samples}"):
        mel_of(np.zeros(samples, dtype=np.float32), recipe)


def test_an_unknown_recipe_names_the_known_ones():
    with pytest.raises(ValueError, match="'mfcc'; known: hw2, hifigan"):
        recipe_named("mfcc")
