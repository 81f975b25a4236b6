"""Features between a recording and a vocoder: an array with its kind, and the steps that make it.

A vocoder refuses features of a kind it was not made for. That refusal is the point: a mel fed to a model trained on
another mel is the most common reason for noise. `mislabel` is the one way round it, and its name says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from vocoders.audio import SAMPLE_RATE, resample
from vocoders.mel import HIFIGAN, HW2, log_mel, log_mel_of, mel_of, mel_of_magnitude
from vocoders.phase.inversion import invert_mel
from vocoders.phase.stft import stft
from vocoders.recipes.recipe import MelRecipe
from vocoders.step import Step, step
from vocoders.upper_band import FIRST_BIN, shipped_upper_band

Kind = str  # "hw2 mel", "log hw2 mel", "log hifigan mel", "STFT magnitude", "waveform", or `MelRecipe.log_kind` of any recipe


class FeatureMismatch(ValueError):
    """Features of one kind given to something made for another."""


@dataclass(frozen=True, eq=False)
class Features:
    """`values` is (bins, frames) float32; "hw2 mel" is linear power, "STFT magnitude" has 513 bins, "waveform" is (1, n), a log mel
    as many as its recipe has bands."""

    kind: Kind
    values: np.ndarray

    def require(self, kind: Kind, by: str) -> np.ndarray:
        """The values, where they are of that kind. by: what needs them, in the message. Errors: `FeatureMismatch`."""
        if self.kind != kind:
            raise FeatureMismatch(f"{by} takes the {kind}, not the {self.kind}")
        return self.values


# From a recording: (n,) float32 at 22 050 Hz. The end is padded with zeros to a whole frame, so nothing is lost.


@step("hw2_mel", "hw2 mel", takes="recording", gives="hw2 mel")
def hw2_mel(samples: np.ndarray) -> Features:
    """Linear power, (80, frames)."""
    return Features("hw2 mel", mel_of(_whole_frames(samples), HW2))


@step("log_hifigan_mel", "HiFi-GAN's mel", takes="recording", gives="log hifigan mel")
def log_hifigan_mel(samples: np.ndarray) -> Features:
    """Natural log of magnitude, (80, frames)."""
    linear = mel_of(_whole_frames(samples), HIFIGAN)
    return Features("log hifigan mel", log_mel(torch.from_numpy(linear)).numpy())


@step("stft_magnitude", "STFT magnitude", takes="recording", gives="STFT magnitude")
def stft_magnitude(samples: np.ndarray) -> Features:
    """(513, frames)."""
    return Features("STFT magnitude", np.abs(stft(_whole_frames(samples))).T)


@dataclass(frozen=True)
class LogMelOf:
    """The function of a `log_mel_step`."""

    recipe: MelRecipe

    @property
    def rate(self) -> int:
        """Hz, of the mel."""
        return self.recipe.rate

    def __call__(self, samples: np.ndarray, rate: int = SAMPLE_RATE) -> Features:
        """(n,) float32 at `rate` Hz -> log mel (bands, frames) at the recipe's rate."""
        samples = resample(samples, rate, to=self.recipe.rate)
        whole = np.pad(samples, (0, self.recipe.whole(len(samples)) - len(samples)))
        return Features(self.recipe.log_kind, log_mel_of(whole, self.recipe))


def log_mel_step(recipe: MelRecipe) -> Step:
    """The step from a recording to any recipe's log mel, at the recipe's own rate.

    Of HiFi-GAN's recipe it is `log_hifigan_mel`; the hw2 mel has two steps, `hw2_mel` and `log_hw2`.
    """
    if recipe == HIFIGAN:
        return log_hifigan_mel
    return Step(f"log_mel_{recipe.name}", f"{recipe.name} mel", "recording", recipe.log_kind, LogMelOf(recipe))


def front_end(recipe: MelRecipe) -> tuple[Step, ...]:
    """The steps from a recording to the log mel that a generator of this recipe takes."""
    return (hw2_mel, log_hw2) if recipe == HW2 else (log_mel_step(recipe),)


# From features to features.


@step("log_hw2", "logarithm", takes="hw2 mel", gives="log hw2 mel")
def log_hw2(features: Features) -> Features:
    """hw2 mel -> its natural logarithm, floored at 1e-5. Errors: `FeatureMismatch`."""
    mel = features.require("hw2 mel", by="the logarithm")
    return Features("log hw2 mel", log_mel(torch.from_numpy(mel)).numpy())


@step("invert", "inversion to 513 bins", takes="hw2 mel", gives="STFT magnitude")
def invert(features: Features) -> Features:
    """Below 8 kHz what the mel says, above it what `vocoders.upper_band` guesses from there."""
    mel = features.require("hw2 mel", by="mel inversion")
    magnitude = invert_mel(mel)
    magnitude[FIRST_BIN:] = shipped_upper_band()(mel, magnitude.max(axis=0))
    return Features("STFT magnitude", magnitude)


@step("remel", "HiFi-GAN's mel", takes="STFT magnitude", gives="log hifigan mel")
def remel(features: Features) -> Features:
    """STFT magnitude -> HiFi-GAN's own mel, as if it had analysed a recording with those magnitudes."""
    linear = mel_of_magnitude(features.require("STFT magnitude", by="HiFi-GAN's mel"), HIFIGAN)
    return Features("log hifigan mel", log_mel(torch.from_numpy(linear)).numpy())


@step("mislabel", "taken for HiFi-GAN's mel", takes="hw2 mel", gives="log hifigan mel")
def mislabel(features: Features) -> Features:
    """The raw hw2 mel passed off as HiFi-GAN's own: the mistake behind the homework's "original" row."""
    return Features("log hifigan mel", features.require("hw2 mel", by="the mislabelling"))


def _whole_frames(samples: np.ndarray) -> np.ndarray:
    """Zero-padded to a multiple of the hop, and at least long enough for the reflected ends of HiFi-GAN's mel."""
    return np.pad(samples, (0, HIFIGAN.whole(len(samples)) - len(samples)))
