"""Mel-spectrograms of any recipe: `vocoders.recipes` says what is computed, this how.

The framing of this project's two, `HW2` and `HIFIGAN`: FFT and Hann window of 1024 samples, hop 256, `PAD` = 384 samples
added at each end and no further centring, so that

    frames = samples // 256          (samples >= 256)

and frame i is centred on sample 256 i + 128. 80 bands from 0 to 8000 Hz; what lies above 8 kHz is not in either mel.

| recipe    | value                  | mel scale | band norm | ends     | model input                    |
|-----------|------------------------|-----------|-----------|----------|--------------------------------|
| `HW2`     | power |X|^2            | HTK       | peak 1    | zeros    | log(max(mel, 1e-5))            |
| `HIFIGAN` | magnitude sqrt(|X|^2 + 1e-9) | Slaney | area 1  | reflected | log(max(mel, 1e-5))           |

A gain g moves log HW2 by 2 ln g and log HIFIGAN by ln g. Functions of a recipe take samples at the recipe's rate.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vocoders.audio import SAMPLE_RATE
from vocoders.recipes.named import HIFIGAN, HW2
from vocoders.recipes.recipe import MelRecipe
from vocoders.torchaudio_cpu import import_torchaudio

N_FFT = HW2.n_fft  # 1024 samples; also the window length
HOP = HW2.hop  # 256 samples between frames: 11.6 ms
PAD = HW2.pad  # 384 samples at each end
N_BINS = HW2.bins  # 513 frequency bins, 21.5 Hz apart
N_MELS = HW2.bands  # 80
F_MAX = HW2.highest  # 8000 Hz, upper edge of the highest band
MAX_FRAMES_AT_A_TIME = 2048  # of longer recordings: their windows and spectra take 40 times the memory of their mel
LOG_FLOOR = HW2.floor  # 1e-5, at which the logarithm clamps

RECIPES = {
    recipe.name: recipe for recipe in (HW2, HIFIGAN)
}  # those that this project trains on and whose mel files it reads


def recipe_named(name: str) -> MelRecipe:
    """One of the project's two. Errors: ValueError."""
    if name not in RECIPES:
        raise ValueError(f"unknown mel recipe {name!r}; known: {', '.join(RECIPES)}")
    return RECIPES[name]


def frame_count(samples: int) -> int:
    """Frames of the project's two mels of so many samples."""
    return samples // HOP


