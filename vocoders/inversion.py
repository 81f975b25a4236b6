"""From 80 mel bands back to 513 STFT magnitudes.

The mel is power = H E with H the 80 x 513 filterbank and E the wanted power spectrum: 80 numbers for 372 unknowns
below 8 kHz. Multiplicative Kullback-Leibler updates (Richardson 1972, Lucy 1974; the same as Lee & Seung's NMF update
with H fixed)

    E <- E * H'(P / H E) / H'1

keep E non-negative, stay near a smooth start where the mel does not say more, and are far better on harmonic sounds
than a clipped pseudo-inverse. Bins above 8 kHz are not in the mel and stay empty.
"""

from __future__ import annotations

import numpy as np

from vocoders.mel import HW2, N_MELS, filterbank

ITERATIONS = 50
_TINY = np.float32(1e-12)  # keeps 0 / 0 at 0; far below 16-bit noise in a 1024-sample power spectrum


def invert_hw2(mel: np.ndarray, iterations: int = ITERATIONS) -> np.ndarray:
    """hw2 mel, linear power (80, frames) -> STFT magnitude (513, frames) float32.

    Errors: ValueError for another number of bands, or values that are negative or not finite.
    """
    if mel.ndim != 2 or mel.shape[0] != N_MELS:
        raise ValueError(f"an hw2 mel has shape ({N_MELS}, frames), not {mel.shape}")
    if not np.isfinite(mel).all() or (mel < 0).any():
        raise ValueError("an hw2 mel is linear power: finite and not negative (is this one logarithmic already?)")
    bank = filterbank(HW2.scale, HW2.unit_area).astype(np.float32)
    reach = bank.sum(axis=0)  # H'1: how much of a bin the bands see; 0 above 8 kHz
    heard = reach > 0
    bank, reach = bank[:, heard], reach[heard]
    power = np.ascontiguousarray(mel.T, dtype=np.float32)
    estimate = (power / bank.sum(axis=1)) @ bank / reach
    for _ in range(iterations):
        estimate *= (power / (estimate @ bank.T + _TINY)) @ (bank / reach)
    magnitude = np.zeros((len(heard), len(power)), dtype=np.float32)
    magnitude[heard] = np.sqrt(estimate).T
    return magnitude
