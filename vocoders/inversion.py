"""From 80 mel bands back to 513 STFT bins.

A mel is M = H X with H the 80 x 513 filterbank and X the wanted power (hw2) or magnitude (HiFi-GAN's mel): 80 numbers
for 372 unknowns below 8 kHz. Multiplicative Kullback-Leibler updates (Richardson 1972, Lucy 1974; the same as Lee &
Seung's NMF update with H fixed)

    X <- X * H'(M / H X) / H'1

keep X non-negative, change nothing that the mel does not ask for, and are far better on harmonic sounds than a clipped
pseudo-inverse. From a flat start they *invert* a mel; from a spectrum that is nearly right they *correct* it, so that
its mel becomes the given one and its fine structure stays. Bins above 8 kHz are not in the mel: they keep their start.
"""

from __future__ import annotations

import numpy as np

from vocoders.mel import HW2, N_BINS, N_MELS, MelRecipe, filterbank

ITERATIONS = 50
_TINY = np.float32(1e-12)  # keeps 0 / 0 at 0; far below 16-bit noise in a 1024-sample spectrum


def invert_mel(
    mel: np.ndarray, recipe: MelRecipe = HW2, iterations: int = ITERATIONS, start: np.ndarray | None = None
) -> np.ndarray:
    """Linear mel (80, frames) -> STFT magnitude (513, frames) float32.

    start: STFT magnitude (513, frames) to correct; without one, a flat guess, empty above 8 kHz.
    Errors: ValueError for a wrong shape, or values that are negative or not finite.
    """
    if mel.ndim != 2 or mel.shape[0] != N_MELS:
        raise ValueError(f"a mel has shape ({N_MELS}, frames), not {mel.shape}")
    if not np.isfinite(mel).all() or (mel < 0).any():
        raise ValueError("a linear mel is finite and not negative (is this one logarithmic already?)")
    if start is not None and start.shape != (N_BINS, mel.shape[1]):
        raise ValueError(f"the start must have shape ({N_BINS}, {mel.shape[1]}), not {start.shape}")
    bank = filterbank(recipe.scale, recipe.unit_area).astype(np.float32)
    reach = bank.sum(axis=0)  # H'1: how much of a bin the bands see; 0 above 8 kHz
    heard = reach > 0
    bank, reach = bank[:, heard], reach[heard]
    wanted = np.ascontiguousarray(mel.T, dtype=np.float32)
    magnitude = np.zeros((N_BINS, len(wanted)), dtype=np.float32) if start is None else start.astype(np.float32)
    if start is None:
        estimate = (wanted / bank.sum(axis=1)) @ bank / reach
    else:
        estimate = np.ascontiguousarray(magnitude[heard].T) ** recipe.power
    for _ in range(iterations):
        estimate *= (wanted / (estimate @ bank.T + _TINY)) @ (bank / reach)
    magnitude[heard] = estimate.T ** np.float32(1 / recipe.power)
    return magnitude
