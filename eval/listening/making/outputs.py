"""The outputs of a study: a system runs, or its file is read; either lies on the recording's timeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.compare.measurement import placed
from eval.compare.output_folder import AnySystem, OutputFolder
from eval.compare.overlap import LengthError, on_timeline
from eval.listening.study import StudyError
from eval.metrics.alignment import align, apply_alignment
from vocoders.analysis import Analysis, synthesize
from vocoders.audio import Recording, fit_length
from vocoders.recordings.reader import Limits

OUTPUT_LIMITS = Limits(max_seconds=120)  # of a file: what lies around its clip is cut away


def output_of(item: str, system: AnySystem, recording: Recording, analysis: Analysis) -> np.ndarray:
    """(n,) float32, as long as the recording. Errors: those of `synthesize`, `AudioError`, `LengthError`."""
    if not isinstance(system, OutputFolder):
        return fit_length(synthesize(system, analysis), len(recording.samples))
    output = system.read(item, OUTPUT_LIMITS)
    return on_timeline(output.samples, placed(recording, output).moved, len(recording.samples))


def outputs_alone(item: str, systems: Sequence[OutputFolder]) -> dict[str, np.ndarray]:
    """{system: samples (n,)}, of one length, where there is no recording. Outputs are moved onto that of the first system, and
    turned over, where both are the same but for that; another length is no error here.

    Errors: `AudioError`.
    """
    read = {system.id: system.read(item, OUTPUT_LIMITS) for system in systems}
    length = max(len(output.samples) for output in read.values())
    first = next(iter(read.values()))
    found = {}
    for system, output in read.items():
        try:
            samples = on_timeline(output.samples, placed(first, output).moved, length)
        except LengthError:
            samples = fit_length(output.samples, length)
        found[system] = apply_alignment(samples, align(fit_length(first.samples, length), samples))
    return found


@dataclass(frozen=True)
class OutputFile:
    """history: one sentence about the file and what was done to it; notes: what was noticed about it."""

    system: str
    item: str
    history: str
    notes: tuple[str, ...]


def output_files(
    items: Sequence[str], systems: Sequence[AnySystem], recordings: Mapping[str, Recording]
) -> Iterator[OutputFile]:
    """Of all outputs that were made elsewhere. Errors: `AudioError`, `StudyError`."""
    for system in (system for system in systems if isinstance(system, OutputFolder)):
        for item in items:
            output = system.read(item, OUTPUT_LIMITS)
            try:
                notes = placed(recordings[item], output).notes if item in recordings else output.notices
            except LengthError as error:
                raise StudyError(f"{item}: {system.title}: {error}") from error
            yield OutputFile(system.id, item, output.history, tuple(notes))
