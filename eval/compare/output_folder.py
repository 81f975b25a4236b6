"""Outputs that were made elsewhere are a system too: a folder of audio files, one for each clip."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from common.command import note_table
from eval.compare.pairs import match_files
from vocoders.audio import SAMPLE_RATE, Recording
from vocoders.phase.refine import Refinement
from vocoders.recordings.decoding import AudioError
from vocoders.recordings.reader import Limits, read_recording
from vocoders.step import Step
from vocoders.systems import Card, System

MAX_NAME_CHARS = 60
RESERVED = {"reference", "anchor", "clips"}  # conditions and folders that mean something else


@dataclass(frozen=True)
class OutputFolder:
    """Stands in for a `System` whose outputs are there already.

    A value: after a trip to another process it equals itself. files: (clip, path) pairs; missing: (clip, reason) pairs; unused:
    files of no clip; decoded: (clip, recording) pairs of files that were read already, where untrusted files are.
    """

    id: str
    title: str
    folder: str
    files: tuple[tuple[str, str], ...]
    missing: tuple[tuple[str, str], ...] = ()
    unused: tuple[str, ...] = ()
    decoded: tuple[tuple[str, Recording], ...] = ()

    steps: ClassVar[tuple[Step, ...]] = ()
    refinement: ClassVar[Refinement | None] = None
    mel: ClassVar[str] = "none"

    @property
    def about(self) -> str:
        """As `System.about`."""
        return f"Outputs made elsewhere: {len(self.files)} files."

    def describe(self) -> Card:
        """The folder as the source; what a made output took to compute is unknown."""
        return Card(None, "-", self.folder)

    def why_not(self) -> str | None:
        """None: files that are there need nothing that could be missing."""
        return None

    def of_clip(self, clip: str) -> OutputFolder:
        """The same with this clip alone: what a task of one clip carries."""
        files = tuple(pair for pair in self.files if pair[0] == clip)
        missing = tuple(pair for pair in self.missing if pair[0] == clip)
        decoded = tuple(pair for pair in self.decoded if pair[0] == clip)
        return replace(self, files=files, missing=missing, unused=(), decoded=decoded)

    def path(self, clip: str) -> Path:
        """Errors: `AudioError` where there is no file, or no single one, for this clip."""
        if (found := dict(self.files).get(clip)) is None:
            raise AudioError(dict(self.missing).get(clip, f"no output in {self.folder}"))
        return Path(found)

    def read(self, clip: str, limits: Limits) -> Recording:
        """Errors: `AudioError` naming the file and the reason."""
        if known := dict(self.decoded).get(clip):
            return known
        path = self.path(clip)
        return read_recording(path, limits, str(path))

    def note_mismatches(self) -> None:
        """Says on stderr, as a table, which clips have no output and which files belong to no clip."""
        rows = [*self.missing, *((path, "no clip has this name") for path in self.unused)]
        if rows:
            clips = len(self.files) + len(self.missing)
            note_table(f"{self.title}: {len(self.files)} of {clips} clips have an output", rows)


@dataclass(frozen=True)
class OutputFile:
    """Stands in for a `System` whose output for one recording is a file. A value, small enough for every event."""

    id: str
    title: str
    about: str
    native_rate: int = SAMPLE_RATE  # Hz, of the output that is played

    steps: ClassVar[tuple[Step, ...]] = ()
    refinement: ClassVar[Refinement | None] = None
    mel: ClassVar[str] = "unknown"  # it may be a mel vocoder's, and competes with those

    def describe(self) -> Card:
        """Its program is unknown."""
        return Card(None, "-", self.title)


@dataclass(frozen=True, eq=False)
class GivenOutput:
    """The output of an `OutputFile`. recording: None for a file that cannot be used; error: why, a sentence."""

    system: OutputFile
    recording: Recording | None
    error: str = ""


AnySystem = System | OutputFolder


def output_folder(name: str, folder: Path, clips: Sequence[Path]) -> OutputFolder:
    """clips: names of the recordings, as `find_audio` gives them; files are matched to them by `match_files`.

    Errors: ValueError for a name without letters or digits, and where no file matches.
    """
    matches = match_files(clips, Path(folder).absolute())
    files = tuple((str(clip), str(path)) for clip, path in matches.files.items())
    missing = tuple((str(clip), why) for clip, why in matches.missing.items())
    return OutputFolder(id_of(name), name, str(Path(folder)), files, missing, tuple(map(str, matches.unused)))


def id_of(name: str) -> str:
    """A name that can be a folder's and a condition's. Errors: ValueError."""
    found = re.sub(r"[^\w-]+", "-", name).strip("-")
    if not found or len(name) > MAX_NAME_CHARS or found.lower() in RESERVED:
        raise ValueError(
            f"{name!r} cannot be a system's name; allowed: at most {MAX_NAME_CHARS} characters with a letter or digit, "
            f"not {', '.join(sorted(RESERVED))}"
        )
    return found


def named_folder(text: str) -> tuple[str, Path] | None:
    """NAME=FOLDER -> (name, folder); None for an id or a checkpoint's path. Errors: ValueError for a folder that is not there."""
    name, equals, folder = text.partition("=")
    if not equals or Path(text).exists():
        return None
    if not Path(folder).is_dir():
        raise ValueError(f"--system {text}: there is no folder {folder}")
    return name.strip(), Path(folder)


def split_systems(
    items: str, named: Sequence[str], clips: Sequence[Path], given: Sequence[OutputFolder] = ()
) -> tuple[str, list[OutputFolder]]:
    """The options --vocoders and --system -> (systems that run here, as `find_systems` reads them; those that ran elsewhere).

    given: outputs that are known already.

    Errors: ValueError where none is named, and those of `output_folder`.
    """
    found = {text: named_folder(text) for text in named}
    items = ",".join(filter(None, [items, *(text for text, folder in found.items() if folder is None)]))
    if not items and not found and not given:
        raise ValueError("name at least one system, with --vocoders or --system")
    outputs = [output_folder(*folder, clips) for folder in found.values() if folder]
    return items, [*given, *outputs]


def check_ids(systems: Iterable[AnySystem]) -> None:
    """Errors: ValueError for two systems of one id."""
    ids = [system.id for system in systems]
    if repeated := {name for name in ids if ids.count(name) > 1}:
        raise ValueError(f"named twice: {', '.join(sorted(repeated))}")
