"""Studies, raters and stimuli that nearly every request asks for, kept in memory in front of the store."""

from __future__ import annotations

import functools
import threading
import time

from cachetools import LRUCache, TTLCache

from eval.listening.storage.records import Rater, StoredStudy
from eval.listening.storage.store import Store

MAX_STUDY_AGE_SECONDS = 2.0  # a study may be closed, opened or replaced at any time, by another process too
MAX_STUDIES = 200
MAX_RATERS = 1000
MAX_WAVS = 200  # some 100 kB each


class StoreCache:
    """Several threads may use one; none waits for the store while another asks it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._studies: TTLCache[str, StoredStudy] = TTLCache(MAX_STUDIES, MAX_STUDY_AGE_SECONDS, _now)
        self._raters: LRUCache[str, Rater] = LRUCache(MAX_RATERS)
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

    def rater(self, rater_id: str) -> Rater | None:
        """An admitted rater never changes, so an entry is valid until `drop_rater`."""
        with self._lock:
            known = self._raters.get(rater_id)
        if known is None and (known := self._store.rater(rater_id)) is not None and known.is_admitted:
            with self._lock:
                self._raters[rater_id] = known
        return known

    def drop_rater(self, rater_id: str) -> None:
        """Forgets a rater whose answers were deleted."""
        with self._lock:
            self._raters.pop(rater_id, None)

    def wav(self, sha256: str) -> bytes:
        """Errors: KeyError."""
        return self._wav(sha256)


def _now() -> float:
    return time.monotonic()
