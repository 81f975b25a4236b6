"""Recordings -> passages of sound without long pauses: what a voice is learned from, in pieces of which some can be held out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vocoders.audio import SAMPLE_RATE

FRAME = 441  # samples, 20 ms
QUIETEST_DB = 45.0  # below the loud frames of a recording, from which on it is a pause
KEPT_FRAMES = 12  # of a pause, at both of its ends: 0.24 s
MIN_SECONDS, MAX_SECONDS = 4.0, 12.0  # of a passage; the last one of a recording may be shorter
SHORTEST_SECONDS = 1.5  # that training can use
LOUD_PERCENTILE = 95.0  # of frames, whose level counts as the recording's


def passages(samples: np.ndarray, longest: float = MAX_SECONDS) -> list[np.ndarray]:
    """(n,) float32 at 22 050 Hz -> its sound, (m,) each, up to `longest` seconds. What lies between two pieces of a passage is a
    pause of which the ends were kept, so that the splice is one of quiet to quiet."""
    found: list[np.ndarray] = []
    pieces: list[np.ndarray] = []
    for piece in _sounding(samples, longest):
        pieces.append(piece)
        if sum(map(len, pieces)) >= min(MIN_SECONDS, longest) * SAMPLE_RATE:
            found.append(np.concatenate(pieces))
            pieces = []
    if pieces and sum(map(len, pieces)) >= SHORTEST_SECONDS * SAMPLE_RATE:
        found.append(np.concatenate(pieces))
    elif pieces and found:
        found[-1] = np.concatenate([found[-1], *pieces])
    return found


def _sounding(samples: np.ndarray, longest: float) -> Iterator[np.ndarray]:
    """The stretches between pauses; one that is longer than allowed is cut where it is quietest."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    level = 10 * np.log10(np.square(frames, dtype=np.float64).mean(axis=1) + 1e-12)
    if not len(level):
        return
    loud = level > np.percentile(level, LOUD_PERCENTILE) - QUIETEST_DB
    near = np.convolve(loud, np.ones(2 * KEPT_FRAMES + 1), mode="same") > 0.5
    edges = np.flatnonzero(np.diff(np.concatenate([[0], near.astype(np.int8), [0]])))
    most = round(longest * SAMPLE_RATE / FRAME)
    for start, stop in edges.reshape(-1, 2):
        while stop - start > most:
            low = start + most // 2
            cut = low + 1 + int(np.argmin(level[low : start + most]))
            yield samples[start * FRAME : cut * FRAME]
            start = cut
        yield samples[start * FRAME : stop * FRAME]
