"""Long recordings in overlapping chunks, so that memory does not grow with them."""

from __future__ import annotations

import numpy as np

from vocoders.mel import HOP

CHUNK = 1024  # frames at a time, 12 s
OVERLAP = 32  # frames that neighbouring chunks share, over the middle half of which they are cross-faded


def chunks(frames: int) -> list[tuple[int, int]]:
    """(start, stop) in frames: pieces of `CHUNK` with `OVERLAP` in common, the last one as long as it comes."""
    step = CHUNK - OVERLAP
    starts = range(0, max(1, frames - OVERLAP), step)
    return [(start, min(start + CHUNK, frames)) for start in starts]


def fades(start: int, stop: int, frames: int) -> np.ndarray:
    """Weights of a chunk's samples; those of neighbours add up to 1. The outer quarters, where a chunk misses its
    surroundings, weigh nothing."""
    weight = np.ones((stop - start) * HOP, dtype=np.float32)
    edge = OVERLAP * HOP
    rise = np.clip(np.linspace(-0.5, 1.5, edge, dtype=np.float32), 0, 1)
    if start > 0:
        weight[:edge] = rise
    if stop < frames:
        weight[-edge:] = 1 - rise
    return weight
