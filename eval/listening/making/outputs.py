"""The outputs of a study: a system runs, or its file is read; either lies on the recording's timeline, at its own rate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eval.compare.measurement import placed
from eval.compare.native.placing import native_delay
from eval.compare.output_folder import AnySystem, OutputFolder
from eval.compare.overlap import LengthError, on_timeline
from eval.listening.study import StudyError
from eval.metrics.alignment import Alignment, align, apply_alignment
from vocoders.analysis import Analysis, synthesize, synthesize_native
from vocoders.audio import SAMPLE_RATE, Recording, Waveform, fit_length, own_of
from vocoders.recordings.reader import Limits

OUTPUT_LIMITS = Limits(max_seconds=120)  # of a file: what lies around its clip is cut away


@dataclass(frozen=True, eq=False)
class StudyOutput:
    """measured: (n,) float32 at 22 050 Hz, where the system put it. played: at its own rate, aligned with the recording. alignment:
    of `played` before that; None for silence."""

    measured: np.ndarray
    played: Waveform
    alignment: Alignment | None


def output_of(item: str, system: AnySystem, recording: Recording, analysis: Analysis) -> StudyOutput:
    """As long as the recording. Errors: those of `synthesize`, `AudioError`, `LengthError`."""
    if not isinstance(system, OutputFolder):
        made = synthesize_native(system, analysis)
        found = align(recording.at(made.rate), made.samples, made.rate)
        return StudyOutput(
            synthesize(system, analysis), Waveform(apply_alignment(made.samples, found), made.rate), found
        )
    output = system.read(item, OUTPUT_LIMITS)
    moved = placed(recording, output).moved
    measured = on_timeline(output.samples, moved, len(recording.samples))
    return StudyOutput(measured, *_aligned(output.native, native_delay(recording, output, moved), recording))


def _aligned(file: Waveform, delay: int, recording: Recording) -> tuple[Waveform, Alignment | None]:
    """A file that is late by `delay` samples and what is left of that, cut to the recording at once: nothing of it is lost twice."""
    wanted = recording.at(file.rate)
    found = align(wanted, on_timeline(file.samples, delay, len(wanted)), file.rate)
    if not found or not found.is_reliable:
        return Waveform(on_timeline(file.samples, delay, len(wanted)), file.rate), found
    samples = on_timeline(file.samples, delay + found.delay, len(wanted))
    return Waveform(-samples if found.inverted else samples, file.rate), found


def outputs_alone(item: str, systems: Sequence[OutputFolder]) -> dict[str, Waveform]:
    """{system: samples at their own rate}, of one length, where there is no recording. Outputs are moved onto that of the first
    system, and turned over, where both are the same but for that; another length is no error here.

    Errors: `AudioError`.
    """
    read = {system.id: system.read(item, OUTPUT_LIMITS) for system in systems}
    first = next(iter(read.values()))
    seconds = max(output.native.seconds for output in read.values())
    longest = _lasting(first, seconds)
    found = {}
    for system, output in read.items():
        try:
            delay = native_delay(first, output, placed(first, output).moved)
        except LengthError:
            delay = 0
        found[system] = _aligned(output.native, delay, longest)[0]
    return found


def _lasting(recording: Recording, seconds: float) -> Recording:
    """The recording with silence behind it."""
    native = recording.native
    own = Waveform(fit_length(native.samples, round(seconds * native.rate)), native.rate)
    samples = fit_length(recording.samples, round(seconds * SAMPLE_RATE))
    return replace(recording, samples=samples, own=own_of(own))


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
