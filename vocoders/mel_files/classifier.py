"""A small classifier of mels: which of the sixteen formats and of the foreign analyses an array's statistics look like.

Two hidden layers on the numbers of `vocoders.mel_files.statistics`. Several were fitted and their probabilities are averaged, so where
they disagree none is high. The weights lie in assets/mel-diagnosis.npz, made by `python -m train.small_models.mel_diagnosis AUDIO_DIR`. What
the numbers show for certain is left to `vocoders.mel_files.facts`.

A mel with the bands of a recipe and another normalization of their areas (HTK of area 1, Slaney of peak 1) differs from the right
one by a slope of the spectrum only. No numbers tell that from a darker voice: it is not a kind here, and it is taken for the right
one.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.paths import ASSETS

FILE = ASSETS / "mel-diagnosis.npz"
MAX_ABS_DEVIATIONS = 5.0  # standard deviations; a number further out says no more than this
MEMBERS = 3  # classifiers
LOG1P = "other: log1p"
FOREIGN = {  # the kinds that cannot be used, by their name in the model
    "other: librosa's default": "librosa's default mel (Slaney bands up to 11 025 Hz, FFT 2048, hop 512)",
    "other: up to 11 025 Hz": "a mel with bands up to 11 025 Hz instead of 8000",
    "other: hop 512": "a mel with a hop of 512 samples instead of 256",
    "other: hop 128": "a mel with a hop of 128 samples instead of 256",
    "other: FFT of 2048": "a mel from an FFT of 2048 samples instead of 1024",
    "other: FFT of 512": "a mel from an FFT of 512 samples instead of 1024",
    "other: 16 kHz": "a mel of audio at 16 kHz",
    "other: 24 kHz": "a mel of audio at 24 kHz",
    LOG1P: "log(1 + mel)",
    "other: normalized": "a mel normalized to a fixed range or variance; its constants must be undone first",
    "other: root": "the square root of a power mel",
    "other: smoothed": "a smoothed mel, as predicted by a text-to-speech model",
    "other: turned": "a mel with bands and frames exchanged",
}
_LAYERS = ("w1", "b1", "w2", "b2", "w3", "b3")


@dataclass(frozen=True, eq=False)
class Classifier:
    """names: (kinds,). Of each member, weights and biases of three layers: statistics -> hidden -> hidden -> kinds."""

    names: tuple[str, ...]
    mean: np.ndarray  # (statistics,)
    spread: np.ndarray  # (statistics,)
    members: tuple[tuple[np.ndarray, ...], ...]

    def __call__(self, numbers: np.ndarray) -> np.ndarray:
        """(..., statistics) -> probabilities (..., kinds)."""
        inputs = standardized(numbers, self.mean, self.spread)
        return np.mean([_probabilities(inputs, member) for member in self.members], axis=0)


def standardized(numbers: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """The input of a classifier's first layer; a missing number is an average one."""
    return np.clip(np.nan_to_num((numbers - mean) / spread), -MAX_ABS_DEVIATIONS, MAX_ABS_DEVIATIONS)


def read_classifier(path: Path) -> Classifier:
    """The classifier of an npz file that the training program wrote. Errors: `OSError`, `ValueError`, `KeyError`."""
    with np.load(path, allow_pickle=False) as file:
        layers = [tuple(file[f"{layer}_{member}"].astype(np.float64) for layer in _LAYERS) for member in range(MEMBERS)]
        names = tuple(str(name) for name in file["names"])
        return Classifier(names, file["mean"], file["spread"], tuple(layers))


@functools.cache
def shipped_classifier() -> Classifier:
    """The classifier of this project."""
    return read_classifier(FILE)


def _probabilities(inputs: np.ndarray, member: tuple[np.ndarray, ...]) -> np.ndarray:
    w1, b1, w2, b2, w3, b3 = member
    hidden = np.maximum(np.maximum(inputs @ w1 + b1, 0) @ w2 + b2, 0)
    logits = hidden @ w3 + b3
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return odds / odds.sum(axis=-1, keepdims=True)
