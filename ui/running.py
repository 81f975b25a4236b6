"""The comparison each browser session is running, so that it can be stopped, or replaced by the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Running:
    def __init__(self) -> None:
        self._flags: dict[str, threading.Event] = {}

    def start(self, session: str) -> threading.Event:
        """The flag that stops the new comparison; the one before is stopped now."""
        self.stop(session)
        self._flags[session] = threading.Event()
        return self._flags[session]

    def stop(self, session: str) -> None:
        if flag := self._flags.get(session):
            flag.set()

    def is_newest(self, session: str, flag: threading.Event) -> bool:
        return self._flags.get(session) is flag

    def follow(self, session: str, views: Callable[[threading.Event], Iterator[T]]) -> Iterator[T]:
        """What `views` yields while this is the session's newest job; it gets the flag that stops it."""
        flag = self.start(session)
        try:
            for view in views(flag):
                if not self.is_newest(session, flag):
                    return  # the page belongs to the next one now
                yield view
        finally:
            self.end(session, flag)

    def end(self, session: str, flag: threading.Event) -> None:
        flag.set()
        if self.is_newest(session, flag):
            del self._flags[session]
