"""Files of finished comparisons, in folders with unguessable names that are removed after a while."""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from server.sweep import MAX_AGE_SECONDS

MAX_FOLDERS = 60  # a 60 s comparison of seven systems takes about 60 MB


@dataclass(frozen=True)
class ResultFolder:
    """A folder of result files, served under an unguessable token."""

    token: str
    path: Path

    def url(self, name: str) -> str:
        """Relative, so that it also holds behind a proxy's prefix."""
        return f"results/{self.token}/{name}"


class ResultStore:
    """Folders below `root`, those of an earlier run and of other processes included: an open page outlives its server. Threads and
    processes may share them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        root.mkdir(parents=True, exist_ok=True)

    def new(self) -> ResultFolder:
        """An empty folder. The oldest ones are removed first where there are too many."""
        with self._lock:
            self._sweep()
            token = secrets.token_urlsafe(18)
            path = self._root / token
            path.mkdir()
        return ResultFolder(token, path)

    def find(self, token: str, name: str) -> Path | None:
        """The path of a file in the folder of that token; None where there is none, or where either name is malformed."""
        if not re.fullmatch(r"[A-Za-z0-9_-]{20,40}", token) or not re.fullmatch(
            r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,120}", name
        ):
            return None
        path = self._root / token / name
        return path if path.is_file() else None

    def _sweep(self) -> None:
        changed = {}
        for folder in self._root.iterdir():
            with contextlib.suppress(FileNotFoundError):  # removed by another process
                changed[folder] = folder.stat().st_mtime
        born = time.time() - MAX_AGE_SECONDS
        surplus = len(changed) - (MAX_FOLDERS - 1)
        for index, folder in enumerate(sorted(changed, key=lambda folder: changed[folder])):
            if index < surplus or changed[folder] < born:
                shutil.rmtree(folder, ignore_errors=True)
