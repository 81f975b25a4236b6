"""How late an estimate is against its reference, up to a second either way, whatever its phases are.

Two looks. The waveforms tell to the sample where the estimate is the reference, changed a little. The levels of bands over
time tell within a few milliseconds where it has phases of its own, as Griffin-Lim's outputs have: there some multiple of a
held note's period always fits the waveform by half.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import fft

from vocoders.audio import SAMPLE_RATE
from vocoders.mel import filterbank

REACH = SAMPLE_RATE  # samples either way
LONGEST = 60 * SAMPLE_RATE  # samples that are looked at, from the first sound on
LEAST = 0.25  # of the shorter signal, that both must have in common
# |correlation| of waveforms that are the same. Outputs of neural vocoders come up to 0.81, half a period away from their place
SAME = 0.9
COPY = 1 - 1e-6  # of waveforms that differ by a gain and rounding only; nothing that fits less comes into question then
ALIKE = 0.7  # correlation of levels; outputs of working vocoders have at least 0.88, of a wrong mel at most 0.36
BETTER = 1.05  # how far another place must fit better than the one where the estimate is
SILENT = 1e-3  # of a signal's peak, -60 dB: below it nothing sounds
STEP, WINDOW, BANDS = 64, 512, 24  # samples, samples, and mel bands up to 8 kHz
LOUDNESS_EXPONENT = 0.3  # from power: loud bands do not hide the others, and a gain changes nothing


@dataclass(frozen=True)
class Offset:
    """samples: the estimate is late by; exact: to the sample, by the waveforms. inverted: upside down, where that is known."""

    samples: int
    exact: bool
    inverted: bool = False


def find_offset(reference: np.ndarray, estimate: np.ndarray) -> Offset | None:
    """Of mono signals (n,) and (m,) at 22 050 Hz; None where neither look is sure, as for silence."""
    begin = max(0, sounding(reference)[0] - REACH)
    reference, estimate = (x[begin:][:LONGEST].astype(np.float64) for x in (reference, estimate))
    if not (reference.any() and estimate.any()):
        return None
    delays, common, fit = _correlations(reference[None], estimate[None], -REACH, REACH)
    copies = np.abs(common) > COPY
    best = int(np.argmax(np.where(copies, fit, 0.0) if copies.any() else fit))
    if abs(common[best]) >= SAME:
        return Offset(int(delays[best]), True, bool(common[best] < 0))
    starts, (reference, estimate) = zip(*map(sounding, (reference, estimate)))
    moved = starts[1] - starts[0]  # by leaving out the silence, which would only shift the means of levels
    steps = [round(end / STEP) for end in (-REACH - moved, REACH - moved)]
    delays, common, fit = _correlations(_levels(reference), _levels(estimate), *steps)
    fit = np.where(common > 0, fit, 0.0)
    best, unmoved = int(np.argmax(fit)), int(np.argmin(np.abs(STEP * delays + moved)))
    if common[best] < ALIKE or fit[best] < BETTER * fit[max(0, unmoved - 1) : unmoved + 2].max():
        best = unmoved
    if common[best] < ALIKE:
        return None
    return Offset(round(STEP * (delays[best] + _between(fit, best))) + moved, False)


def sounding(samples: np.ndarray) -> tuple[int, np.ndarray]:
    """Where the first sound is, and everything from there to the last."""
    sounds = np.flatnonzero(np.abs(samples) > SILENT * np.abs(samples).max(initial=0.0))
    first, last = (sounds[0], sounds[-1]) if len(sounds) else (0, 0)
    return int(first), samples[first : last + 1]


def _correlations(
    reference: np.ndarray, estimate: np.ndarray, earliest: int, latest: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(rows, n), (rows, m) -> (delays,): delays of the estimate within those limits, the correlation over what both have in common at each, -1 to 1, and how well
    each fits, 0 to 1.

    The fit is that correlation times the one of the whole signals. A steady tone correlates perfectly over the common part
    at every multiple of its period, and as a whole at some of them: only the product has one maximum, where nothing is lost.
    """
    n, m = reference.shape[1], estimate.shape[1]
    size = fft.next_fast_len(n + m - 1, real=True)
    spectra = [fft.rfft(x, size, axis=1) for x in (reference, estimate)]
    products = fft.irfft((np.conj(spectra[0]) * spectra[1]).sum(axis=0), size)
    delays = np.arange(max(earliest, 1 - n), min(latest, m - 1) + 1)
    begin, end = np.maximum(0, -delays), np.minimum(n, m - delays)  # of the reference's part that the estimate covers
    enough = end - begin >= LEAST * min(n, m)
    delays, begin, end = delays[enough], begin[enough], end[enough]
    powers = [np.concatenate([[0.0], np.cumsum(np.square(x).sum(axis=0))]) for x in (reference, estimate)]
    whole = powers[0][-1] * powers[1][-1]
    part = (powers[0][end] - powers[0][begin]) * (powers[1][end + delays] - powers[1][begin + delays])
    found = products[delays]
    common = found / np.sqrt(np.maximum(part, 1e-12 * whole))
    return delays, common, np.abs(common * found) / np.sqrt(whole)


def _levels(samples: np.ndarray) -> np.ndarray:
    """(n,) -> (bands, steps): levels over time around their mean."""
    frames = sliding_window_view(np.pad(samples, WINDOW // 2), WINDOW)[::STEP] * np.hanning(WINDOW)
    power = np.square(np.abs(fft.rfft(frames, axis=1)))
    levels = (power @ filterbank("htk", False, BANDS, WINDOW).T) ** LOUDNESS_EXPONENT
    return (levels - levels.mean(axis=0)).T


def _between(fit: np.ndarray, best: int) -> float:
    """Where between its neighbours the maximum of a parabola through them lies, -0.5 to 0.5."""
    if not 0 < best < len(fit) - 1:
        return 0.0
    before, here, after = fit[best - 1 : best + 2]
    bend = before - 2 * here + after
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0 else 0.0
