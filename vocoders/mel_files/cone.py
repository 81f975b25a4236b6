"""Whether any spectrum at all has a given mel: how the bands overlap, taken at its word.

A linear mel is M = H X with X >= 0, and every FFT bin lies in two neighbouring bands at most. So what one bin adds to a band it
must add to the next one too, in the ratio of the two triangles. From the lowest band to the highest that leaves, for the part
of each band that comes from the bins below its centre, an interval; where it is empty no spectrum has this mel.

In the low bands of the hw2 mel one bin lies between neighbouring centres, and the test is sharp: a mel of other bands, another
sampling rate or another FFT fails in 10 to 100 % of its frames, its own never does. A mel raised to a power above 1 fails too
(say a magnitude read as its square root), one raised to a power below 1 does not.
"""

from __future__ import annotations

import functools

import numpy as np

from vocoders.mel import RECIPES, filterbank
from vocoders.mel_files.options import Bands

RELATIVE_TOLERANCE = 4e-3  # relative: float16 logarithms


def impossible_share(log_mel: np.ndarray, above: np.ndarray, recipe: Bands, exponents: np.ndarray) -> np.ndarray:
    """The share of frames, (exponents,), that no spectrum has through the bands of a recipe.

    log_mel: (80, frames) natural logarithm, to which every exponent is a factor. above: (80, frames), False where the value is a
    floor, so that anything from zero up to it is meant. Frames without a value above the floor are left out.
    """
    least, most = _ratios(recipe)
    seen = above.any(axis=0)
    if not seen.any():
        return np.full(len(exponents), np.nan)
    level = (log_mel - log_mel.max())[:, None, seen] * exponents[:, None]
    highest = np.exp(level) * (1 + RELATIVE_TOLERANCE)
    lowest = np.where(above[:, None, seen], highest * (1 - RELATIVE_TOLERANCE) ** 2, 0.0)
    from_least, from_most = np.zeros(level.shape[1:]), highest[0]
    impossible = np.zeros(level.shape[1:], dtype=bool)
    for band in range(len(level)):
        impossible |= from_least > highest[band]
        from_most = np.minimum(from_most, highest[band])
        rest_least = np.maximum(lowest[band] - from_most, 0)
        rest_most = np.maximum(highest[band] - from_least, 0)
        from_least, from_most = rest_least * least[band], rest_most * most[band]
    return impossible.mean(axis=1)


@functools.cache
def _ratios(recipe: Bands) -> tuple[np.ndarray, np.ndarray]:
    """The amount that the bins between two centres add to the upper band per unit in the lower: at least and at most, (80,) each.

    There is at least one bin between any two centres of both recipes. Above the last centre nothing follows: (0, 0).
    """
    bank = filterbank(RECIPES[recipe].scale, RECIPES[recipe].unit_area)
    least, most = np.zeros(len(bank)), np.zeros(len(bank))
    for band in range(len(bank) - 1):
        lower, upper = bank[band], bank[band + 1]
        ratios = upper[(lower > 0) & (upper > 0)] / lower[(lower > 0) & (upper > 0)]
        least[band], most[band] = ratios.min(), ratios.max()
    return least, most
