"""A system for other programs: called with a recording, it gives samples and their rate. See `vocoders.load_system`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vocoders.analysis import Analysis, synthesize
from vocoders.audio import SAMPLE_RATE, Recording
from vocoders.systems import System


class Output(NamedTuple):
    """samples: (n,) float32, as long as the recording; full scale is 1. rate: of the samples, 22 050 Hz."""

    samples: np.ndarray
    rate: int


@dataclass(frozen=True)
class LoadedSystem:
    """`system` holds id, title, description and front end."""

    system: System

    def __call__(self, recording: Recording) -> Output:
        """Analysis and resynthesis. Deterministic. Errors: ValueError for samples that are not (n,) finite floats."""
        return Output(synthesize(self.system, Analysis(recording.samples)), SAMPLE_RATE)
