"""Work in a thread, followed from a Gradio handler: what it reports as it goes, then what it gave."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import gradio as gr
from gradio.events import Dependency

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


def enabled_after(run: Dependency, button: gr.Button) -> None:
    """Enables a button, which its run disables, once that has ended, well or not. An update of the run itself would be too
    early: Gradio drops a click on a button whose last run it does not count as ended yet."""
    run.then(
        lambda: gr.update(interactive=True),
        outputs=button,
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )


@dataclass(frozen=True)
class _Failed:
    error: BaseException
