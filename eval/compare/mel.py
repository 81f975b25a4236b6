"""A mel that came without a recording, through many systems: outputs, and how far each lies from the mel that was given."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from eval.compare.recording import Event, Output, Progress, output_or_failed, progress_of
from eval.metrics.loudness import level_of
from vocoders.analysis import Analysis, synthesize, synthesize_native
from vocoders.audio import SAMPLE_RATE, own_of
from vocoders.features import Features
from vocoders.hifigan.engine import precision_of
from vocoders.mel import HIFIGAN, HOP, HW2, log_mel, log_mel_of
from vocoders.mel_files.diagnosis import Diagnosis, diagnose_file
from vocoders.mel_files.options import Declared
from vocoders.systems import System

MEL_ERROR = "log-mel L1"


@dataclass(frozen=True, eq=False)
class GivenMel:
    """features: "hw2 mel" or "log hifigan mel". taken_for: what the file was read as, as a sentence without full stop."""

    name: str
    features: Features
    taken_for: str

    @property
    def seconds(self) -> float:
        """Length of the audio that the mel describes."""
        return self.features.values.shape[1] * HOP / SAMPLE_RATE

    @property
    def log_values(self) -> np.ndarray:
        """(80, frames), the natural logarithm that its recipe's networks take."""
        if self.features.kind == "log hifigan mel":
            return self.features.values
        return log_mel(torch.from_numpy(self.features.values)).numpy()

    def error(self, samples: np.ndarray) -> float:
        """Mean distance of the mel of `samples` (frames * 256,) from this one, in nepers of its own recipe; 0 is best."""
        recipe = HW2 if self.features.kind == "hw2 mel" else HIFIGAN
        return float(np.abs(log_mel_of(samples, recipe) - self.log_values).mean())


def read_given_mel(
    path: Path, declared: Declared, max_seconds: float, on_report: Callable[..., None]
) -> tuple[GivenMel | None, Diagnosis]:
    """A mel file, or None where its format is doubtful. Errors: those of `diagnose_file`."""
    features, diagnosis = diagnose_file(path, None, declared, max_seconds)
    if features is None:
        return None, diagnosis
    said = f"{diagnosis.format}, as chosen" if declared.is_complete else diagnosis.sentence
    return GivenMel(path.name, features, said), diagnosis


def compare_mel(mel: GivenMel, systems: Sequence[System], on_event: Callable[[Event], None]) -> None:
    """Run every system on a mel, in the given order. A system that fails does not stop the others.

    The outputs come measured, by `MEL_ERROR` alone: without a recording there is nothing else to compare them with.
    """
    analysis = Analysis.of_mel(mel.features)
    for system in systems:
        on_event(Progress(system, 0.0))
        on_event(output_or_failed(system, functools.partial(_output, system, analysis, mel, on_event)))


def _output(system: System, analysis: Analysis, mel: GivenMel, on_event: Callable[[Event], None]) -> Output:
    system.load()
    samples = synthesize(system, analysis, progress_of(system, mel.seconds, on_event))
    native, metrics = synthesize_native(system, analysis), {MEL_ERROR: mel.error(samples)}
    return Output(
        system,
        samples,
        *level_of(native),
        analysis.seconds(system),
        metrics=metrics,
        precision=precision_of(system),
        own=own_of(native),
    )
