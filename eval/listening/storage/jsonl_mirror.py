"""A copy of all stored rows as JSON lines in append-only files, which can be uploaded to a dataset repository."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path

_log = logging.getLogger(__name__)
PUSH_INTERVAL_MINUTES = 5


class Mirror:
    """One file per study and process: two processes never write into the same one."""

    def __init__(self, folder: Path, lock: contextlib.AbstractContextManager | None = None) -> None:
        """lock: held while a file changes; that of the scheduler which uploads the folder."""
        self.folder = folder
        self._lock = lock or threading.Lock()
        self._name = f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}"
        folder.mkdir(parents=True, exist_ok=True)

    def append(self, kind: str, study: str, content: Mapping[str, object]) -> None:
        """Logs a copy that cannot be written, and raises nothing: the database has the row."""
        line = json.dumps({"table": kind, "at": time.time(), "study": study, **content}, ensure_ascii=False)
        try:
            with self._lock, (self.folder / f"{study}.{self._name}.jsonl").open("a", encoding="utf-8") as file:
                file.write(line + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            _log.error("the copy in %s could not be written: %s", self.folder, error)

    def delete_rater(self, study: str, rater: str) -> None:
        """Removes the rater's lines from all files of the study; lines are removed for no other reason."""
        with self._lock:
            for path in self.folder.glob(f"{study}.*.jsonl"):
                lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
                kept = [line for line in lines if rater not in _raters(line)]
                if len(kept) < len(lines):
                    draft = path.with_suffix(".part")
                    draft.write_text("".join(kept), encoding="utf-8")
                    draft.replace(path)

    def delete_study(self, study: str) -> None:
        """Leaves one line in each file of the study, which says that it was deleted: a file that is gone would stay in the dataset
        repository, one that has changed is uploaded."""
        line = json.dumps({"table": "deleted", "at": time.time(), "study": study}) + "\n"
        with self._lock:
            for path in self.folder.glob(f"{study}.*.jsonl"):
                draft = path.with_suffix(".part")
                draft.write_text(line, encoding="utf-8")
                draft.replace(path)


def _raters(line: str) -> set[object]:
    """Ids a line is about; none for a line that was cut off by a crash."""
    try:
        content = json.loads(line)
    except ValueError:
        return set()
    return {content.get(name) for name in ("rater", "rater_id", "id")}


def mirror_from_environment(folder: Path) -> Mirror:
    """A local mirror, which is pushed when LISTENING_DATASET (owner/name) and HF_TOKEN are set.

    Errors: ValueError for a repository that cannot be reached.
    """
    repository = os.environ.get("LISTENING_DATASET", "").strip()
    if not repository:
        return Mirror(folder)
    from huggingface_hub import CommitScheduler

    folder.mkdir(parents=True, exist_ok=True)
    try:
        scheduler = CommitScheduler(
            repo_id=repository, repo_type="dataset", folder_path=folder, every=PUSH_INTERVAL_MINUTES, private=True
        )
    except Exception as error:  # the client raises a dozen kinds; each means that answers would not arrive
        raise ValueError(f"LISTENING_DATASET={repository}: {' '.join(str(error).split())}") from error
    return Mirror(folder, scheduler.lock)
