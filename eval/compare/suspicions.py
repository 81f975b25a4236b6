"""What looks wrong with an estimate beside its reference before any metric is read: faults of files, not of vocoders.

What a file says by itself, that it is clipped, has an offset or holds integers, `vocoders.recordings.reader` has noticed already. Each
function gives a sentence without full stop, or "".
"""

from __future__ import annotations

import math

import numpy as np

from eval.metrics.alignment import loudness_difference
from vocoders.audio import SAMPLE_RATE, Recording

ANOTHER_GAIN = 3.0  # LU; of 105 outputs of five vocoders one is as far off
EMPTY = 20.0  # dB below the reference, in every band from somewhere up
BAND = 500.0  # Hz
LOWEST_TOP, HIGHEST_TOP = 2000.0, 10_000.0  # Hz; what ends below is no matter of bandwidth, what ends above no loss
FAINT = -110.0  # dBFS per bin of 21.5 Hz: a reference's band that holds nothing itself


def suspicions(reference: np.ndarray, estimate: np.ndarray, rate: int) -> list[str]:
    """Of the parts that are measured, (n,) at 22 050 Hz. rate: Hz, of the estimate's file."""
    found = (about_level(reference, estimate), about_rate(rate) or about_bandwidth(reference, estimate))
    return [sentence for sentence in found if sentence]


def about_file(reference: Recording, output: Recording) -> list[str]:
    """Of an output's file: a rate that is not its reference's, and coding with loss."""
    rates = f"its file has {output.rate / 1000:g} kHz and its reference's {reference.rate / 1000:g} kHz"
    resampled = output.rate != reference.rate and output.rate >= SAMPLE_RATE  # of lower rates see `about_rate`
    found = (
        f"{rates}; both are measured at {SAMPLE_RATE / 1000:g} kHz" if resampled else "",
        f"its file is coded with loss ({output.lossy})" if output.lossy else "",
    )
    return [sentence for sentence in found if sentence]


def about_level(reference: np.ndarray, estimate: np.ndarray) -> str:
    difference = loudness_difference(reference, estimate)
    if not abs(difference) > ANOTHER_GAIN:  # nan where either part is silent
        return ""
    return f"it is {abs(difference):.1f} LU {'louder' if difference > 0 else 'quieter'} than the reference"


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
    if not len(sounding) or top > sounding[-1] * BAND or not LOWEST_TOP <= top <= HIGHEST_TOP:
        return ""
    return f"nothing is in it above {top / 1000:g} kHz, where the reference has something"
