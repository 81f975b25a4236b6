"""Work in a thread, followed from a Gradio handler: what it reports as it goes, then what it gave."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Report = TypeVar("Report")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Finished(Generic[Result]):
    """The last event of a computation: its result."""

    result: Result


class _Left(Exception):
    """The iterator was closed."""


def followed(work: Callable[[Callable[[Report], None]], Result]) -> Iterator[Report | Finished[Result]]:
    """The newest report whenever there is one, and `Finished` last. Closing the iterator ends the work at its next report.

    work: called with what it is to report through. Errors: those of `work`.
    """
    events: queue.Queue = queue.Queue()
    left = threading.Event()

    def report(value: Report) -> None:
        if left.is_set():
            raise _Left
        events.put(value)

    def run() -> None:
        try:
            events.put(Finished(work(report)))
        except _Left:
            pass
        except BaseException as error:
            events.put(_Failed(error))

    threading.Thread(target=run, daemon=True).start()
    try:
        while True:
            event = events.get()
            while not isinstance(event, Finished | _Failed) and not events.empty():
                event = events.get()
            if isinstance(event, _Failed):
                raise event.error
            yield event
            if isinstance(event, Finished):
                return
    finally:
        left.set()


@dataclass(frozen=True)
class _Failed:
    error: BaseException
