"""The comparison each browser session is running, so that it can be stopped, or replaced by the next one."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Generator, Iterator
from typing import ClassVar, TypeVar

import gradio as gr

from ui.markup import notice

T = TypeVar("T")


class Running:
    """The comparisons that run or wait, at most one wanted per session."""

    _everywhere: ClassVar[set[int]] = set()  # that run now, on all pages

    def __init__(self) -> None:
        self._flags: dict[str, threading.Event] = {}
        self._asked: dict[str, int] = {}
        self._tickets = itertools.count(1)

    def ask(self, session: str) -> int:
        """Stops the session's comparisons, running or waiting, and returns the ticket of a new one, which may have to wait."""
        self.stop(session)
        ticket = self._asked[session] = next(self._tickets)
        return ticket

    def is_wanted(self, session: str, ticket: float | None) -> bool:
        """Whether nothing was asked for since, nor stopped. None: of a program, which has not asked before."""
        return ticket is None or self._asked.get(session) == ticket

    def start(self, session: str, flag: threading.Event | None = None) -> threading.Event:
        """The flag that stops the new comparison; the one before is stopped now. flag: of one that has one already."""
        flag = flag or threading.Event()
        if (before := self._flags.get(session)) and before is not flag:
            before.set()
        self._flags[session] = flag
        self._everywhere.add(id(flag))
        if flag.is_set():  # it ended at this moment
            self._everywhere.discard(id(flag))
        return flag

    @classmethod
    def count(cls) -> int:
        """Comparisons that run now, on all pages."""
        return len(cls._everywhere)

    def stop(self, session: str) -> None:
        """Stops the session's comparison, running or waiting."""
        self._asked.pop(session, None)
        if flag := self._flags.get(session):
            flag.set()

    def is_newest(self, session: str, flag: threading.Event) -> bool:
        """Whether the flag belongs to the session's latest comparison."""
        return self._flags.get(session) is flag

    def follow(
        self,
        session: str,
        views: Callable[[threading.Event], Generator[T, None, None]],
        ticket: float | None = None,
        flag: threading.Event | None = None,
    ) -> Iterator[T | None]:
        """The values of `views` while this is the session's newest job; it gets the flag that stops it. At last None if it is the
        newest no more: then the page is to be left as it is (`unchanged`).

        flag: of a comparison that goes on when its page is left, and ends by itself; without one it is stopped then.
        """
        goes_on, flag = flag is not None, self.start(session, flag)
        try:
            with contextlib.closing(views(flag)) as following:
                for view in following:
                    if not self.is_newest(session, flag):  # the page belongs to the next one now
                        yield None
                        return
                    yield view
        finally:
            if not goes_on:
                self.end(session, flag)
            elif self.is_newest(session, flag):
                del self._flags[session]
            if ticket is not None and self.is_wanted(session, ticket):
                del self._asked[session]

    @classmethod
    def ended(cls, flag: threading.Event) -> None:
        """Marks a comparison that went on by itself as ended."""
        flag.set()
        cls._everywhere.discard(id(flag))

    def end(self, session: str, flag: threading.Event) -> None:
        """Marks the comparison as ended. Its flag stays set, so that a late event of it is dropped."""
        self.ended(flag)
        if self.is_newest(session, flag):
            del self._flags[session]


def unchanged(component: gr.components.Component) -> dict:
    """What a generator of updates yields to leave the page as it is. Also at last, when the page belongs to another comparison: as
    a generator ends Gradio sends its last updates again, which would put an old comparison into the place of the new one."""
    return {component: gr.skip()}


def ask_then(
    event: Callable, running: Running, ticket: gr.Number, message: gr.HTML, work: dict, **options: object
) -> None:
    """Wires a generator that is heavy to an event such as a button's `click`, also while an earlier one runs: that one is
    stopped, and while there is no free place the page says so.

    ticket: what `Running.ask` gave, carried by the browser from the click to the work. work: `fn`, which gets it last and
    looks whether it `is_wanted`, `inputs` and `outputs`.
    """

    def ask(request: gr.Request) -> tuple[int, str]:
        return running.ask(request.session_hash or ""), notice("Waiting for a free place.", "waiting")

    quietly = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    asked = event(ask, outputs=[ticket, message], trigger_mode="multiple", **quietly)
    worked = asked.then(**work, trigger_mode="multiple", **options)
    worked.failure(lambda: "", outputs=message, **quietly)  # such as a queue that is full, which Gradio says
