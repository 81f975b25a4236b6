"""Files that survive a kill at any moment: what was there before stays until the new content is safely on disk."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path


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


@contextlib.contextmanager
def saying_when_full(path: Path, needed: int) -> Iterator[None]:
    """A full disk as `DiskFull`. needed: bytes that `path` takes."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        kept = "the one before is intact" if path.exists() else "nothing was saved there yet"
        raise DiskFull(
            f"the disk is full: {path} needs {needed / 1e6:.0f} MB; {kept}. Free some space and resume."
        ) from error


def publish(beside: Path, path: Path) -> None:
    """Rename what is safely on the disk. The rename itself reaches it with the folder's own entry."""
    os.replace(beside, path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
