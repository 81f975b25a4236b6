"""Heavy work in a process of its own: what hangs there can be ended, and what it took comes back.

A thread that is stuck inside a native library cannot be stopped; a process can. Jobs share it, a thread each, and with it
the networks that are loaded and what is remembered of recordings. When one of them gives no sign of life for `patience`
seconds, the process is killed: that job has failed, the others begin again in the next process.

    page  --- run(work, *arguments) --->  Worker  --- pipe --->  process: work(*arguments, report)
          <-- reports, then the result --         <--- pipe ---
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import logging
import math
import multiprocessing
import os
import pickle
import queue
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.pool import ExceptionWithTraceback
from typing import Any, Protocol, TypeVar

from common.memory import give_back, memory, share_arenas
from server.log import log_to_stderr
from server.prometheus import STALLED, WORKERS

PATIENCE = 180.0  # seconds without any sign of life
MOST_MEMORY = 2_000_000_000  # bytes the process may hold when nothing runs; beyond that it is replaced
BEGINNINGS = 3  # how often a job may begin: it need not be at fault when the process dies under it
_REPORT, _RESULT, _ERROR, _LOST = "report", "result", "error", "lost"
_log = logging.getLogger(__name__)
T = TypeVar("T")


class ComputeError(RuntimeError):
    """The work has no result, through no fault that it knows of; the message is for whoever waits."""


class Stalled(ComputeError):
    """Nothing moved, and what was at it was killed."""


class Died(ComputeError):
    """The process ended by itself under a job, every time that it was tried."""


class Compute(Protocol):
    def run(
        self, work: Callable[..., T], *arguments: Any, on_report: Callable[..., None] = ..., patience: float = ...
    ) -> T:
        """What `work(*arguments, report)` returns; `on_report` is called with whatever it calls `report` with.

        on_report may raise, which ends the work. Reports may come again from the start. patience: seconds that may pass
        without a report. Errors: those of `work` and of `on_report`; `ComputeError`.
        """


def _ignored(*report: Any) -> None:
    pass


class Here:
    """In the thread that asks, for what cannot be sent to another process, and where one is enough."""

    def run(
        self,
        work: Callable[..., T],
        *arguments: Any,
        on_report: Callable[..., None] = _ignored,
        patience: float = math.inf,
    ) -> T:
        return work(*arguments, on_report)


class Worker:
    """What is run must be importable, and pickle. Threads may share one."""

    def __init__(self, prepare: Callable[[], None] = _ignored, most_memory: float = MOST_MEMORY) -> None:
        """prepare: what a fresh process does first, beside its first job."""
        self._prepare, self._most_memory = prepare, most_memory
        self._guard = threading.Lock()
        self._process: _Process | None = None

    def start(self) -> None:
        """Not needed; but then the first job finds a process that is ready."""
        self._current()

    def stop(self) -> None:
        with self._guard:
            if self._process:
                self._process.kill()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.alive else None

    def run(
        self,
        work: Callable[..., T],
        *arguments: Any,
        on_report: Callable[..., None] = _ignored,
        patience: float = PATIENCE,
    ) -> T:
        for _ in range(BEGINNINGS):
            process = self._current()
            try:
                return process.run(work, arguments, on_report, patience)
            except _Lost:
                continue
            except Stalled:
                STALLED.inc()
                process.kill()
                raise
            finally:
                self._renew(process)
        raise Died("The computation ended without a word, perhaps for want of memory. A shorter recording may help.")

    def _current(self) -> _Process:
        with self._guard:
            if self._process is None or not self._process.alive:
                self._process = self._fresh("lost" if self._process else "first")
            return self._process

    def _renew(self, process: _Process) -> None:
        """Replace a process that nobody uses and that has grown too large, or died."""
        with self._guard:
            if process is not self._process:
                return
            if not process.alive:
                self._process = self._fresh("lost")
            elif not process.busy and (memory(process.pid) or 0) > self._most_memory:
                process.kill()
                self._process = self._fresh("grown")

    def _fresh(self, why: str) -> _Process:
        WORKERS.labels(why).inc()
        return _Process(self._prepare)


class _Lost(Exception):
    """The process is gone."""


class _Process:
    """One process and the jobs in it."""

    def __init__(self, prepare: Callable[[], None]) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would copy locks that other threads hold
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, prepare), name="lab-worker", daemon=True)
        self._process.start()
        theirs.close()  # or the end of the process would not be noticed
        self._numbers = itertools.count()
        self._inboxes: dict[int, queue.SimpleQueue] = {}
        self._outbox: queue.SimpleQueue = queue.SimpleQueue()
        self.alive = True
        for loop in (self._listen, self._send):
            threading.Thread(target=loop, daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def busy(self) -> bool:
        return bool(self._inboxes)

    def run(self, work: Callable[..., T], arguments: tuple, on_report: Callable[..., None], patience: float) -> T:
        """Errors: `_Lost`, `Stalled`; those of `work` and of `on_report`."""
        number, inbox = next(self._numbers), queue.SimpleQueue()
        message = pickle.dumps((number, work, arguments))
        self._inboxes[number] = inbox
        try:
            if not self.alive:  # asked after the inbox is known: whoever ends the process tells all that are
                raise _Lost
            self._outbox.put(message)
            while True:
                kind, value = inbox.get(timeout=patience)
                if kind == _RESULT:
                    return value
                if kind == _ERROR:
                    raise value
                if kind == _LOST:
                    raise _Lost
                on_report(*value)
        except queue.Empty:
            raise Stalled(f"Given up: nothing moved for {patience:.0f} seconds") from None
        except BaseException:
            self._outbox.put(pickle.dumps((number, None, ())))  # not wanted any more
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
        """Hands out what arrives, until nothing can arrive any more."""
        try:
            while True:
                number, kind, value = self._pipe.recv()
                if inbox := self._inboxes.get(number):
                    inbox.put((kind, value))
        except (EOFError, OSError):
            pass
        except Exception:  # what cannot be read is no answer to anybody
            _log.exception("the computing process said something that cannot be read")
            self._process.kill()
        self._process.join()
        self._end()

    def _send(self) -> None:
        """In a thread of its own: a process that hangs does not read, and nobody waits for that but this."""
        with contextlib.suppress(OSError):
            while (message := self._outbox.get()) is not None:
                self._pipe.send_bytes(message)


# From here on, what runs in the process.


class _Unwanted(BaseException):
    """Raised inside a job by its report, when nobody wants its result any more; no failure, so no handler of those gets it."""


def _serve(pipe: Connection, prepare: Callable[[], None]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the app, which ends this process
    share_arenas()
    log_to_stderr(requests=False)
    threading.Thread(target=prepare, daemon=True).start()
    unwanted: dict[int, threading.Event] = {}
    sending = threading.Lock()

    def send(number: int, kind: str, value: Any) -> None:
        content = pickle.dumps((number, kind, value))
        with sending:
            pipe.send_bytes(content)

    while True:
        try:
            message = pipe.recv_bytes()
        except (EOFError, OSError):
            os._exit(0)  # the app is gone; whatever still runs is wanted by nobody
        number, work, arguments = pickle.loads(message)
        if work is None:
            if flag := unwanted.pop(number, None):
                flag.set()
            continue
        flag = unwanted[number] = threading.Event()

        def do(number: int = number, work: Callable = work, arguments: tuple = arguments, flag=flag) -> None:
            _do(work, arguments, flag, functools.partial(send, number))
            unwanted.pop(number, None)

        threading.Thread(target=do, daemon=True).start()


def _do(work: Callable, arguments: tuple, unwanted: threading.Event, send: Callable[[str, Any], None]) -> None:
    def report(*values: Any) -> None:
        if unwanted.is_set():
            raise _Unwanted
        send(_REPORT, values)

    try:
        send(_RESULT, work(*arguments, report))
    except _Unwanted:
        pass
    except BaseException as error:
        send(_ERROR, _sendable(error))
    finally:
        give_back()


def _sendable(error: BaseException) -> ExceptionWithTraceback:
    """With where it happened, for whoever logs it on the other side."""
    try:
        pickle.loads(pickle.dumps(error))
        return ExceptionWithTraceback(error, error.__traceback__)
    except Exception:  # whatever its own code does when it is taken apart and put together
        return ExceptionWithTraceback(RuntimeError(f"{type(error).__name__}: {error}"), error.__traceback__)
