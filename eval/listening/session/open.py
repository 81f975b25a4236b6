"""Opens the studies of a data directory: the store alone, or with the session service on top."""

from __future__ import annotations

import os
from pathlib import Path

from common.durable import drawn_once
from eval.listening.session.service import Listening
from eval.listening.storage.database import database_url
from eval.listening.storage.durability import outlives_the_process
from eval.listening.storage.jsonl_mirror import mirror_from_environment
from eval.listening.storage.store import Store


def open_store(data_dir: Path, mirrored: bool = True, database: str = "") -> Store:
    """mirrored: whether rows are also written to the mirror; readers need none. database: its address, as of `database_url`.

    Errors: `StoreError` for an invalid URL, ValueError for a dataset repository that cannot be reached."""
    folder = data_dir / "listening"
    folder.mkdir(parents=True, exist_ok=True)
    return Store(database_url(data_dir, database), mirror_from_environment(folder / "answers") if mirrored else None)


def open_listening(data_dir: Path, database: str = "") -> Listening:
    """Errors: as `open_store`."""
    store = open_store(data_dir, database=database)
    durable = outlives_the_process(database_url(data_dir, database), data_dir)
    return Listening(store, _secret(data_dir / "listening" / "secret"), durable)


def _secret(path: Path) -> str:
    """The key that signs raters' tokens: LISTENING_SECRET, else drawn once and kept, so that sessions survive a restart."""
    if given := os.environ.get("LISTENING_SECRET", "").strip():
        return given
    return drawn_once(path)
