"""From mel bands back to STFT bins, for any recipe.

A mel is M = H X with H the filterbank and X the wanted power (hw2) or magnitude (HiFi-GAN's mel). Of the project's two mels H
is 80 x 513: 80 numbers for 372 unknowns below 8 kHz. Multiplicative Kullback-Leibler updates (Richardson 1972, Lucy 1974; the same as Lee &
Seung's NMF update with H fixed)

    X <- X * H'(M / H X) / H'1

keep X non-negative, change nothing that the mel does not ask for, and are far better on harmonic sounds than a clipped
pseudo-inverse. From a flat start they *invert* a mel; from a spectrum that is nearly right they *correct* it, so that
its mel becomes the given one and its fine structure stays. Bins that no band covers keep their start.
"""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import Tensor

from vocoders.mel import HW2, filters_of
from vocoders.recipes.recipe import MelRecipe

ITERATIONS = 50
_GROUP_BINS = 32  # small enough to lie in few bands, large enough for fast matrix products
_TINY = 1e-12  # keeps 0 / 0 at 0; far below 16-bit noise in a 1024-sample spectrum


def invert_mel(
    mel: np.ndarray, recipe: MelRecipe = HW2, iterations: int = ITERATIONS, start: np.ndarray | None = None
) -> np.ndarray:
    """Linear mel (bands, frames) -> STFT magnitude (bins, frames) float32, in the recipe's framing.

    start: STFT magnitude to correct; without one, a flat guess, empty where no band is.
    Errors: ValueError for a wrong shape, or values that are negative or not finite.
    """
    if mel.ndim != 2 or mel.shape[0] != recipe.bands:
        raise ValueError(f"a mel has shape ({recipe.bands}, frames), not {mel.shape}")
    if not np.isfinite(mel).all() or (mel < 0).any():
        raise ValueError("a linear mel is finite and not negative (is this one logarithmic already?)")
    if start is not None and start.shape != (recipe.bins, mel.shape[1]):
        raise ValueError(f"the start must have shape ({recipe.bins}, {mel.shape[1]}), not {start.shape}")
    bank, column_sums, covered, groups = _covered_bank(recipe)
    wanted = mel.astype(np.float32)
    magnitude = np.zeros((recipe.bins, mel.shape[1]), dtype=np.float32) if start is None else start.astype(np.float32)
    estimate = _flat_start(wanted, bank, column_sums) if start is None else magnitude[covered] ** recipe.power
    _kl_updates(estimate, wanted, bank, column_sums, groups, iterations)
    magnitude[covered] = estimate ** np.float32(1 / recipe.power)
    return magnitude


def invert_mel_tensor(mel: Tensor, recipe: MelRecipe, iterations: int = ITERATIONS) -> Tensor:
    """The same inversion for tensors on any device: linear mel (..., bands, frames) -> magnitude (..., bins, frames)."""
    *arrays, groups = _covered_bank(recipe)
    bank, column_sums, covered = (torch.from_numpy(array).to(mel.device) for array in arrays)
    estimate = _flat_start(mel, bank, column_sums)
    _kl_updates(estimate, mel, bank, column_sums, groups, iterations)
    magnitude = mel.new_zeros(*mel.shape[:-2], recipe.bins, mel.shape[-1])
    magnitude[..., covered, :] = estimate ** (1 / recipe.power)
    return magnitude


@functools.lru_cache(maxsize=16)
def _covered_bank(recipe: MelRecipe) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[tuple[slice, slice]]]:
    """H (bands, covered bins), H'1 (covered bins, 1), and which of the bins any band covers.

    And groups of neighbouring bins, each with all bands that any of them lies in: few, so most of H is 0 and can be left out.
    """
    bank = filters_of(recipe).astype(np.float32)
    column_sums = bank.sum(axis=0)
    covered = column_sums > 0
    bank = np.ascontiguousarray(bank[:, covered])
    groups = []
    for first in range(0, bank.shape[1], _GROUP_BINS):
        bins = slice(first, first + _GROUP_BINS)
        bands = np.flatnonzero(bank[:, bins].any(axis=1))
        groups.append((bins, slice(int(bands[0]), int(bands[-1]) + 1)))
    return bank, column_sums[covered, None], covered, groups


# From here on `wanted` is (..., bands, frames), and NumPy arrays and tensors are treated alike.


def _flat_start(wanted, bank, column_sums):
    return bank.T @ (wanted / (bank.sum(1)[:, None] + _TINY)) / column_sums


def _kl_updates(estimate, wanted, bank, column_sums, groups, iterations: int) -> None:
    """In place, `estimate` (..., covered bins, frames)."""
    normalized = bank / column_sums.T
    parts = [(bins, bands, bank[bands, bins], normalized[bands, bins].T) for bins, bands in groups]
    modelled = wanted + _TINY  # of this shape and type
    for _ in range(iterations):
        modelled[:] = _TINY
        for bins, bands, part, _ in parts:
            modelled[..., bands, :] += part @ estimate[..., bins, :]
        ratio = wanted / modelled
        for bins, bands, _, part in parts:
            estimate[..., bins, :] *= part @ ratio[..., bands, :]
