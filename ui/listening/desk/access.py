"""Keys to studies: a study's own, and the administrator's, which opens all of them."""

from __future__ import annotations

import os
import secrets
import threading

import gradio as gr

from eval.listening.storage.owning import StudyLine
from eval.listening.storage.store import Store
from eval.listening.study import StudyError
from server.shared_state import Limiter
from ui.listening.form import Form, parse_studies

ADMIN = "LISTENING_ADMIN_TOKEN"  # environment variable: a key to every study; without it there is none
MAX_WRONG_KEYS_PER_MINUTE = 10  # of one client
NO_STUDY = "No study with this id and key."


class Refused(ValueError):
    """Nothing was opened. The message is a sentence for the person who asked."""


class Access:
    """Opens studies for those who have their keys, and slows down those who guess. Thread-safe."""

    def __init__(self, store: Store, limiter: Limiter | None = None) -> None:
        """limiter: counts wrong keys, None: in this process."""
        self._store = store
        self._limiter, self._lock = limiter or Limiter(), threading.Lock()

    def studies(self, key: str, client: str) -> list[StudyLine]:
        """Those that the key opens, newest first; all there are for the administrator.

        client: an address. Errors: `Refused`, `StoreError`.
        """
        self._require_patience(client)
        if is_admin(key):
            return self._store.overview()
        if not (mine := self._store.opened_by(key) if key else []):
            self._wrong(client)
            raise Refused("No study has this key.")
        return self._store.overview(mine)

    def require(self, public_id: str, key: str, client: str) -> None:
        """Returns where the key opens that study. Errors: `Refused`, `StoreError`."""
        self._require_patience(client)
        if not may_read(self._store, public_id, key):
            self._wrong(client)
            raise Refused(NO_STUDY)

    def _require_patience(self, client: str) -> None:
        """A right key is refused as well after too many wrong ones: the answer would tell it from them."""
        with self._lock:
            patient = self._limiter.test(_limit(), client, "wrong keys")
        if not patient:
            raise Refused(f"{MAX_WRONG_KEYS_PER_MINUTE} wrong keys within a minute: try again in a minute.")

    def _wrong(self, client: str) -> None:
        with self._lock:
            self._limiter.hit(_limit(), client, "wrong keys")


def may_read(store: Store, public_id: str, key: str) -> bool:
    """Whether the key is the study's or the administrator's. Errors: `StoreError`."""
    return store.has_key(public_id, key) or is_admin(key)


def require_keys(form: Form, store: Store) -> None:
    """Errors: `StudyError` for a study that the form names without its key: who took part in it is nobody else's business."""
    revises = form.revises.strip()
    if revises and not may_read(store, revises, form.key.strip()):
        raise StudyError("To revise a study takes the key that came with it; there is none with this id and key.")
    for public_id, key in parse_studies(form.earlier) if form.platform else ():
        if not may_read(store, public_id, key):
            raise StudyError(f"Earlier studies: there is none with the id {public_id} and this key.")


def is_admin(key: str) -> bool:
    """Whether it is the administrator's; compared in constant time."""
    admin = os.environ.get(ADMIN, "")
    return secrets.compare_digest(admin.encode(), key.encode()) and bool(admin)


def client_of(request: gr.Request | None) -> str:
    """The address that wrong keys are counted by."""
    return str(request.client.host) if request and request.client else "unknown"


def _limit():
    from limits import RateLimitItemPerMinute

    return RateLimitItemPerMinute(MAX_WRONG_KEYS_PER_MINUTE)
