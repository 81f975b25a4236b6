"""From folders to what the comparison and a study are made of: clips, and a system for each other folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from eval.compare.output_folder import OutputFolder, check_ids, output_folder
from ui.folders.layout import FoldersError, GivenFolders
from vocoders.audio import Recording
from vocoders.recordings.files import find_audio
from vocoders.recordings.reader import AudioError


@dataclass(frozen=True)
class Unmatched:
    """A file that is not compared, or a clip that a folder has no file of. reason: without full stop."""

    folder: str
    file: str
    reason: str


@dataclass(frozen=True)
class Material:
    """clips: {name: recording}, or, without recordings, {name: the first system's file}. has_reference: which of both."""

    clips: Mapping[str, Path]
    systems: tuple[OutputFolder, ...]
    unmatched: tuple[Unmatched, ...]
    has_reference: bool

    @property
    def complete(self) -> list[str]:
        """The clips of which every system has an output."""
        return [clip for clip in self.clips if all(clip in dict(system.files) for system in self.systems)]


def material_of(given: GivenFolders, reference: str | None) -> Material:
    """reference: the folder of the recordings; None without any: then the clips are those of the first folder.

    Errors: `FoldersError` where nothing matches.
    """
    if not given.is_here:
        raise FoldersError("These folders are no longer here: uploads stay for two hours. Drop them again.")
    outputs = [folder for folder in given.folders if folder.name != reference]
    if not outputs:
        raise FoldersError("There is one folder only; a folder for each system is needed beside the recordings.")
    first = next((folder for folder in given.folders if folder.name == reference), outputs[0])
    unmatched = [Unmatched("", name, "lies in no folder") for name in given.loose]
    unmatched += [Unmatched(f.name, name, "no audio by its suffix") for f in given.folders for name in f.skipped]
    systems = []
    try:
        clips = {str(name): path for name, path in find_audio([first.path]).items()}
        for folder in outputs:
            try:
                system = output_folder(folder.name, folder.path, list(map(Path, clips)))
            except ValueError as error:
                unmatched.append(Unmatched(folder.name, "", _without_place(error, given)))
                continue
            missing = tuple((clip, _without_place(reason, given)) for clip, reason in system.missing)
            unused = tuple(str(Path(path).relative_to(folder.path)) for path in system.unused)
            unmatched += [Unmatched(folder.name, clip, reason) for clip, reason in missing]
            unmatched += [Unmatched(folder.name, path, "no recording has this name") for path in unused]
            systems.append(replace(system, folder=folder.name, missing=missing, unused=unused))
        check_ids(systems)
    except ValueError as error:
        raise FoldersError(f"{_without_place(error, given)}.") from error
    if not systems:
        raise FoldersError(f"Nothing matches: {unmatched[-1].reason}.")
    return Material(clips, tuple(systems), tuple(unmatched), first.name == reference)


def _without_place(words: object, given: GivenFolders) -> str:
    """A sentence about a folder without where it was unpacked on this machine."""
    text = str(words)
    for folder in given.folders:
        text = text.replace(f"{folder.path}/", f"{folder.name}/").replace(str(folder.path), folder.name)
    return text.replace(f"{given.root}/", "").removesuffix(".")


def read_output(system: OutputFolder, clip: str, read: Callable[[Path, str], Recording]) -> OutputFolder:
    """The system of this clip alone, its file decoded; one that cannot be used is missing, for the reason.

    read: (path, name) -> recording; raises `AudioError`.
    """
    alone = system.of_clip(clip)
    if not alone.files:
        return alone
    path = Path(alone.files[0][1])
    try:
        recording = read(path, f"{system.title}/{clip}{path.suffix}")
    except AudioError as error:
        return replace(alone, files=(), missing=((clip, str(error)),))
    return replace(alone, decoded=((clip, recording),))
