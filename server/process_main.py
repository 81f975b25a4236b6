"""The child's side of `server.process.Worker`: receives jobs from the pipe and runs each in a thread.

Messages to the child are pickles of (job number, work, arguments); a `work` of None cancels the job of that number.
Messages to the parent are pickles of (job number, REPORT | RESULT | ERROR, value).
"""

from __future__ import annotations

import contextlib
import functools
import os
import pickle
import signal
import socket
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.pool import ExceptionWithTraceback  # type: ignore[attr-defined]  # typeshed leaves it out
from pathlib import Path
from typing import Any

from common import sandbox
from common.memory import give_back, reuse_freed_memory
from server.log import log_to_stderr

REPORT, RESULT, ERROR = "report", "result", "error"
NAME = "lab-worker"  # of the process, for `ps` and `top`


class _Cancelled(BaseException):
    """Raised inside a cancelled job by its next report. Not an `Exception`, so that no handler of failures catches it."""


def serve(pipe: Connection, prepare: Callable[[], None], sandboxes: socket.socket) -> None:
    """Runs jobs until the parent closes the pipe, then ends the process. prepare: called once, beside the first job; sandboxes:
    the parent's server of `common.sandbox`."""
    sandbox.use(sandboxes)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the app, which ends this process
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(NAME)
    reuse_freed_memory()
    log_to_stderr(requests=False)
    threading.Thread(target=prepare, daemon=True).start()
    cancelled: dict[int, threading.Event] = {}
    sending = threading.Lock()

    def send(number: int, kind: str, value: Any) -> None:
        content = pickle.dumps((number, kind, value))
        with sending:
            pipe.send_bytes(content)

    while True:
        try:
            message = pipe.recv_bytes()
        except (EOFError, OSError):
            os._exit(0)  # the app has ended; no thread here may outlive it
        number, work, arguments = pickle.loads(message)
        if work is None:
            if flag := cancelled.pop(number, None):
                flag.set()
            continue
        flag = cancelled[number] = threading.Event()

        def run(number: int = number, work: Callable = work, arguments: tuple = arguments, flag=flag) -> None:
            _run(work, arguments, flag, functools.partial(send, number))
            cancelled.pop(number, None)

        threading.Thread(target=run, daemon=True).start()


def _run(work: Callable, arguments: tuple, cancelled: threading.Event, send: Callable[[str, Any], None]) -> None:
    def report(*values: Any) -> None:
        if cancelled.is_set():
            raise _Cancelled
        send(REPORT, values)

    try:
        send(RESULT, work(*arguments, report))
    except _Cancelled:
        pass
    except BaseException as error:
        send(ERROR, _picklable(error))
    finally:
        give_back()


def _picklable(error: BaseException) -> ExceptionWithTraceback:
    """The error with its traceback as text, for the log of the parent."""
    try:
        pickle.loads(pickle.dumps(error))
        return ExceptionWithTraceback(error, error.__traceback__)
    except Exception:  # an error class may raise anything from its own pickling code
        return ExceptionWithTraceback(RuntimeError(f"{type(error).__name__}: {error}"), error.__traceback__)
