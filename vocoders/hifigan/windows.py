"""Exact inference in windows, with context enough that every sample equals that of one pass.

A sample depends on `context` mel frames to each side and no more, so a window with that much context gives the very
samples the whole mel would:

    mel      |----------------------------------------------|
    window        [context|====== kept ======|context]
    next                           [context|====== kept ======|context]

All windows have one length: at the ends they are shifted inwards, where the generator's own zero padding belongs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vocoders.bigvgan.generator import BigVGANConfig
from vocoders.hifigan.generator import HiFiGANConfig

MAX_KEPT_FRAMES = 256  # of a window: 3 s of audio


@dataclass(frozen=True)
class Window:
    """In mel frames: [start, stop) is run, [first, last) is kept."""

    start: int
    stop: int
    first: int
    last: int


def windows(frames: int, kept: int, context: int) -> Iterator[Window]:
    """Windows of one length whose kept parts tile [0, frames)."""
    length = min(frames, kept + 2 * context)
    for first in range(0, frames, kept):
        last = min(first + kept, frames)
        start = min(max(first - context, 0), frames - length)
        yield Window(start, start + length, first, last)


def frames_per_window(frames: int, parallel: int) -> int:
    """Frames that each window keeps, at most `MAX_KEPT_FRAMES`, so that `parallel` of them at a time come out even."""
    if frames <= MAX_KEPT_FRAMES // 2:
        return frames
    rounds = -(-frames // (MAX_KEPT_FRAMES * parallel))
    return -(-frames // (rounds * parallel))


@dataclass(frozen=True)
class Trims:
    """Samples that can be dropped on the way, because only the first layers need the whole context.

    `stages`: per upsampling, how many of its output samples to drop at the (left, right) end; `output`: how many
    samples of the waveform are then left over at the (left, right) end.
    """

    stages: tuple[tuple[int, int], ...]
    output: tuple[int, int]


def trims(window: Window, config: HiFiGANConfig | BigVGANConfig) -> Trims:
    """The samples that every stage may drop at either side of a window, since no later stage needs them."""
    left, right = window.first - window.start, window.stop - window.last
    stages = []
    for rate, reach in zip(config.upsample_rates, config.receptive_fields):
        left, right = left * rate, right * rate
        stages.append((max(0, left - reach), max(0, right - reach)))
        left, right = min(left, reach), min(right, reach)
    return Trims(tuple(stages), (left, right))
