"""Studies, raters and stimuli that nearly every request asks for, kept in memory in front of the store."""

from __future__ import annotations

import functools
import time

from eval.listening.storage.records import Rater, StoredStudy
from eval.listening.storage.store import Store

MAX_STUDY_AGE_SECONDS = 2.0  # a study may be closed, opened or replaced at any time, by another process too
MAX_RATERS = 1000
MAX_WAVS = 200  # some 100 kB each


class StoreCache:
    """Several threads may use one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._studies: dict[str, tuple[float, StoredStudy]] = {}  # with the time at which each was read
        self._raters: dict[str, Rater] = {}
        self._wav = functools.lru_cache(maxsize=MAX_WAVS)(store.wav)

    def study(self, public_id: str, fresh: bool = False) -> StoredStudy:
        """fresh: as it is stored now. Errors: KeyError."""
        at, stored = self._studies.get(public_id, (0.0, None))
        if stored is None or fresh or time.monotonic() - at > MAX_STUDY_AGE_SECONDS:
            stored = self._store.study(public_id)
            self._studies[public_id] = time.monotonic(), stored
        return stored

    def rater(self, id: str) -> Rater | None:
        """A rater never changes, so an entry is valid until `drop_rater`. The oldest entries leave first."""
        if (known := self._raters.get(id)) is None and (known := self._store.rater(id)) is not None:
            while len(self._raters) >= MAX_RATERS:
                self._raters.pop(next(iter(self._raters)), None)
            self._raters[id] = known
        return known

    def drop_rater(self, id: str) -> None:
        self._raters.pop(id, None)

    def wav(self, sha256: str) -> bytes:
        """Errors: KeyError."""
        return self._wav(sha256)
