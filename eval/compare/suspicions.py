"""Faults of files, not of vocoders, that show in an estimate beside its reference before any metric is read.

Faults that a file shows by itself, clipping, an offset or integers, are reported by `vocoders.recordings.reader`. Each
function gives a sentence without full stop, or "".
"""

from __future__ import annotations

import math

import numpy as np

from eval.metrics.alignment import loudness_difference
from vocoders.audio import SAMPLE_RATE, Recording

MAX_LEVEL_DIFFERENCE_LU = 3.0  # of 105 outputs of five vocoders one is as far off
MIN_EMPTY_BAND_DB = 20.0  # below the reference, in every band from somewhere up
BAND_HZ = 500.0
MIN_CUTOFF_HZ, MAX_CUTOFF_HZ = 2000.0, 10_000.0  # what ends below is no matter of bandwidth, what ends above no loss
MIN_REFERENCE_BAND_DBFS = -110.0  # per bin of 21.5 Hz: a reference's band that holds nothing itself


def suspicions(reference: np.ndarray, estimate: np.ndarray, rate: int, measured: int = SAMPLE_RATE) -> list[str]:
    """Of the parts that are measured, (n,) at 22 050 Hz. rate: Hz, of the estimate's file; measured: the rate asked for."""
    found = (about_level(reference, estimate), about_rate(rate, measured) or about_bandwidth(reference, estimate))
    return [sentence for sentence in found if sentence]


def about_file(reference: Recording, output: Recording, measured: int = SAMPLE_RATE) -> list[str]:
    """Of an output's file: a rate that is not its reference's, and coding with loss. measured: Hz, the rate asked for."""
    rates = f"its file has {output.rate / 1000:g} kHz and its reference's {reference.rate / 1000:g} kHz"
    resampled = output.rate != reference.rate and output.rate >= measured  # of lower rates see `about_rate`
    found = (
        f"{rates}; both are measured at {measured / 1000:g} kHz" if resampled else "",
        f"its file is coded with loss ({output.lossy})" if output.lossy else "",
    )
    return [sentence for sentence in found if sentence]


def about_level(reference: np.ndarray, estimate: np.ndarray) -> str:
    """A level that differs by more than `MAX_LEVEL_DIFFERENCE_LU`, of (n,) each at 22 050 Hz."""
    difference = loudness_difference(reference, estimate)
    if not abs(difference) > MAX_LEVEL_DIFFERENCE_LU:  # nan where either part is silent
        return ""
    return f"it is {abs(difference):.1f} LU {'louder' if difference > 0 else 'quieter'} than the reference"


def about_rate(rate: int, measured: int = SAMPLE_RATE) -> str:
    """A file whose rate, Hz, leaves no room for a part of the band that is measured."""
    if rate >= measured:
        return ""
    return f"its file has {rate / 1000:g} kHz: nothing is in it above {rate / 2000:g} kHz"


def about_bandwidth(reference: np.ndarray, estimate: np.ndarray) -> str:
    """Of an estimate that ends below the reference: from some frequency up, every band in which the reference has anything is
    at least 20 dB lower in it, beside what its level is lower as a whole."""
    from scipy.signal import welch

    hertz, wanted = welch(reference.astype(np.float64), SAMPLE_RATE, nperseg=min(1024, len(reference)))
    _, found = welch(estimate.astype(np.float64), SAMPLE_RATE, nperseg=min(1024, len(estimate)))
    bands = (hertz / BAND_HZ).astype(int)
    wanted, found = (
        10 * np.log10(np.bincount(bands, x) / np.bincount(bands) * hertz[1] + 1e-20) for x in (wanted, found)
    )
    louder = 10 * math.log10(np.sum(10 ** (found / 10)) / np.sum(10 ** (wanted / 10)))
    lower = wanted - found + louder
    sounding = np.flatnonzero(wanted > MIN_REFERENCE_BAND_DBFS)
    there = np.flatnonzero((lower < MIN_EMPTY_BAND_DB) & (wanted > MIN_REFERENCE_BAND_DBFS))
    top = (int(there[-1]) + 1 if len(there) else 0) * BAND_HZ
    if not len(sounding) or top > sounding[-1] * BAND_HZ or not MIN_CUTOFF_HZ <= top <= MAX_CUTOFF_HZ:
        return ""
    return f"nothing is in it above {top / 1000:g} kHz, where the reference has something"
