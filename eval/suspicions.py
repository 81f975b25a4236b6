"""What looks wrong with an estimate before any metric is read: faults of files and gains, not of vocoders.

Each function gives a sentence without full stop, or "". The limits leave room for what vocoders do: of 105 takes of five systems
here one is named for its level and six that clip; of a network that is given a mel it never saw, all.
"""

from __future__ import annotations

import math

import numpy as np

from eval.alignment import loudness_difference
from vocoders.audio import SAMPLE_RATE, Recording

INTEGERS = 64.0  # peak, where full scale is 1, that only integers written as floats have
FULL_SCALE = 32767 / 32768
FLAT = 3  # samples in a row at the peak
CLIPPED = 4  # such tops, or samples at full scale
ANOTHER_GAIN = 3.0  # LU; takes of vocoders are rarely as far off
DC = 1e-3  # -60 dBFS; takes of vocoders have at most half of it
EMPTY = 20.0  # dB below the reference, in every band from somewhere up
BAND = 500.0  # Hz
LOWEST_TOP = 2000.0  # Hz; what ends below is no matter of bandwidth
FAINT = -110.0  # dBFS per bin of 21.5 Hz: a reference's band that holds nothing itself


def suspicions(estimate: Recording, reference_part: np.ndarray, estimate_part: np.ndarray) -> list[str]:
    """estimate: as it was read; the parts, (n,): what is measured, of the reference and of the estimate."""
    peak = float(np.abs(estimate.samples).max(initial=0.0))
    if not peak:
        return ["it is silent"]
    if peak > INTEGERS:
        return [
            f"its peak is {peak:.0f} where full scale is 1, as of 16-bit integers written as floats; measured as it is"
        ]
    clipping_is_known = any("clip" in notice for notice in estimate.notices)
    found = (
        "" if clipping_is_known else about_clipping(estimate.samples),
        about_level(reference_part, estimate_part),
        about_dc(estimate.samples),
        about_rate(estimate.rate) or about_bandwidth(reference_part, estimate_part),
    )
    return [sentence for sentence in found if sentence]


def about_clipping(samples: np.ndarray) -> str:
    """Of samples at full scale, or of a peak, whatever its height, that is flat in several places."""
    level = np.abs(samples)
    peak = float(level.max())
    at_full_scale = int(np.count_nonzero(level >= FULL_SCALE))
    if peak > FULL_SCALE * 1.001:
        return f"it passes full scale by {20 * math.log10(peak):.1f} dB"
    at_peak = level >= peak * (1 - 1e-6)
    tops = int(np.count_nonzero(np.convolve(at_peak, np.ones(FLAT, int), "valid") == FLAT))
    if at_full_scale >= CLIPPED or tops >= CLIPPED:
        return f"it looks clipped: {max(at_full_scale, int(at_peak.sum()))} samples sit at its peak"
    return ""


def about_level(reference: np.ndarray, estimate: np.ndarray) -> str:
    difference = loudness_difference(reference, estimate)
    if not abs(difference) > ANOTHER_GAIN:  # nan where either part is silent
        return ""
    return f"it is {abs(difference):.1f} LU {'louder' if difference > 0 else 'quieter'} than the reference"


def about_dc(samples: np.ndarray) -> str:
    offset = float(samples.mean(dtype=np.float64))
    return f"it has a DC offset of {offset:+.4f}" if abs(offset) > DC else ""


def about_rate(rate: int) -> str:
    if rate >= SAMPLE_RATE:
        return ""
    return f"its file has {rate / 1000:g} kHz: nothing is in it above {rate / 2000:g} kHz"


def about_bandwidth(reference: np.ndarray, estimate: np.ndarray) -> str:
    """Of an estimate that ends below the reference: from some frequency up, every band in which the reference has anything is
    at least 20 dB lower in it, beside what its level is lower as a whole."""
    from scipy.signal import welch

    hertz, wanted = welch(reference.astype(np.float64), SAMPLE_RATE, nperseg=min(1024, len(reference)))
    _, found = welch(estimate.astype(np.float64), SAMPLE_RATE, nperseg=min(1024, len(estimate)))
    bands = (hertz / BAND).astype(int)
    wanted, found = (
        10 * np.log10(np.bincount(bands, x) / np.bincount(bands) * hertz[1] + 1e-20) for x in (wanted, found)
    )
    louder = 10 * math.log10(np.sum(10 ** (found / 10)) / np.sum(10 ** (wanted / 10)))
    lower = wanted - found + louder
    sounding = np.flatnonzero(wanted > FAINT)
    there = np.flatnonzero((lower < EMPTY) & (wanted > FAINT))
    top = (int(there[-1]) + 1 if len(there) else 0) * BAND
    if not len(sounding) or top > sounding[-1] * BAND or top < LOWEST_TOP:
        return ""
    return f"nothing is in it above {top / 1000:g} kHz, where the reference has something"
