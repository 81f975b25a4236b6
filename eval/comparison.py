"""One recording through many systems: take after take, each measured as soon as it exists.

`compare` calls back with what happens, so that a page, a command or a test can show it; it knows none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from eval.loudness import loudness, true_peak
from eval.metrics import METRICS
from vocoders.audio import SAMPLE_RATE, Recording
from vocoders.systems import Analysis, System, Unavailable, synthesize


class Cancelled(Exception):
    """Raised inside `compare` by its caller's `on_event` to stop it."""


@dataclass(frozen=True, eq=False)
class Take:
    """What a system made of the recording. `metrics`: {name: value, nan where undefined}."""

    system: System
    samples: np.ndarray
    lufs: float
    true_peak: float  # dBTP
    compute_seconds: float
    metrics: dict[str, float]

    @property
    def real_time_factor(self) -> float:
        """Seconds of audio made per second of computing: above 1 is faster than real time."""
        return len(self.samples) / SAMPLE_RATE / self.compute_seconds


@dataclass(frozen=True)
class Progress:
    system: System
    fraction: float


@dataclass(frozen=True)
class Failed:
    system: System
    reason: str


Event = Progress | Take | Failed


def compare(recording: Recording, systems: Sequence[System], on_event: Callable[[Event], None]) -> None:
    """Run every system on `recording`, in the given order. A system that fails does not stop the others.

    `compute_seconds` is front end and vocoder; loading weights is not counted, and a part that systems share
    is counted for each of them.
    """
    analysis = Analysis(recording.samples)
    for system in systems:
        on_event(Progress(system, 0.0))
        try:
            event = _take(system, analysis, recording, lambda fraction, s=system: on_event(Progress(s, fraction)))
        except Unavailable as error:
            event = Failed(system, str(error))
        except (ValueError, RuntimeError, MemoryError) as error:
            event = Failed(system, f"{type(error).__name__}: {error}")
        on_event(event)


def _take(system: System, analysis: Analysis, recording: Recording, on_progress: Callable[[float], None]) -> Take:
    system.load()
    samples = synthesize(system, analysis, on_progress)
    quick = [metric for metric in METRICS.values() if metric.quick and not metric.why_not()]
    metrics = {metric.name: metric.compute(recording.samples, samples) for metric in quick}
    return Take(system, samples, loudness(samples), true_peak(samples), analysis.seconds(system), metrics)


def quick_first(systems: Sequence[System]) -> list[System]:
    """Signal processing before networks, so that something can be heard at once; else as given."""
    return sorted(systems, key=lambda system: (system.describe().parameters, system.refinement is not None))
