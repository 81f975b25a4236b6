"""The disk is finite: what was uploaded does not pile up."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

MOST_UPLOADED = 4e9  # bytes of uploads that are kept; Gradio removes those older than an hour by itself
OLDEST = 7200.0  # seconds; what is older is what Gradio leaves behind: an empty file for every upload
SWEEP_SECONDS = 60.0
_log = logging.getLogger(__name__)


def sweep(folder: Path, most: float, oldest: float = OLDEST) -> int:
    """Removes files below `folder` that are older than `oldest` seconds, then the oldest ones until `most` bytes are left.
    Returns how many went."""
    found, born = [], time.time() - oldest
    for path in folder.rglob("*"):
        try:
            if path.is_file():
                stat = path.stat()
                found.append((stat.st_mtime, stat.st_size, path))
        except OSError:  # another sweep was faster
            continue
    excess, removed = sum(size for _, size, _ in found) - most, 0
    for changed, size, path in sorted(found):
        if excess <= 0 and changed >= born:
            break
        path.unlink(missing_ok=True)
        excess, removed = excess - size, removed + 1
    return removed


def keep_sweeping(folder: Path) -> threading.Thread:
    """In the background, for as long as the process lives."""

    def work() -> None:
        while not threading.Event().wait(SWEEP_SECONDS):
            if removed := sweep(folder, MOST_UPLOADED):
                _log.info("%d uploads removed", removed)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
