"""One comparison on its way to the page: it runs in a thread, its events change a state, and what to show is yielded."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Generator, Sequence
from typing import Any

from common.memory import give_back
from eval.compare.mel import GivenMel, compare_mel
from eval.compare.output_folder import GivenOutput
from eval.compare.recording import Cancelled, Event, Failed, Output, Progress, compare_again
from server.executor import ComputeError, Executor, InlineExecutor
from server.results import ResultFolder
from ui.compare.files import ComparisonFiles
from ui.compare.state import begin, told
from ui.compare.view import View, view_of
from vocoders.audio import Recording
from vocoders.hifigan.engine import in_precision
from vocoders.hifigan.precision import PrecisionChoice
from vocoders.systems import System

_DONE = object()
PROGRESS_INTERVAL_SECONDS = 0.15  # what is shown more often costs the computation itself


class CompareJob:
    """One comparison of the page: heavy work goes to the executor; its events become states, files and views."""

    def __init__(
        self,
        source: Recording | GivenMel,
        systems: Sequence[System | GivenOutput],
        folder: ResultFolder,
        compute: Executor = InlineExecutor(),
        residuals: bool = False,
        precision: PrecisionChoice = "exact",
    ) -> None:
        """compute: where outputs are made and measured. residuals: as of `ComparisonState`. precision: of the networks."""
        self._compute = compute
        self._work_list = tuple(
            item if isinstance(item, GivenOutput) else in_precision(item, precision) for item in systems
        )
        compared = [item.system if isinstance(item, GivenOutput) else item for item in self._work_list]
        self._state = begin(source, compared, residuals)
        self._files = ComparisonFiles(folder, source)

    def run(self, stop: threading.Event) -> Generator[View, None, None]:
        """Views as things happen, the last one final. Setting `stop`, or closing the iterator, ends the work."""
        events: queue.Queue = queue.Queue()
        worker = threading.Thread(target=self._work, args=(events, stop), daemon=True)
        worker.start()
        try:
            yield self._view("running", "Starting")
            while (event := self._newest(events)) is not _DONE:
                if isinstance(event, ComputeError):
                    yield self._view("cancelled", str(event))
                    return
                if isinstance(event, BaseException):
                    raise event
                yield self._view("running", self._apply(event))
            if stop.is_set():
                ready, asked = len(self._state.outputs), len(self._state.systems)
                yield self._view("cancelled", f"Stopped after {ready} of {asked} systems")
                return
            yield self._view("running", "Writing the files")
            archive = self._files.bundle(self._state.outputs, self._state.levels)
            yield self._view("done", self._state.summary, archive)
        finally:
            stop.set()
            give_back()

    def _work(self, events: queue.Queue, stop: threading.Event) -> None:
        shown = 0.0

        def on_event(event: Event) -> None:
            nonlocal shown
            if stop.is_set():
                raise Cancelled
            if isinstance(event, Progress) and not event.part and time.monotonic() - shown < PROGRESS_INTERVAL_SECONDS:
                return
            shown = time.monotonic()
            events.put(event)

        try:
            work = compare_again if self._state.recording else compare_mel
            self._compute.run(work, self._state.source, self._work_list, on_report=on_event)
        except Cancelled:
            pass
        except BaseException as error:  # shown by the page's own handler; a lost thread would leave it waiting
            events.put(error)
            return
        events.put(_DONE)

    @staticmethod
    def _newest(events: queue.Queue) -> Any:
        """The next event; of several waiting progress reports only the newest, and every part of an output."""
        event = events.get()
        while isinstance(event, Progress) and not event.part and not events.empty():
            event = events.get()
        return event

    def _apply(self, event: Event) -> str:
        """The event becomes part of the state and of the files; what the status line says about it."""
        if isinstance(event, Output):
            self._files.add(event, self._state.residuals)
        elif isinstance(event, Failed):
            self._files.drop_part(event.system.id)
        elif isinstance(event, Progress) and event.part:
            self._files.add_part(event.system.id, event.part)
        self._state = self._state.after(event)
        return told(event)

    def _view(self, status: str, text: str, archive: str | None = None) -> View:
        return view_of(self._state, self._files, status, text, archive)
