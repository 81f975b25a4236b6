"""How much memory every system takes for how much sound, for each length in a process of its own.

In one process the second length would be charged with what is kept for the first: layers compiled for its windows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval.benchmarks.revisions.side import Missing, Side

FLAT_BYTES = 500_000  # per second of sound; recording and output, and a copy of each, take 0.35 MB


@dataclass(frozen=True)
class Memory:
    """Bytes. loaded: held by the process once the system has made its first sound, at most; peaks: the most that it held beyond that,
    for each of the lengths (seconds)."""

    loaded: int
    lengths: tuple[float, ...]
    peaks: tuple[int, ...]

    @property
    def slope(self) -> float:
        """Bytes per second of sound: the least-squares line through the peaks."""
        return float(np.polyfit(self.lengths, self.peaks, 1)[0])

    @property
    def is_flat(self) -> bool:
        """Whether longer recordings take no more than their samples do."""
        return self.slope < FLAT_BYTES


def measure_memory(
    name: str, folder: Path, system: str, lengths: Sequence[float], on_system: Callable[[], None] = lambda: None
) -> Memory | str:
    """Of a system in a revision; why it cannot be measured where it cannot. name: of the revision, for messages."""
    on_system()
    lengths, found = sorted(lengths), []
    for length in lengths:
        with Side(name, folder) as side:
            try:
                found.append(side.ask("memory", name=system, length=length))
            except (Missing, ValueError) as error:
                return str(error)
    return Memory(max(one["loaded"] for one in found), tuple(lengths), tuple(one["peak"] for one in found))
