"""Opens the studies of a data directory: the store alone, or with the session service on top."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from eval.listening.session.every_trial import EveryTrial
from eval.listening.session.service import Listening
from eval.listening.storage.database import database_url
from eval.listening.storage.durability import outlives_the_process
from eval.listening.storage.jsonl_mirror import mirror_from_environment
from eval.listening.storage.store import Store


def open_store(data_dir: Path, mirrored: bool = True) -> Store:
    """mirrored: whether rows are also written to the mirror; readers need none.

    Errors: `StoreError` for an invalid URL, ValueError for a dataset repository that cannot be reached."""
    folder = data_dir / "listening"
    folder.mkdir(parents=True, exist_ok=True)
    return Store(database_url(data_dir), mirror_from_environment(folder / "answers") if mirrored else None)


def every_trial_of(listening: Listening) -> EveryTrial:
    """The previews of the same studies."""
    return EveryTrial(listening.store, listening.secret)


def open_listening(data_dir: Path) -> Listening:
    """Errors: as `open_store`."""
    store = open_store(data_dir)
    durable = outlives_the_process(database_url(data_dir), data_dir)
    return Listening(store, _secret(data_dir / "listening" / "secret"), durable)


def _secret(path: Path) -> str:
    """The key that signs raters' tokens: LISTENING_SECRET, else drawn once and kept, so that sessions survive a restart."""
    if given := os.environ.get("LISTENING_SECRET", "").strip():
        return given
    if not path.is_file() or not path.stat().st_size:
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))
        draft.replace(path)  # atomic: with an empty secret everyone could sign tokens
    return path.read_text().strip()
