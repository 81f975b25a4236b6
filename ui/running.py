"""The comparison each browser session is running, so that it can be stopped, or replaced by the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import ClassVar, TypeVar

T = TypeVar("T")


class Running:
    _everywhere: ClassVar[set[int]] = set()  # what runs now, on all pages

    def __init__(self) -> None:
        self._flags: dict[str, threading.Event] = {}

    def ask(self, session: str) -> threading.Event:
        """The flag that stops the next comparison, which still waits; the one before is stopped now."""
        self.stop(session)
        flag = self._flags[session] = threading.Event()
        return flag

    def start(self, session: str) -> threading.Event:
        """The flag that stops the new comparison: the one that was asked for, or now."""
        flag = self._flags.get(session)
        if flag is None or id(flag) in self._everywhere:
            flag = self.ask(session)
        self._everywhere.add(id(flag))
        return flag

    def is_stopped(self, session: str) -> bool:
        """Whether what was asked for, and has not begun, is not wanted any more."""
        flag = self._flags.get(session)
        return flag is not None and id(flag) not in self._everywhere and flag.is_set()

    @classmethod
    def count(cls) -> int:
        return len(cls._everywhere)

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
        self._everywhere.discard(id(flag))
        if self.is_newest(session, flag):
            del self._flags[session]
