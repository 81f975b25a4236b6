"""The two mel-spectrograms of this project, their framing and their filterbanks.

Framing, common to both: FFT and Hann window of 1024 samples, hop 256, `PAD` = 384 samples added at each end and no
further centring, so that

    frames = samples // 256          (samples >= 256)

and frame i is centred on sample 256 i + 128. 80 bands from 0 to 8000 Hz; what lies above 8 kHz is not in a mel.

| recipe    | value                  | mel scale | band norm | ends     | model input                    |
|-----------|------------------------|-----------|-----------|----------|--------------------------------|
| `HW2`     | power |X|^2            | HTK       | peak 1    | zeros    | log(max(mel, 1e-5))            |
| `HIFIGAN` | magnitude sqrt(|X|^2 + 1e-9) | Slaney | area 1  | reflected | log(max(mel, 1e-5))           |

`HW2` is torchaudio's `MelSpectrogram` with `pad=384, center=False` (the course homework's mel); `HIFIGAN` is
`mel_spectrogram` of Kong et al. 2020 (jik876/hifi-gan). A gain g moves log HW2 by 2 ln g and log HIFIGAN by ln g.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vocoders.audio import SAMPLE_RATE
from vocoders.torchaudio_cpu import import_torchaudio

N_FFT = 1024  # samples; also the window length
HOP = 256  # samples between frames: 11.6 ms
PAD = (N_FFT - HOP) // 2  # 384 samples at each end
N_BINS = N_FFT // 2 + 1  # 513 frequency bins, 21.5 Hz apart
N_MELS = 80
F_MAX = 8000.0  # Hz, upper edge of the highest band
LOG_FLOOR = 1e-5  # what the logarithm clamps at, in both recipes


@dataclass(frozen=True)
class MelRecipe:
    """Everything that makes one mel differ from another here. It travels with every checkpoint, by name."""

    name: Literal["hw2", "hifigan"]
    power: int  # 2: |X|^2, 1: |X|
    epsilon: float  # added to |X|^2 before the root
    scale: Literal["htk", "slaney"]
    unit_area: bool  # bands scaled to unit area (Slaney) instead of unit peak
    padding: Literal["constant", "reflect"]


HW2 = MelRecipe("hw2", power=2, epsilon=0.0, scale="htk", unit_area=False, padding="constant")
HIFIGAN = MelRecipe("hifigan", power=1, epsilon=1e-9, scale="slaney", unit_area=True, padding="reflect")
RECIPES = {recipe.name: recipe for recipe in (HW2, HIFIGAN)}


def recipe_named(name: str) -> MelRecipe:
    if name not in RECIPES:
        raise ValueError(f"unknown mel recipe {name!r}; known: {', '.join(RECIPES)}")
    return RECIPES[name]


def frame_count(samples: int) -> int:
    """Frames of the mel of so many samples."""
    return samples // HOP


@functools.cache
def filterbank(
    scale: str, unit_area: bool, bands: int = N_MELS, n_fft: int = N_FFT, highest: float = F_MAX
) -> np.ndarray:
    """Triangular mel filters from 0 to `highest` Hz, (bands, n_fft // 2 + 1) float64: row = band, column = FFT bin.

    Sources: HTK book, m = 2595 log10(1 + f / 700); Slaney's Auditory Toolbox, linear to 1 kHz and 27 steps per
    factor 6.4 above.
    """
    edges = _mel_to_hz(np.linspace(_hz_to_mel(0.0, scale), _hz_to_mel(highest, scale), bands + 2), scale)
    bins = np.linspace(0.0, SAMPLE_RATE / 2, n_fft // 2 + 1)
    lower, centre, upper = (edges[i : i + bands, None] for i in range(3))
    rising, falling = (bins - lower) / (centre - lower), (upper - bins) / (upper - centre)
    bank = np.clip(np.minimum(rising, falling), 0.0, None)
    if unit_area:
        bank *= 2.0 / (upper - lower)
    bank.flags.writeable = False
    return bank


_SLANEY_STEP = 200.0 / 3  # Hz per mel below 1 kHz
_SLANEY_BREAK = 1000.0 / _SLANEY_STEP  # mel at 1 kHz
_SLANEY_LOG = np.log(6.4) / 27  # natural log of the ratio per mel above


def _hz_to_mel(hz: float, scale: str) -> float:
    if scale == "htk":
        return 2595.0 * np.log10(1.0 + hz / 700.0)
    return hz / _SLANEY_STEP if hz < 1000.0 else _SLANEY_BREAK + np.log(hz / 1000.0) / _SLANEY_LOG


def _mel_to_hz(mel: np.ndarray, scale: str) -> np.ndarray:
    if scale == "htk":
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    above = 1000.0 * np.exp(_SLANEY_LOG * (np.maximum(mel, _SLANEY_BREAK) - _SLANEY_BREAK))
    return np.where(mel < _SLANEY_BREAK, mel * _SLANEY_STEP, above)


class MelSpectrogram(nn.Module):
    """Waveform (..., samples) -> linear mel (..., 80, frames): power for `HW2`, magnitude for `HIFIGAN`.

    The hw2 recipe runs through torchaudio's own transform where torchaudio is installed, since that transform is its
    definition; the code below gives the same values without it.
    Errors: ValueError when there are too few samples for one frame or for the reflected ends.
    """

    def __init__(self, recipe: MelRecipe) -> None:
        super().__init__()
        self.recipe = recipe
        bank = torch.tensor(filterbank(recipe.scale, recipe.unit_area), dtype=torch.float32)
        self.register_buffer("bank", bank, persistent=False)
        self.register_buffer("window", torch.hann_window(N_FFT), persistent=False)
        self.torchaudio = torchaudio_transform() if recipe == HW2 else None

    def forward(self, waveform: Tensor) -> Tensor:
        shortest = PAD + 1 if self.recipe.padding == "reflect" else HOP
        if waveform.shape[-1] < shortest:
            raise ValueError(f"the {self.recipe.name} mel needs at least {shortest} samples, not {waveform.shape[-1]}")
        if self.torchaudio is not None:
            return self.torchaudio(waveform)
        return self.from_magnitude(self._magnitude(waveform))

    def from_magnitude(self, magnitude: Tensor) -> Tensor:
        """STFT magnitude (..., 513, frames) -> linear mel (..., 80, frames)."""
        power = magnitude.square() + self.recipe.epsilon
        return self.bank @ (power if self.recipe.power == 2 else power.sqrt())

    def _magnitude(self, waveform: Tensor) -> Tensor:
        flat = waveform.reshape(-1, waveform.shape[-1])
        padded = F.pad(flat.unsqueeze(1), (PAD, PAD), mode=self.recipe.padding).squeeze(1)
        spectrum = torch.stft(padded, N_FFT, HOP, window=self.window, center=False, return_complex=True)
        return spectrum.abs().reshape(*waveform.shape[:-1], *spectrum.shape[-2:])


def torchaudio_transform() -> nn.Module | None:
    """The homework's own definition of the hw2 mel; None without torchaudio."""
    torchaudio = import_torchaudio()
    if torchaudio is None:
        return None
    return torchaudio.transforms.MelSpectrogram(
        SAMPLE_RATE,
        n_fft=N_FFT,
        win_length=N_FFT,
        hop_length=HOP,
        f_min=0.0,
        f_max=F_MAX,
        pad=PAD,
        n_mels=N_MELS,
        center=False,
    )


def log_mel(mel: Tensor) -> Tensor:
    """Linear mel -> what a HiFi-GAN eats."""
    return mel.clamp(min=LOG_FLOOR).log()


@functools.cache
def _transform(recipe: MelRecipe) -> MelSpectrogram:
    return MelSpectrogram(recipe)


def mel_of(samples: np.ndarray, recipe: MelRecipe) -> np.ndarray:
    """(n,) float32 at 22 050 Hz -> linear mel (80, n // 256) float32."""
    return _transform(recipe)(torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32))).numpy()


def log_mel_of(samples: np.ndarray, recipe: MelRecipe) -> np.ndarray:
    """(n,) float32 at 22 050 Hz -> log(max(mel, 1e-5)) (80, n // 256) float32."""
    return log_mel(torch.from_numpy(mel_of(samples, recipe))).numpy()


def mel_of_magnitude(magnitude: np.ndarray, recipe: MelRecipe) -> np.ndarray:
    """STFT magnitude (513, frames) -> linear mel (80, frames) float32."""
    return (
        _transform(recipe).from_magnitude(torch.from_numpy(np.ascontiguousarray(magnitude, dtype=np.float32))).numpy()
    )
