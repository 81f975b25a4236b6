"""The part of an estimate that is measured, and the part of the reference it is measured against.

reference      |==================|
estimate    ....~~~=================......      late, cut, and with silence behind it
                   |---- common ----|
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eval.compare.offset import Offset, find_offset, sounding
from vocoders.audio import SAMPLE_RATE, fit_length
from vocoders.mel import HOP

MOST = 0.02  # of the reference's length; an estimate that is longer or shorter by more is of something else, or cut
SLIGHT = SAMPLE_RATE // 1000  # samples of delay that are not worth a word


def on_timeline(estimate: np.ndarray, delay: int, length: int) -> np.ndarray:
    """(m,) -> (length,): an estimate that is late by `delay` samples, moved to its place, with silence where it has nothing."""
    early = np.pad(estimate, (max(0, -delay), 0))
    return fit_length(early[max(0, delay) :], length)


class LengthError(ValueError):
    """Lengths too different to be compared. The message is one sentence."""


@dataclass(frozen=True, eq=False)
class Overlap:
    """Both (n,): what the reference and its estimate have in common. delay: samples the estimate was late and is moved by, 0
    where it lies within a frame of its place. notes: sentences without full stop about what is not measured."""

    reference: np.ndarray
    estimate: np.ndarray
    delay: int
    notes: tuple[str, ...]


def overlap(reference: np.ndarray, estimate: np.ndarray, any_length: bool = False) -> Overlap:
    """Of mono signals (n,) and (m,) at 22 050 Hz, neither of them silent.

    An estimate that is late by more than a frame (256 samples) is moved onto its reference; within a frame it is measured
    where it is, since that is the vocoder's doing. Then both are cut to what they have in common.
    any_length: measure that much even where the lengths differ by more than `MOST`.
    Errors: `LengthError`. Silence around the reference's place does not count as length.
    """
    offset = find_offset(reference, estimate)
    delay = offset.samples if offset and abs(offset.samples) > HOP else 0
    begin, end = max(0, -delay), min(len(reference), len(estimate) - delay)
    before, behind = max(0, delay), max(0, len(estimate) - delay - len(reference))
    first, sound = sounding(estimate)
    silence = min(first, before), min(len(estimate) - first - len(sound), behind)
    difference = min(len(estimate) - len(reference), len(estimate) - sum(silence) - len(reference), key=abs)
    if abs(difference) > max(HOP, MOST * len(reference)) and not any_length:
        raise LengthError(
            f"the estimate lasts {_seconds(len(estimate))} and its reference {_seconds(len(reference))}, "
            f"{abs(difference) / len(reference):.0%} {'more' if difference > 0 else 'less'}; at most {MOST:.0%} is measured "
            "unless asked for"
        )
    missing = "of the reference are missing in it, and not measured"
    untold = offset is None and abs(len(estimate) - len(reference)) > HOP
    what = f"{_seconds(behind)} of silence" if silence[1] == behind else _seconds(behind)
    notes = (
        (True, _about_delay(offset, delay)),
        (offset is not None and offset.inverted, "its polarity is inverted"),
        (untold, "where it lies against its reference cannot be told; both are taken from their start"),
        (begin > HOP, f"the first {_seconds(begin)} {missing}"),
        (before - silence[0] > HOP, f"{_seconds(before)} before the reference's start are not measured"),
        (len(reference) - end > HOP, f"the last {_seconds(len(reference) - end)} {missing}"),
        (behind > HOP, f"{what} behind the reference's end are not measured"),
    )
    said = tuple(note for holds, note in notes if holds and note)
    return Overlap(reference[begin:end], estimate[begin + delay : end + delay], delay, said)


def _about_delay(offset: Offset | None, moved: int) -> str:
    if offset is None or (not moved and (abs(offset.samples) < SLIGHT or not offset.exact)):
        return ""
    exact = f" ({abs(offset.samples)} samples)" if offset.exact else ", as far as its levels tell"
    what = f"it is {abs(offset.samples) / SAMPLE_RATE * 1000:.0f} ms {'late' if offset.samples > 0 else 'early'}{exact}"
    return f"{what}; measured after being moved onto its reference" if moved else f"{what}; measured where it is"


def _seconds(samples: int) -> str:
    return f"{samples / SAMPLE_RATE:.2f} s"
