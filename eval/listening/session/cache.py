"""Studies and stimuli that nearly every request asks for, kept in memory in front of the store.

Raters are not among them: another process may delete one, and nothing may be stored about that rater from then on.
"""

from __future__ import annotations

import functools
import threading
import time

from cachetools import TTLCache

from eval.listening.storage.records import StoredStudy
from eval.listening.storage.store import Store

MAX_STUDY_AGE_SECONDS = 2.0  # a study may be closed, opened or replaced at any time, by another process too
MAX_STUDIES = 200
MAX_WAVS = 200  # some 100 kB each


class StoreCache:
    """Several threads may use one; none waits for the store while another asks it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._studies: TTLCache[str, StoredStudy] = TTLCache(MAX_STUDIES, MAX_STUDY_AGE_SECONDS, _now)
        self._wav = functools.lru_cache(maxsize=MAX_WAVS)(store.wav)

    def study(self, public_id: str, fresh: bool = False) -> StoredStudy:
        """fresh: as it is stored now. Errors: KeyError."""
        with self._lock:
            stored = None if fresh else self._studies.get(public_id)
        if stored is None:
            stored = self._store.study(public_id)
            with self._lock:
                self._studies[public_id] = stored
        return stored

    def wav(self, sha256: str) -> bytes:
        """Errors: KeyError."""
        return self._wav(sha256)


def _now() -> float:
    return time.monotonic()
