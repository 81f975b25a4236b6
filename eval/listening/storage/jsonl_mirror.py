"""A copy of all stored rows as JSON lines in append-only files, which can be uploaded to a dataset repository."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from common.durable import alone_in
from eval.listening.storage.hashes import hash_of

_log = logging.getLogger(__name__)
DELETIONS = "deleted-raters"  # in the place of a study's id, in the name of a file
PUSH_INTERVAL_MINUTES = 5


class Mirror:
    """One file per study and process: two processes never write into the same one."""

    def __init__(
        self,
        folder: Path,
        lock: contextlib.AbstractContextManager | None = None,
        on_deletion: Callable[[], None] = lambda: None,
    ) -> None:
        """lock: held while a file changes; that of the scheduler which uploads the folder. on_deletion: told of every one."""
        self.folder = folder
        self._lock, self._on_deletion = lock or threading.Lock(), on_deletion
        # Processes of two machines or containers may have the same number
        self._name = f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}-{secrets.token_hex(3)}"
        folder.mkdir(parents=True, exist_ok=True)

    def append(self, kind: str, study: str, content: Mapping[str, object]) -> None:
        """Logs a copy that cannot be written, and raises nothing: the database has the row."""
        line = json.dumps({"table": kind, "at": time.time(), "study": study, **content}, ensure_ascii=False)
        try:
            with (
                self._lock,
                alone_in(self.folder, with_others=True),
                (self.folder / f"{study}.{self._name}.jsonl").open("a", encoding="utf-8") as file,
            ):
                file.write(line + "\n")  # a crash of the machine may cut off the last lines; the database has them
        except OSError as error:
            _log.error("the copy in %s could not be written: %s", self.folder, error)

    def delete_rater(self, study: str, rater: str) -> None:
        """Notes the deletion, by `hash_of` the id, and removes the rater's lines; lines are removed for no other reason."""
        self.append("deletion", DELETIONS, {"of": study, "rater_sha256": hash_of(rater)})
        self._on_deletion()
        self.compact(study)

    def compact(self, study: str = "*") -> None:
        """Removes the lines of all raters whose deletion is noted in this folder: also those that another process wrote late."""
        with self._lock, alone_in(self.folder):
            gone = deleted_in(self.folder)
            for path in self.folder.glob(f"{study}.*.jsonl") if gone else ():
                lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
                kept = [line for line in lines if not gone & _raters(line)]
                if len(kept) < len(lines):
                    draft = path.with_suffix(".part")
                    draft.write_text("".join(kept), encoding="utf-8")
                    draft.replace(path)

    def delete_study(self, study: str) -> None:
        """Leaves one line in each file of the study, which says that it was deleted: a file that is gone would stay in the dataset
        repository, one that has changed is uploaded."""
        line = json.dumps({"table": "deleted", "at": time.time(), "study": study}) + "\n"
        with self._lock, alone_in(self.folder):
            for path in self.folder.glob(f"{study}.*.jsonl"):
                draft = path.with_suffix(".part")
                draft.write_text(line, encoding="utf-8")
                draft.replace(path)


def deleted_in(folder: Path) -> set[str]:
    """`hash_of` the raters whose deletion is noted in a folder of a mirror."""
    lines = [line for path in folder.glob(f"{DELETIONS}.*.jsonl") for line in path.read_text("utf-8").splitlines()]
    return {str(content.get("rater_sha256")) for content in map(_content, lines) if content}


def _raters(line: str) -> set[str]:
    """`hash_of` the ids a line is about; none for a line that was cut off by a crash."""
    content = _content(line)
    return {hash_of(value) for name in ("rater", "rater_id", "id") if isinstance(value := content.get(name), str)}


def _content(line: str) -> dict:
    try:
        content = json.loads(line)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def mirror_from_environment(folder: Path) -> Mirror:
    """A local mirror, which is pushed when LISTENING_DATASET (owner/name) and HF_TOKEN are set, without lines of deleted raters.

    Errors: ValueError for a repository that cannot be reached.
    """
    repository = os.environ.get("LISTENING_DATASET", "").strip()
    if not repository:
        mirror = Mirror(folder)
        mirror.compact()
        return mirror
    from huggingface_hub import CommitScheduler

    folder.mkdir(parents=True, exist_ok=True)
    try:
        scheduler = CommitScheduler(
            repo_id=repository, repo_type="dataset", folder_path=folder, every=PUSH_INTERVAL_MINUTES, private=True
        )
    except Exception as error:  # the client raises a dozen kinds; each means that answers would not arrive
        raise ValueError(f"LISTENING_DATASET={repository}: {' '.join(str(error).split())}") from error

    def forget() -> None:
        scheduler.squash_history = True  # else earlier versions of a file would stay in the repository's history

    if deleted_in(folder):
        forget()
    mirror = Mirror(folder, scheduler.lock, forget)
    mirror.compact()
    return mirror
