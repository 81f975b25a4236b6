"""A zip from outside, unpacked in a process of its own (`common.sandbox`): nothing beside its folder, and only so much of it.

A zip's directory may promise any size, its names may lead anywhere, and a hundred kilobytes of it may become gigabytes. So names
are checked before anything is written, and the bytes are counted as they come, whatever was promised.
"""

from __future__ import annotations

import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from common.sandbox import Refused, run_contained

MAX_FILES = 2000
MAX_DEPTH = 12  # folders in folders
MAX_NAME_BYTES = 200  # of a file or folder
MAX_BYTES = 700_000_000  # of all files, unpacked
MAX_RATIO = 50  # of a zip beyond `MODEST_BYTES` to what it unpacks to: sound and weights hardly get smaller
MODEST_BYTES = 10_000_000
_BLOCK_BYTES = 1 << 20
_LEFTOVERS = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}  # of file managers
_DAMAGES = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, NotImplementedError, RuntimeError,
    UnicodeError,
)  # fmt: skip


class ArchiveError(ValueError):
    """A zip that is not unpacked; the message is one sentence."""


def unpack_contained(path: Path, folder: Path, max_bytes: int = MAX_BYTES) -> None:
    """As `unpack`, with the same errors, within limits of memory and time."""
    try:
        run_contained(_unpack, path.resolve(), folder.resolve(), max_bytes, name=path.name)
    except Refused as refusal:
        raise ArchiveError(str(refusal)) from refusal


def unpack(path: Path, folder: Path, max_bytes: int = MAX_BYTES) -> None:
    """Writes the files of a zip below `folder`. What file managers leave in zips is passed over.

    Errors: `ArchiveError` for a damaged or encrypted zip, links, paths out of the folder, and for more than is allowed.
    """
    max_bytes = min(max_bytes, max(MODEST_BYTES, MAX_RATIO * path.stat().st_size))
    try:
        with zipfile.ZipFile(path) as archive:
            left = max_bytes
            for entry, place in _places(path.name, archive, max_bytes):
                target = folder / place
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as source, target.open("xb") as file:
                    while block := source.read(_BLOCK_BYTES):
                        left -= len(block)
                        if left < 0:
                            raise ArchiveError(f"{path.name} unpacks to more than {max_bytes / 1e6:.0f} MB.")
                        file.write(block)
    except _DAMAGES as error:
        raise ArchiveError(f"{path.name} is a damaged zip, or none at all.") from error


def _places(name: str, archive: zipfile.ZipFile, max_bytes: int) -> Iterator[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """The files of the archive, each with its path below the folder; all of them are checked before the first is given."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    places = [(entry, _place(name, entry.filename)) for entry in entries]
    kept = [(entry, place) for entry, place in places if not _LEFTOVERS & set(place.parts)]
    if not kept:
        raise ArchiveError(f"{name} is a zip without files.")
    if len(kept) > MAX_FILES:
        raise ArchiveError(f"{name} holds {len(kept)} files; at most {MAX_FILES} are unpacked.")
    if len({place for _, place in kept}) < len(kept):
        raise ArchiveError(f"{name} holds two files of one name.")
    if any(entry.flag_bits & 1 for entry, _ in kept):
        raise ArchiveError(f"{name} is encrypted.")
    if any(stat.S_ISLNK(entry.external_attr >> 16) for entry, _ in kept):
        raise ArchiveError(f"{name} holds links, which are not followed.")
    if (promised := sum(entry.file_size for entry, _ in kept)) > max_bytes:
        raise ArchiveError(
            f"{name} unpacks to {promised / 1e6:.0f} MB; at most {max_bytes / 1e6:.0f} MB of a zip of this size are."
        )
    yield from kept


def _place(name: str, written: str) -> PurePosixPath:
    """A name in the archive as a path below the folder. Some programs write backslashes between folders."""
    place = PurePosixPath(written.replace("\\", "/"))
    if place.is_absolute() or ".." in place.parts or not place.parts or place.parts[0].endswith(":"):
        raise ArchiveError(f"{name} holds a path that leads out of it, {written[:80]!r}.")
    if len(place.parts) > MAX_DEPTH or any(len(part.encode()) > MAX_NAME_BYTES for part in place.parts):
        raise ArchiveError(
            f"{name} holds a path that is too long; at most {MAX_DEPTH} folders of {MAX_NAME_BYTES} bytes are unpacked."
        )
    return place


def _unpack(path: Path, folder: Path, max_bytes: int) -> None:
    try:
        unpack(path, folder, max_bytes)
    except ArchiveError as error:
        raise Refused(str(error)) from error
