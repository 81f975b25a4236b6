"""From a waveform to a mel-spectrogram and back: every vocoder of the comparison, and nothing that judges or shows it.

For other programs: `from vocoders import load_system, read_recording`. Both import what they need when they are called.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vocoders.audio import Recording
    from vocoders.hifigan.precision import PrecisionChoice
    from vocoders.loaded_system import LoadedSystem

__all__ = ["load_system", "read_recording"]


def read_recording(
    path: str | Path, start: float = 0.0, end: float | None = None, max_seconds: float = 600.0
) -> Recording:
    """An audio file of any supported kind, or a part of it, as a mono recording at 22 050 Hz.

    start, end: of the part, in seconds; end None: to the end. max_seconds: longest recording or part that is accepted. The
    result's `samples` are (n,) float32, its `rate` is that of the file, its `notices` name what is unusual about the file, and its
    `native` are the samples at the file's own rate, up to 48 kHz.
    Errors: `AudioError` (a ValueError) naming the file and the reason; ValueError for a part that ends before it begins.
    """
    from vocoders.recordings.passage import Passage
    from vocoders.recordings.reader import Limits
    from vocoders.recordings.reader import read_recording as read

    passage = Passage(start, end) if start or end is not None else None
    return read(path, Limits(max_seconds=max_seconds, max_megabytes=1000), str(path), passage)


def load_system(name: str, precision: PrecisionChoice = "exact") -> LoadedSystem:
    """A system with its weights in memory: `load_system("griffin-lim")(recording)` gives samples and their rate, 22 050
    Hz, or the vocoder's own with `native_rate=True`.

    name: an id that `python -m vocoders list` prints, or the path of a checkpoint (FILE, FILE@hw2, FILE@hifigan). precision: of a
    network: "exact", in float32; "fast", in bfloat16 where the processor multiplies it; "auto", so where that is measured to be close.
    Errors: ValueError for an unknown id, with the known ones; `CheckpointError` (a ValueError) for a file that is no usable
    generator; `Unavailable` where weights are missing.
    """
    from vocoders.catalogue import find_system
    from vocoders.hifigan.engine import in_precision
    from vocoders.hifigan.precision import CHOICES
    from vocoders.loaded_system import LoadedSystem

    if precision not in CHOICES:
        raise ValueError(f"unknown precision {precision!r}; allowed: {', '.join(CHOICES)}")
    system = in_precision(find_system(name), precision)
    system.load()
    return LoadedSystem(system)
