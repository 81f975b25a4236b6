"""The executor that runs heavy work in a process of its own, so that stuck work can be ended and its memory returned.

A thread that is stuck inside a native library cannot be stopped; a process can. Jobs share one process, a thread each, and
with it the loaded networks and the cached results of recordings. A job that reports nothing for `stall_timeout` seconds
fails: the process is killed, and its other jobs are attempted again in the next process.

    page  --- run(work, *arguments) --->  Worker  --- pipe --->  process_main: work(*arguments, report)
          <-- reports, then the result --         <--- pipe ---
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import pickle
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from common import sandbox
from common.forks import fork_context
from common.memory import memory
from server.executor import WorkerCrashed, WorkerTimeout, ignore_report
from server.process_main import ERROR, NAME, RESULT, serve
from server.prometheus import STALLED, WORKERS

STALL_TIMEOUT_SECONDS = 180.0  # without a report
MAX_IDLE_BYTES = 2_000_000_000  # of memory in a process without jobs; a larger one is replaced
MAX_ATTEMPTS = 3  # per job: another job may be the cause of a crash
PRELOADED = (  # by the fork server, which has all that the app forks; onnxruntime would start threads
    *("eval.compare.recording", "vocoders.recordings.contained"),
    *("av", "pyloudnorm", "safetensors.torch", "scipy.signal", "soundfile", "soxr"),
)
_LOST = "lost"  # the parent's own message to its waiting jobs: the process has ended
_log = logging.getLogger(__name__)
T = TypeVar("T")


class Worker:
    """Thread-safe. The work must be importable; it, its arguments and its result must be picklable."""

    def __init__(self, prepare: Callable[[], None] = ignore_report, max_idle_bytes: float = MAX_IDLE_BYTES) -> None:
        """prepare: called first in every fresh process, beside its first job."""
        self._prepare, self._max_idle_bytes = prepare, max_idle_bytes
        self._lock = threading.Lock()
        self._process: _Process | None = None

    def start(self) -> None:
        """Optional: starts the process before the first job needs it."""
        self._current()

    def stop(self) -> None:
        """Kills the computing process, if there is one. Running jobs fail."""
        with self._lock:
            if self._process:
                self._process.kill()

    @property
    def pid(self) -> int | None:
        """Of the living computing process; None where there is none."""
        return self._process.pid if self._process and self._process.alive else None

    def run(
        self,
        work: Callable[..., T],
        *arguments: Any,
        on_report: Callable[..., None] = ignore_report,
        stall_timeout: float = STALL_TIMEOUT_SECONDS,
    ) -> T:
        """As `server.executor.Executor.run`."""
        for _ in range(MAX_ATTEMPTS):
            process = self._current()
            try:
                return process.run(work, arguments, on_report, stall_timeout)
            except _Lost:
                continue
            except WorkerTimeout:
                STALLED.inc()
                process.kill()
                raise
            finally:
                self._renew(process)
        raise WorkerCrashed(
            "The computation crashed, probably because it ran out of memory. A shorter recording may help."
        )

    def _current(self) -> _Process:
        with self._lock:
            if self._process is None or not self._process.alive:
                self._process = self._fresh("lost" if self._process else "first")
            return self._process

    def _renew(self, process: _Process) -> None:
        """Replaces the process if it has died, or is idle and holds too much memory."""
        with self._lock:
            if process is not self._process:
                return
            if not process.alive:
                self._process = self._fresh("lost")
            elif not process.busy and (memory(process.pid) or 0) > self._max_idle_bytes:
                process.kill()
                self._process = self._fresh("grown")

    def _fresh(self, why: str) -> _Process:
        WORKERS.labels(why).inc()
        return _Process(self._prepare)


class _Lost(Exception):
    """The process has ended."""


class _Process:
    """One process and its jobs. A job has an inbox, filled by the listening thread; all jobs share one outbox."""

    def __init__(self, prepare: Callable[[], None]) -> None:
        context = fork_context(*PRELOADED)
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, prepare, sandbox.server()), name=NAME, daemon=True)
        self._process.start()
        theirs.close()  # while this copy is open, reading from the pipe does not end with the process
        self._numbers = itertools.count()
        self._inboxes: dict[int, queue.SimpleQueue] = {}
        self._outbox: queue.SimpleQueue = queue.SimpleQueue()
        self.alive = True
        for loop in (self._listen, self._send):
            threading.Thread(target=loop, daemon=True).start()

    @property
    def pid(self) -> int:
        pid = self._process.pid
        assert pid is not None  # it was started
        return pid

    @property
    def busy(self) -> bool:
        return bool(self._inboxes)

    def run(self, work: Callable[..., T], arguments: tuple, on_report: Callable[..., None], stall_timeout: float) -> T:
        """Errors: `_Lost`, `WorkerTimeout`; those of `work` and of `on_report`."""
        number = next(self._numbers)
        inbox: queue.SimpleQueue = queue.SimpleQueue()
        message = pickle.dumps((number, work, arguments))
        self._inboxes[number] = inbox
        try:
            if not self.alive:  # checked after the inbox is registered: `_end` informs only registered inboxes
                raise _Lost
            self._outbox.put(message)
            while True:
                kind, value = inbox.get(timeout=stall_timeout)
                if kind == RESULT:
                    return value
                if kind == ERROR:
                    raise value
                if kind == _LOST:
                    raise _Lost
                on_report(*value)
        except queue.Empty:
            raise WorkerTimeout(f"Given up: nothing moved for {stall_timeout:.0f} seconds") from None
        except BaseException:
            self._outbox.put(pickle.dumps((number, None, ())))  # cancels the job
            raise
        finally:
            del self._inboxes[number]

    def kill(self) -> None:
        self._process.kill()
        self._end()

    def _end(self) -> None:
        self.alive = False
        for inbox in list(self._inboxes.values()):
            inbox.put((_LOST, None))
        self._outbox.put(None)

    def _listen(self) -> None:
        """Moves messages from the pipe to the inboxes until the process ends."""
        try:
            while True:
                number, kind, value = self._pipe.recv()
                if inbox := self._inboxes.get(number):
                    inbox.put((kind, value))
        except (EOFError, OSError):
            pass
        except Exception:  # unpickling may raise anything; without this message its job would wait forever
            _log.exception("the computing process said something that cannot be read")
            self._process.kill()
        self._process.join()
        self._end()

    def _send(self) -> None:
        """Moves messages from the outbox to the pipe. A stuck process does not read, which must block only this thread."""
        with contextlib.suppress(OSError):
            while (message := self._outbox.get()) is not None:
                self._pipe.send_bytes(message)
