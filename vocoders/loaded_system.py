"""A system for other programs: called with a recording, it gives samples and their rate. See `vocoders.load_system`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vocoders.analysis import Analysis, synthesize, synthesize_native
from vocoders.audio import SAMPLE_RATE, Recording
from vocoders.systems import System


class Output(NamedTuple):
    """samples: (n,) float32, as long as the recording; full scale is 1. rate: of the samples, in Hz."""

    samples: np.ndarray
    rate: int


@dataclass(frozen=True)
class LoadedSystem:
    """`system` holds id, title, description and front end."""

    system: System

    def __call__(self, recording: Recording, native_rate: bool = False) -> Output:
        """Analysis and resynthesis, at 22 050 Hz. Deterministic. Errors: ValueError for samples that are not (n,) finite floats.

        native_rate: at the vocoder's own rate instead, up to 48 kHz.
        """
        analysis = Analysis(recording.samples, recording.own)
        if native_rate:
            made = synthesize_native(self.system, analysis)
            return Output(made.samples, made.rate)
        return Output(synthesize(self.system, analysis), SAMPLE_RATE)
