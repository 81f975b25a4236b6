"""The disk is finite, and recordings are private: what was uploaded or made does not stay."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from pathlib import Path

MOST_KEPT = 4e9  # bytes below one folder
OLDEST = 7200.0  # seconds a result or an upload is kept
SWEEP_SECONDS = 60.0
_log = logging.getLogger(__name__)


def sweep(folder: Path, most: float, oldest: float = OLDEST) -> int:
    """Removes files below `folder` that are older than `oldest` seconds, then the oldest ones until `most` bytes are left.
    Returns how many went."""
    found, born = [], time.time() - oldest
    for place, _, names in os.walk(folder):  # which passes over folders that go away meanwhile
        for path in (Path(place, name) for name in names):
            with contextlib.suppress(OSError):  # another sweep was faster
                stat = path.stat()
                found.append((stat.st_mtime, stat.st_size, path))
    excess, removed = sum(size for _, size, _ in found) - most, 0
    for changed, size, path in sorted(found):
        if excess <= 0 and changed >= born:
            break
        path.unlink(missing_ok=True)
        excess, removed = excess - size, removed + 1
    return removed


def keep_sweeping(*folders: Path) -> threading.Thread:
    """In the background, for as long as the process lives."""

    def work() -> None:
        while not threading.Event().wait(SWEEP_SECONDS):
            for folder in folders:
                if removed := sweep(folder, MOST_KEPT):
                    _log.info("%d old files removed from %s", removed, folder.name)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
