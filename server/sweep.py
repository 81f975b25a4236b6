"""Uploads and results are removed after two hours: they are private, and the disk is finite."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

MAX_KEPT_BYTES = 4e9  # of all files below one swept folder
MAX_AGE_SECONDS = 7200.0  # of an upload or a result
SWEEP_INTERVAL_SECONDS = 60.0
_log = logging.getLogger(__name__)


def sweep(folder: Path, max_bytes: float, max_age: float = MAX_AGE_SECONDS) -> int:
    """Removes the files below the folder that are older than `max_age` seconds, then the oldest until at most `max_bytes`
    are left. Returns the number of removed files."""
    found, born = [], time.time() - max_age
    for place, _, names in os.walk(folder):  # skips folders that are removed meanwhile
        for path in (Path(place, name) for name in names):
            with contextlib.suppress(OSError):  # removed by another sweep
                stat = path.stat()
                found.append((stat.st_mtime, stat.st_size, path))
    excess, removed = sum(size for _, size, _ in found) - max_bytes, 0
    for changed, size, path in sorted(found):
        if excess <= 0 and changed >= born:
            break
        path.unlink(missing_ok=True)
        excess, removed = excess - size, removed + 1
    return removed


def keep_sweeping(*folders: Path, also: Callable[[], object] = lambda: None) -> threading.Thread:
    """Sweeps the folders in a background thread until the process ends. also: called at every turn."""

    def turn() -> None:
        for folder in folders:
            if removed := sweep(folder, MAX_KEPT_BYTES):
                _log.info("%d old files removed from %s", removed, folder.name)
        also()

    def work() -> None:
        while not threading.Event().wait(SWEEP_INTERVAL_SECONDS):
            try:
                turn()
            except OSError as error:  # of a disk that is gone for a while; the next turn tries again
                _log.warning("files could not be swept: %s", error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
