"""An output at its own rate, placed on the timeline of its recording.

Its delay is found at 22 050 Hz (`eval.compare.overlap`), to a sample there: up to two samples at 44.1 kHz. The waveforms at the
output's rate then tell the whole sample, where they are nearly the same.
"""

from __future__ import annotations

import math

import numpy as np

from eval.compare.offset import MIN_EXACT_CORRELATION
from eval.compare.overlap import on_timeline
from eval.metrics.alignment import align
from vocoders.audio import SAMPLE_RATE, AtAnyRate, Recording, Waveform, fit_length


def placed_native(reference: Recording, output: Recording, moved: int) -> Waveform:
    """The output at its own rate, as long as the reference. moved: samples at 22 050 Hz by which `placed` moves it."""
    rate = output.native.rate
    length = length_at(reference.native, rate)
    return Waveform(on_timeline(output.native.samples, native_delay(reference, output, moved), length), rate)


def native_delay(reference: Recording, output: Recording, moved: int) -> int:
    """Samples at the output's own rate that it is late. 0 where it is not moved."""
    estimate, rate = output.native.samples, output.native.rate
    if moved == 0 or rate == SAMPLE_RATE:
        return moved
    wanted = reference.at(rate)
    middle, reach = round(moved * rate / SAMPLE_RATE), math.ceil(rate / SAMPLE_RATE) + 1
    found = {delay: _correlation(wanted, estimate, delay) for delay in range(middle - reach, middle + reach + 1)}
    best = max(found, key=lambda delay: (abs(found[delay]), -abs(delay - middle)))
    if abs(found[best]) >= MIN_EXACT_CORRELATION:
        return best
    # Between two samples at 22 050 Hz a bright sound has no sharp maximum, and levels told its place, within milliseconds
    left = align(wanted, on_timeline(estimate, middle, len(wanted)), rate)
    near = middle + left.delay if left else middle
    return near if abs(_correlation(wanted, estimate, near)) >= MIN_EXACT_CORRELATION else middle


def common_part(
    reference: AtAnyRate, estimate: Waveform, rate: int, begin: int, length: int
) -> tuple[np.ndarray, np.ndarray]:
    """Both (m,) at `rate` Hz, of an estimate on its reference's timeline; begin, length: of the part, in samples at 22 050 Hz."""
    first, last = (round(place * rate / SAMPLE_RATE) for place in (begin, begin + length))
    wanted = reference.at(rate)[first:last]
    return wanted, fit_length(estimate.at(rate)[first:last], len(wanted))


def length_at(reference: Waveform, rate: int) -> int:
    """Samples that the reference has at another rate."""
    return round(len(reference.samples) * rate / reference.rate)


def _correlation(reference: np.ndarray, estimate: np.ndarray, delay: int) -> float:
    """-1 to 1, of the part that both have in common where the estimate is late by `delay` samples."""
    late, early = estimate[max(0, delay) :], reference[max(0, -delay) :]
    common = min(len(late), len(early))
    pair = [x[:common].astype(np.float64) for x in (early, late)]
    power = math.sqrt(float(pair[0] @ pair[0]) * float(pair[1] @ pair[1]))
    return float(pair[0] @ pair[1]) / power if power else 0.0


def at_common_rate(reference: AtAnyRate, estimate: AtAnyRate) -> tuple[np.ndarray, np.ndarray, int]:
    """Both (n,) at the lower of their own rates, as long as the reference, and that rate: what lies above its half is not in both."""
    rate = min(reference.native.rate, estimate.native.rate)
    wanted = reference.at(rate)
    return wanted, fit_length(estimate.at(rate), len(wanted)), rate
