"""A file at a glance: how long it is, where it is loud, and which part of it to begin with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vocoders.recordings.decoding import AudioError, open_audio
from vocoders.recordings.passage import Passage
from vocoders.recordings.reader import Limits, check_file, check_format

STEP_SECONDS = 0.05  # of sound to one level
PICTURE_COLUMNS = 600  # of the picture
SUGGESTED_SECONDS = 20.0


@dataclass(frozen=True, eq=False)
class Overview:
    """peaks: (columns,) float32, the largest absolute sample in each of as many equal parts of the file, over all channels.
    loudest: the passage to begin with, the whole file where that is short enough."""

    seconds: float
    peaks: np.ndarray
    loudest: Passage


def overview_of(
    path: Path, limits: Limits, name: str | None = None, on_progress: Callable[[float], None] = lambda seconds: None
) -> Overview:
    """Decode the whole file without keeping it. on_progress: called with the seconds decoded so far.

    Errors: `AudioError` naming the file and the reason.
    """
    try:
        check_file(path, limits)
        peaks, powers, seconds = _levels(path, limits, on_progress)
    except AudioError as error:
        raise AudioError(f"{name or path.name}: {error}") from None
    columns = min(PICTURE_COLUMNS, len(peaks))
    edges = np.arange(columns) * len(peaks) // columns
    return Overview(
        seconds, np.maximum.reduceat(peaks, edges).astype(np.float32), _loudest(powers, seconds, limits.max_seconds)
    )


def _levels(path: Path, limits: Limits, on_progress: Callable[[float], None]) -> tuple[np.ndarray, np.ndarray, float]:
    """Peak and power of every `STEP_SECONDS` seconds, over all channels, and the length in seconds."""
    peaks, powers, total = [], [], 0
    with open_audio(path) as stream:
        check_format(stream, limits)
        step, rest = round(STEP_SECONDS * stream.rate), np.zeros((0, stream.channels), np.float32)
        for block in stream.blocks():
            total += len(block)
            if total > limits.max_file_seconds * stream.rate:
                raise AudioError(
                    f"the recording lasts more than {limits.max_file_seconds / 60:g} minutes, which is the limit."
                )
            rest = np.concatenate([rest, np.nan_to_num(block)])
            whole = len(rest) // step * step
            levels = np.abs(rest[:whole].reshape(-1, step * stream.channels))
            peaks.append(levels.max(axis=1))
            powers.append(np.square(levels, dtype=np.float64).mean(axis=1))
            rest = rest[whole:]
            on_progress(total / stream.rate)
        if len(rest):
            peaks.append(np.abs(rest).max(keepdims=True)[0])
            powers.append(np.square(rest, dtype=np.float64).mean(keepdims=True)[0])
    if total == 0:
        raise AudioError("the file has a valid header and no audio in it.")
    return np.concatenate(peaks), np.concatenate(powers), total / stream.rate


def _loudest(powers: np.ndarray, seconds: float, longest: float) -> Passage:
    """Of the passages of the suggested length the one with the most energy; the earliest of those."""
    if seconds <= longest:
        return Passage(0.0, seconds)
    steps = round(min(SUGGESTED_SECONDS, longest) / STEP_SECONDS)
    sums = np.cumsum(np.concatenate([[0.0], powers]))
    best = int(np.argmax(sums[steps:] - sums[:-steps]))
    return Passage(round(best * STEP_SECONDS, 2), round((best + steps) * STEP_SECONDS, 2))
