"""What was dropped, zips of folders, as folders of files: one for each system, and perhaps one of recordings."""

from __future__ import annotations

import hashlib
import re
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gradio.utils import get_upload_folder

from common.archive import ArchiveError, unpack_contained
from common.digest import file_digest
from vocoders.recordings.files import AUDIO_SUFFIXES, files_below

MAX_UNPACKED_BYTES = 400_000_000
MAX_FOLDERS = 12
REFERENCE_NAMES = {
    "reference", "references", "ref", "refs", "gt", "groundtruth", "original", "originals", "recording", "recordings", "source",
    "target", "natural", "groundtruths",
}  # fmt: skip


class FoldersError(ValueError):
    """Folders that cannot be used; the message is one sentence."""


@dataclass(frozen=True)
class GivenFolder:
    """files: its audio files, by suffix; skipped: other files; both as paths below it."""

    name: str
    path: Path
    files: tuple[str, ...]
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class GivenFolders:
    """What a session dropped, in order of the names. digest: of the zips; root: where they were unpacked; loose: audio files in no
    folder."""

    digest: str
    root: Path
    folders: tuple[GivenFolder, ...]
    loose: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Of the folders."""
        return [folder.name for folder in self.folders]

    @property
    def is_here(self) -> bool:
        """Whether the files still exist; they are removed after a while."""
        return all((folder.path / name).is_file() for folder in self.folders for name in folder.files)

    @property
    def reference(self) -> str | None:
        """The only folder that is called as recordings are."""
        found = [name for name in self.names if re.sub(r"[\W_]", "", name.lower()) in REFERENCE_NAMES]
        return found[0] if len(found) == 1 else None


def unpack_folders(zips: Sequence[str | Path]) -> GivenFolders:
    """The folders in a zip; of several zips, each is a folder by its own name.

    Errors: `FoldersError`.
    """
    if not zips:
        raise FoldersError("Drop folders, or a zip of them, first.")
    if wrong := [Path(path).name for path in zips if not zipfile.is_zipfile(path)]:
        raise FoldersError(
            f"{wrong[0]} is no zip: drop whole folders, or a zip with a folder for each system, and not single files."
        )
    Path(get_upload_folder()).mkdir(parents=True, exist_ok=True)
    root = Path(tempfile.mkdtemp(prefix="folders-", dir=get_upload_folder()))
    found: dict[str, Path] = {}
    loose: list[str] = []
    for number, path in enumerate(map(Path, zips)):
        target = root / str(number)
        target.mkdir()
        try:
            unpack_contained(path, target, MAX_UNPACKED_BYTES // len(zips))
        except ArchiveError as error:
            raise FoldersError(str(error)) from error
        outer = _unwrapped(target)
        below, here = _folders_below(outer), [file.name for file in _files_in(outer)]
        if not below and not here:
            raise FoldersError(f"{path.name}: no audio files in it ({', '.join(sorted(AUDIO_SUFFIXES))}).")
        if len(zips) == 1 and below:
            found, loose = {each.name: each for each in below}, here
        else:
            found[path.stem if len(zips) > 1 or outer == target else outer.name] = outer
    if len(found) < len(zips):
        raise FoldersError("There are two zips of one name.")
    if len(found) > MAX_FOLDERS:
        raise FoldersError(f"There are {len(found)} folders; at most {MAX_FOLDERS} are compared.")
    return GivenFolders(
        digest_of(zips), root, tuple(_given(name, path) for name, path in sorted(found.items())), tuple(loose)
    )


def digest_of(files: Sequence[str | Path]) -> str:
    """Of names and contents."""
    names = "".join(f"{path.name}\0{file_digest(path)}\0" for path in map(Path, files))
    return hashlib.sha256(names.encode()).hexdigest()


def _unwrapped(folder: Path) -> Path:
    """The folder itself, or, below folders that hold nothing but one other, the first that holds more."""
    while len(below := _folders_below(folder)) == 1 and not _files_in(folder):
        folder = below[0]
    return folder


def _folders_below(folder: Path) -> list[Path]:
    """Those with audio in them."""
    return [path for path in sorted(folder.iterdir()) if path.is_dir() and any(map(_is_audio, files_below(path)))]


def _files_in(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.is_file() and _is_audio(path)]


def _is_audio(path: Path) -> bool:
    return path.suffix.lower() in AUDIO_SUFFIXES


def _given(name: str, path: Path) -> GivenFolder:
    """Other files are removed at once: nothing needs them, and those that look for audio would name them in the log."""
    files = files_below(path)
    audio = tuple(str(file.relative_to(path)) for file in files if _is_audio(file))
    skipped = [file for file in files if not _is_audio(file)]
    for file in skipped:
        file.unlink()
    return GivenFolder(name, path, audio, tuple(str(file.relative_to(path)) for file in skipped))
