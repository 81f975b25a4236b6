"""Long recordings in overlapping chunks, so that memory does not grow with them."""

from __future__ import annotations

import numpy as np

from vocoders.mel import HOP

CHUNK_FRAMES = 1024  # of a piece: 12 s
OVERLAP_FRAMES = 32  # that neighbouring chunks share, over the middle half of which they are cross-faded


def chunks(frames: int) -> list[tuple[int, int]]:
    """(start, stop) in frames: pieces of `CHUNK_FRAMES` with `OVERLAP_FRAMES` in common, the last one as long as it comes."""
    step = CHUNK_FRAMES - OVERLAP_FRAMES
    starts = range(0, max(1, frames - OVERLAP_FRAMES), step)
    return [(start, min(start + CHUNK_FRAMES, frames)) for start in starts]


def fades(start: int, stop: int, frames: int) -> np.ndarray:
    """Weights of a chunk's samples; those of neighbours add up to 1. The outer quarters, where a chunk misses its
    surroundings, weigh nothing."""
    weight = np.ones((stop - start) * HOP, dtype=np.float32)
    edge = OVERLAP_FRAMES * HOP
    rise = np.clip(np.linspace(-0.5, 1.5, edge, dtype=np.float32), 0, 1)
    if start > 0:
        weight[:edge] = rise
    if stop < frames:
        weight[-edge:] = 1 - rise
    return weight
