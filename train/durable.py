"""Files that survive a kill at any moment: what was there before stays until the new content is safely on disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path


class DiskFull(OSError):
    """The message is one sentence; what was saved before is intact."""


def write_durably(path: Path, content: bytes | memoryview) -> None:
    """Write beside, flush to the disk, then rename over `path`.

    Errors: `DiskFull`, with the old file untouched and nothing left behind.
    """
    beside = path.with_name(f"{path.name}.part")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        _sync_folder(path.parent)
    except OSError as error:
        beside.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            kept = "the one before is intact" if path.exists() else "nothing was saved there yet"
            raise DiskFull(
                f"the disk is full: {path} needs {len(content) / 1e6:.0f} MB; {kept}. Free some space and resume."
            ) from error
        raise


def _sync_folder(folder: Path) -> None:
    """The rename itself reaches the disk with the folder's own entry."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
