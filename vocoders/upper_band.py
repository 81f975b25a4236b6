"""Estimate of the band above 8 kHz, which a mel does not cover: a linear map from a frame's log mel to its log magnitudes there.

The energy of a voice's breath and sibilants above 8 kHz is predictable from the bands below. Left empty, that band costs Griffin-Lim
from a mel more than everything below 8 kHz together. The map is fitted by `python -m train upper-band` (least squares
on frames of many voices at many levels), and lies in assets/upper-band.npz: 80 x 141 numbers and 141 biases.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.paths import ASSETS
from vocoders.mel import F_MAX, LOG_FLOOR, N_BINS, N_FFT, N_MELS, SAMPLE_RATE

FILE = ASSETS / "upper-band.npz"
FIRST_BIN = int(np.ceil(F_MAX * N_FFT / SAMPLE_RATE))  # 372, at 8010 Hz: the first that no band covers
BINS = N_BINS - FIRST_BIN  # 141


@dataclass(frozen=True, eq=False)
class UpperBand:
    """log |X| of the 141 bins = log(max(hw2 mel, 1e-5)) @ weights + bias. `about`: how it was fitted, by key."""

    weights: np.ndarray  # (80, 141) float32
    bias: np.ndarray  # (141,) float32
    about: dict

    def __call__(self, mel: np.ndarray, loudest: np.ndarray) -> np.ndarray:
        """Linear hw2 mel (80, frames) -> magnitudes (141, frames) float32.

        loudest: (frames,) the largest magnitude below 8 kHz, above which no guess may go. So silence stays silent,
        and a mel unlike any of the training data cannot make the guess explode.
        """
        log_mel = np.log(np.maximum(mel, LOG_FLOOR))
        guess = self.weights.T @ log_mel + self.bias[:, None]
        ceiling = np.log(np.maximum(loudest, np.float32(1e-30)))
        return np.exp(np.minimum(guess, ceiling))

    def save(self, path: Path) -> None:
        """Writes an npz file that `read_upper_band` reads."""
        np.savez(path, weights=self.weights, bias=self.bias, about=json.dumps(self.about, ensure_ascii=False))


def read_upper_band(path: Path) -> UpperBand:
    """Errors: ValueError for a file that holds something else."""
    with np.load(path, allow_pickle=False) as file:
        weights, bias, about = (file[name] for name in ("weights", "bias", "about"))
    if weights.shape != (N_MELS, BINS) or bias.shape != (BINS,):
        raise ValueError(
            f"{path}: the map has shapes {weights.shape} and {bias.shape}, not {(N_MELS, BINS)}, {(BINS,)}"
        )
    return UpperBand(weights.astype(np.float32), bias.astype(np.float32), json.loads(str(about)))


@functools.cache
def shipped_upper_band() -> UpperBand:
    """The model of this project."""
    return read_upper_band(FILE)
