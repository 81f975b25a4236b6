"""Small values that live for a few hours beside the database: in the memory of one process, or where several can reach them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from cachetools import TTLCache

MAX_VALUES, MAX_AGE_SECONDS = 200, 4 * 3600.0


class Kept(Protocol):
    """Values are JSON objects."""

    def get(self, key: str) -> dict | None:
        """The value; None where there is none, or its time is over."""

    def put(self, key: str, value: Mapping[str, Any]) -> None:
        """Keeps it for `MAX_AGE_SECONDS`."""

    def change(self, key: str, change: Callable[[dict], object]) -> dict | None:
        """The value after `change` has altered it in place, as one step; None where there is none."""

    def remove(self, key: str) -> None:
        """Nothing happens where there is none."""


class MemoryKept:
    """At most `MAX_VALUES`, in this process. Thread-safe."""

    def __init__(self) -> None:
        self._values: TTLCache[str, str] = TTLCache(MAX_VALUES, MAX_AGE_SECONDS)
        self._lock = threading.Lock()

    def get(self, key: str) -> dict | None:
        """The value; None where there is none, or its time is over."""
        with self._lock:
            return _read(self._values.get(key))

    def put(self, key: str, value: Mapping[str, Any]) -> None:
        """Keeps it for `MAX_AGE_SECONDS`."""
        with self._lock:
            self._values[key] = json.dumps(value)

    def change(self, key: str, change: Callable[[dict], object]) -> dict | None:
        """As of `Kept`."""
        with self._lock:
            if (value := _read(self._values.get(key))) is not None:
                change(value)
                self._values[key] = json.dumps(value)
            return value

    def remove(self, key: str) -> None:
        """Nothing happens where there is none."""
        with self._lock:
            self._values.pop(key, None)


def _read(content: str | None) -> dict | None:
    return None if content is None else json.loads(content)
