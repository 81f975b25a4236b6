"""Outputs that another program made of the recording at hand: files that are systems of this comparison."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import gradio as gr

from eval.compare.mel import GivenMel
from eval.compare.output_folder import MAX_NAME_CHARS, GivenOutput, OutputFile
from vocoders.audio import Recording
from vocoders.recordings.contained import read_recording_contained
from vocoders.recordings.reader import AudioError, Limits

MAX_OUTPUT_FILES = 8  # of one comparison
EXCESS_SECONDS = 2.0  # by which a late output, with silence around it, may last longer than the longest recording


def outputs_chooser() -> gr.File:
    """Lays out the field for the files."""
    with gr.Accordion("Outputs made elsewhere", open=False, elem_id="given"):
        return gr.File(
            label=f"Audio files: up to {MAX_OUTPUT_FILES}",
            file_count="multiple",
            type="filepath",
            elem_id="given-files",
            height=140,
        )


def read_outputs(
    files: Sequence[str | Path], source: Recording | GivenMel, limits: Limits, titles: Iterable[str] = ()
) -> list[GivenOutput]:
    """Each file as a system that is named by its stem; one that cannot be used has the reason instead of a recording.

    titles: of the other systems of the comparison, which must stay apart from these.
    Errors: `AudioError` for too many files, too many bytes, and for outputs beside a mel.
    """
    paths = [Path(file) for file in files]
    if not paths:
        return []
    if not isinstance(source, Recording):
        raise AudioError("Outputs made elsewhere are compared with a recording: remove the mel file, or the outputs.")
    if len(paths) > MAX_OUTPUT_FILES:
        raise AudioError(f"{len(paths)} outputs made elsewhere are too many; {MAX_OUTPUT_FILES} files are the limit.")
    megabytes = sum(path.stat().st_size for path in paths if path.is_file()) / 1e6
    if megabytes > limits.max_megabytes:
        raise AudioError(
            f"the outputs made elsewhere have {megabytes:.0f} MB; {limits.max_megabytes:g} MB in all are accepted."
        )
    taken = {"Recording", *titles}
    ids: set[str] = set()
    given = []
    for path in paths:
        title = _apart(" ".join(path.stem.split())[:MAX_NAME_CHARS] or "output", taken, " ({})")
        slug = re.sub(r"[^A-Za-z0-9]+", "-", path.stem).strip("-")[:40]  # of files and addresses
        given.append(_read(path, _apart(f"file-{slug or 'output'}", ids, "-{}"), title, limits))
    return given


def _apart(name: str, taken: set[str], numbered: str) -> str:
    """The name, numbered where it is taken; then it is taken."""
    found, number = name, 2
    while found in taken:
        found, number = name + numbered.format(number), number + 1
    taken.add(found)
    return found


def _read(path: Path, system_id: str, title: str, limits: Limits) -> GivenOutput:
    longer = replace(limits, max_seconds=limits.max_seconds + EXCESS_SECONDS)
    try:
        recording = read_recording_contained(path, longer, path.name)
    except AudioError as error:
        return GivenOutput(OutputFile(system_id, title, "Made elsewhere."), None, str(error))
    about = f"Made elsewhere: {recording.history}"
    return GivenOutput(OutputFile(system_id, title, about, recording.native.rate), recording)
