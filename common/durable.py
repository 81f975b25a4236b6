"""Files that are there as a whole or not at all: what was there before stays until the new content is safely on disk."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # no space, none for this user, none for a file of this size


class DiskFull(OSError):
    """The message is one sentence; what was saved before is intact."""


def write_durably(path: Path, content: bytes | memoryview) -> None:
    """Write beside, flush to the disk, then rename over `path`.

    Errors: `DiskFull`, with the old file untouched and nothing left behind.
    """
    beside = path.with_name(f"{path.name}.part")
    with saying_when_full(path, len(content)):
        try:
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            publish(beside, path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise


def write_text_durably(path: Path, text: str) -> None:
    r"""As UTF-8. Text that UTF-8 cannot hold (undecodable bytes of a file's name) is written as \udcXX, which JSON reads back."""
    write_durably(path, text.encode(errors="backslashreplace"))


@contextlib.contextmanager
def saying_when_full(path: Path, needed: int) -> Iterator[None]:
    """A full disk as `DiskFull`. needed: bytes that `path` takes."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        kept = "the one before is intact" if path.exists() else "nothing was saved there yet"
        size = f"{needed / 1e6:.0f} MB" if needed >= 1e6 else f"{needed / 1e3:.0f} kB"
        raise DiskFull(f"the disk is full: {path} needs {size}; {kept}. Free some space and run it again.") from error


def publish(beside: Path, path: Path) -> None:
    """Rename what is safely on the disk. The rename itself reaches it with the folder's own entry."""
    os.replace(beside, path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def alone_in(folder: Path, with_others: bool = False) -> Iterator[None]:
    """No other process is in the folder meanwhile; by a lock on a file beside it, which ends with the process.

    with_others: only none that is alone, for writers that do not touch each other's files.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH if with_others else fcntl.LOCK_EX)
        yield


def drawn_once(path: Path) -> str:
    """The random text in the file, which the first process that asks draws: of several at once, one. Only its owner may read it."""
    if not path.is_file() or not path.stat().st_size:
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))
        try:
            os.link(draft, path)  # atomic, and of one process only
        except FileExistsError:
            if not path.stat().st_size:  # left by a disk that was full: with an empty secret everyone could sign tokens
                draft.replace(path)
        draft.unlink(missing_ok=True)
    return path.read_text().strip()