@functools.cache
def filterbank(
    scale: str,
    unit_area: bool,
    bands: int = N_MELS,
    n_fft: int = N_FFT,
    highest: float = F_MAX,
    lowest: float = 0.0,
    rate: int = SAMPLE_RATE,
) -> np.ndarray:
    """Triangular mel filters from `lowest` to `highest` Hz, (bands, n_fft // 2 + 1) float64: row = band, column = FFT bin.

    Sources: HTK book, m = 2595 log10(1 + f / 700); Slaney's Auditory Toolbox, linear to 1 kHz and 27 steps per
    factor 6.4 above.
    """
    edges = _mel_to_hz(np.linspace(hz_to_mel(lowest, scale), hz_to_mel(highest, scale), bands + 2), scale)
    bins = np.linspace(0.0, rate / 2, n_fft // 2 + 1)
    lower, centre, upper = (edges[i : i + bands, None] for i in range(3))
    rising, falling = (bins - lower) / (centre - lower), (upper - bins) / (upper - centre)
    bank = np.clip(np.minimum(rising, falling), 0.0, None)
    if unit_area:
        bank *= 2.0 / (upper - lower)
    bank.flags.writeable = False
    return bank


def filters_of(recipe: MelRecipe) -> np.ndarray:
    """The recipe's filters, (bands, bins) float64."""
    return filterbank(
        recipe.scale, recipe.unit_area, recipe.bands, recipe.n_fft, recipe.highest, recipe.fmin, recipe.rate
    )


_SLANEY_STEP = 200.0 / 3  # Hz per mel below 1 kHz
_SLANEY_BREAK = 1000.0 / _SLANEY_STEP  # mel at 1 kHz
_SLANEY_LOG = np.log(6.4) / 27  # natural log of the ratio per mel above


def hz_to_mel(hz: float, scale: str) -> float:
    """scale: "htk" or "slaney"."""
    if scale == "htk":
        return 2595.0 * np.log10(1.0 + hz / 700.0)
    return hz / _SLANEY_STEP if hz < 1000.0 else _SLANEY_BREAK + np.log(hz / 1000.0) / _SLANEY_LOG


def _mel_to_hz(mel: np.ndarray, scale: str) -> np.ndarray:
    if scale == "htk":
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    above = 1000.0 * np.exp(_SLANEY_LOG * (np.maximum(mel, _SLANEY_BREAK) - _SLANEY_BREAK))
    return np.where(mel < _SLANEY_BREAK, mel * _SLANEY_STEP, above)


class MelSpectrogram(nn.Module):
    """Waveform (..., samples) at the recipe's rate -> linear mel (..., bands, frames): power for `HW2`, magnitude for most.

    The hw2 recipe runs through torchaudio's own transform where torchaudio is installed, since that transform is its
    definition; the code below gives the same values without it.
    Errors: ValueError when there are too few samples for one frame or for the reflected ends.
    """

    def __init__(self, recipe: MelRecipe) -> None:
        super().__init__()
        self.recipe = recipe
        bank = torch.tensor(filters_of(recipe), dtype=torch.float32)
        self.register_buffer("bank", bank, persistent=False)
        window = torch.hann_window if recipe.window == "hann" else torch.hamming_window
        self.register_buffer("window", window(recipe.win_length), persistent=False)
        self.torchaudio = torchaudio_transform() if recipe == HW2 else None

    def forward(self, waveform: Tensor) -> Tensor:
        """(..., samples) -> linear mel (..., bands, frames). Errors: ValueError for too few samples."""
        shortest = self.recipe.shortest
        if waveform.shape[-1] < shortest:
            raise ValueError(f"the {self.recipe.name} mel needs at least {shortest} samples, not {waveform.shape[-1]}")
        if self.torchaudio is not None:
            return self.torchaudio(waveform)
        return self.from_magnitude(self._magnitude(waveform))

    def from_magnitude(self, magnitude: Tensor) -> Tensor:
        """STFT magnitude (..., bins, frames) -> linear mel (..., bands, frames)."""
        power, epsilon = magnitude.square(), self.recipe.epsilon
        power = power + epsilon if self.recipe.epsilon_mode == "add" else power.clamp(min=epsilon)
        return self.bank @ (power if self.recipe.power == 2 else power.sqrt())

    def _magnitude(self, waveform: Tensor) -> Tensor:
        recipe, flat = self.recipe, waveform.reshape(-1, waveform.shape[-1])
        padded = F.pad(flat.unsqueeze(1), (recipe.pad, recipe.pad), mode=recipe.padding).squeeze(1)
        spectrum = torch.stft(
            padded, recipe.n_fft, recipe.hop, recipe.win_length, self.window, center=False, return_complex=True
        )
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


def log_mel(mel: Tensor, recipe: MelRecipe = HW2) -> Tensor:
    """Linear mel (..., bands, frames) -> a generator's input: floored, logarithm, normalized where the recipe says so.

    The project's two recipes do this alike, log(max(mel, 1e-5)).
    """
    log = (mel.clamp(min=recipe.floor) if recipe.floor_mode == "clamp" else mel + recipe.floor).log()
    if recipe.log_base != math.e:
        log = log / math.log(recipe.log_base)
    if recipe.mean:
        mean, deviation = (mel.new_tensor(values)[:, None] for values in (recipe.mean, recipe.deviation))
        log = (log - mean) / deviation
    return log


def linear_mel(log: np.ndarray, recipe: MelRecipe) -> np.ndarray:
    """The inverse of `log_mel`, but for what lies at the floor: (bands, frames) -> linear mel float32, not negative."""
    log = np.asarray(log, dtype=np.float32)
    if recipe.mean:
        log = log * np.array(recipe.deviation, np.float32)[:, None] + np.array(recipe.mean, np.float32)[:, None]
    linear = np.exp(log if recipe.log_base == math.e else log * np.float32(math.log(recipe.log_base)))
    return linear if recipe.floor_mode == "clamp" else np.maximum(linear - np.float32(recipe.floor), 0)


@functools.lru_cache(maxsize=16)
def _transform(recipe: MelRecipe) -> MelSpectrogram:
    return MelSpectrogram(recipe)


def mel_of(samples: np.ndarray, recipe: MelRecipe) -> np.ndarray:
    """(n,) float32 at the recipe's rate -> linear mel (bands, frames) float32. Errors: ValueError for too few samples."""
    transform, frames = _transform(recipe), recipe.frames(len(samples))
    whole = torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32))
    if frames <= MAX_FRAMES_AT_A_TIME:
        return transform(whole).numpy()
    mel = np.empty((recipe.bands, frames), np.float32)
    around = -(
        -(recipe.pad + recipe.n_fft) // recipe.hop
    )  # frames; nearer to a piece's ends they have its padding in them
    for first in range(0, frames, MAX_FRAMES_AT_A_TIME):
        last, start = min(first + MAX_FRAMES_AT_A_TIME, frames), max(0, first - around)
        piece = transform(whole[start * recipe.hop : (last + around) * recipe.hop]).numpy()
        mel[:, first:last] = piece[:, first - start : last - start]
    return mel


def log_mel_of(samples: np.ndarray, recipe: MelRecipe) -> np.ndarray:
    """(n,) float32 at the recipe's rate -> log mel (bands, frames) float32, as `log_mel` makes it."""
    return log_mel(torch.from_numpy(mel_of(samples, recipe)), recipe).numpy()


def mel_of_magnitude(magnitude: np.ndarray, recipe: MelRecipe) -> np.ndarray:
    """STFT magnitude (bins, frames) in the recipe's framing -> linear mel (bands, frames) float32."""
    return (
        _transform(recipe).from_magnitude(torch.from_numpy(np.ascontiguousarray(magnitude, dtype=np.float32))).numpy()
    )
