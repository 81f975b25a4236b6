"""A Python that has imported and prepared what the app needs, and forks itself for every program that a test starts.

Importing Gradio and PyTorch costs ten seconds of processor time, and the suite starts the app some thirty times. The
fork runs the program itself, as its `__main__`, in a process of its own with its own environment and output.

    test process  --- {arguments, environment, log} --->  warm Python  --- fork --->  the program
                  <--- its number; later its exit status ---
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import multiprocessing.forkserver
import multiprocessing.util
import os
import runpy
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

from common.paths import ROOT
from server.process import PRELOADED
from vocoders.torchaudio_cpu import import_torchaudio

IMPORTED = (
    *("uvicorn", "ui.page", "ui.listening.rate_page", "server.process", "eval.listening.making.make_study"),
    *("pyloudnorm", "soxr", "sqlalchemy.dialects.sqlite"),  # imported by the first study
    "matplotlib.figure",  # by the first pictures
    *PRELOADED,
)


class WarmProcess:
    """The part of `subprocess.Popen` that tests use."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = os.pidfd_open(pid)

    @property
    def ended(self) -> bool:
        """Whether it has; until its status is asked for, /proc still tells of it."""
        return self._has_ended(0)

    def _has_ended(self, timeout: float | None) -> bool:
        return self.returncode is not None or bool(select.select([self._ended], [], [], timeout)[0])

    def poll(self) -> int | None:
        return self.wait() if self.ended else None

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, negative after a signal. Errors: `subprocess.TimeoutExpired`."""
        if not self._has_ended(timeout):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
        if self.returncode is None:
            self.returncode = _ask({"ended": self.pid})
            os.close(self._ended)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if not self.ended:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def start(arguments: Sequence[str], log: Path) -> WarmProcess:
    """`python arguments` in the project's folder, its output behind that of the log. arguments: FILE ..., -m MODULE ..., or -c CODE ..."""
    return WarmProcess(_ask({"arguments": list(arguments), "environment": dict(os.environ), "log": str(log)}))


_asking = threading.Lock()


def _ask(question: dict) -> int:
    with _asking:
        warm = _warm_python()
        warm.stdin.write(json.dumps(question) + "\n")
        warm.stdin.flush()
        return int(warm.stdout.readline())


@functools.cache
def _warm_python() -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.warm_python"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    warm = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    atexit.register(warm.wait)
    atexit.register(warm.stdin.close)  # runs before: the last registered is the first
    return warm


def main() -> None:
    import_torchaudio()
    for module in IMPORTED:
        importlib.import_module(module)
    from eval.compare.recording import warm_up
    from vocoders.catalogue import BUILT_IN

    warm_up(BUILT_IN)  # as every app does at its start: a second of processor time the first time, little in a fork
    gc.freeze()
    assert len(os.listdir("/proc/self/task")) == 1, "a fork has only the thread that forked"
    for line in sys.stdin:
        question = json.loads(line)
        if pid := question.get("ended"):
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
        elif child := os.fork():
            print(child, flush=True)
        else:
            _become(**question)
            return


def _become(arguments: Sequence[str], environment: dict[str, str], log: str) -> None:
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for descriptor, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
        os.dup2(source, descriptor)
    os.environ.clear()
    os.environ.update(environment)
    _fork_the_fork_server()
    match arguments:
        case ["-c", code, *rest]:
            sys.argv = ["-c", *rest]
            exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
        case ["-m", module, *rest]:
            sys.argv = [module, *rest]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case [file, *rest]:
            sys.argv = [file, *rest]
            runpy.run_path(file, run_name="__main__")


def _fork_the_fork_server() -> None:
    """That of the program, which else would import everything anew."""

    def fork(_executable: str, arguments: Sequence[str], descriptors: Sequence[int]) -> int:
        if child := os.fork():
            return child
        try:
            for descriptor in {*map(int, os.listdir("/proc/self/fd"))} - {0, 1, 2, *descriptors}:
                with contextlib.suppress(OSError):  # the listing's own
                    os.close(descriptor)
            exec(arguments[-1], {})  # behind "-c"
        finally:
            os._exit(0)

    with mock.patch.object(multiprocessing.util, "spawnv_passfds", fork):
        multiprocessing.forkserver.ensure_running()


if __name__ == "__main__":
    main()
