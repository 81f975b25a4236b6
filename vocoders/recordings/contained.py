"""A stranger's recording, decoded in a process of its own that may use only so much memory and time.

Decoders are written in C and given whatever people upload. One that crashes, hangs or grows takes nothing with it here, and
one that gives away what it finds in its memory finds nothing of anybody else there: the process is forked for one file,
from a server that has never decoded any.
"""

from __future__ import annotations

import functools
import multiprocessing.context
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from common.forks import fork_context
from vocoders.audio import Recording
from vocoders.recordings.overview import Overview, overview_of
from vocoders.recordings.passage import Passage
from vocoders.recordings.reader import AudioError, Limits, read_recording

MAX_MEMORY_BYTES = (
    1_700_000_000  # of data: Python, PyTorch, the decoders, 60 s of 8 channels at 192 kHz on their way to one
)
MAX_CPU_SECONDS = 120  # half an hour of MP3 takes about ten
MAX_WAIT_SECONDS = 180  # by the clock without a sign of life, on a machine that has other things to do
_PROGRESS, _RESULT, _REFUSED = "progress", "result", "refused"


def start() -> None:
    """Not needed; but then the first file finds the server ready."""
    _context().Process(target=_nothing).start()


def read_recording_contained(
    path: str | Path, limits: Limits = Limits(), name: str | None = None, passage: Passage | None = None
) -> Recording:
    """As `read_recording`, with the same errors."""
    return _contained(_read, Path(path), limits, name, passage)


def overview_contained(
    path: Path, limits: Limits, name: str | None = None, on_progress: Callable[[float], None] = lambda seconds: None
) -> Overview:
    """As `overview_of`, with the same errors."""
    return _contained(overview_of, path, limits, name, on_progress=on_progress)


@functools.cache
def _context() -> multiprocessing.context.ForkServerContext:
    return fork_context("av", "scipy.signal", "soundfile", "soxr", __name__)


def _contained(work: Callable, path: Path, *arguments: Any, on_progress: Callable[[float], None] | None = None) -> Any:
    name = arguments[1] or path.name
    ours, theirs = _context().Pipe(duplex=False)
    process = _context().Process(target=_serve, args=(theirs, work, path.absolute(), *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        while ours.poll(MAX_WAIT_SECONDS):
            kind, value = ours.recv()
            if kind == _RESULT:
                return value
            if kind == _REFUSED:
                raise AudioError(value)
            if on_progress:
                on_progress(value)
        raise AudioError(f"{name}: the file takes too long to decode and was given up.")
    except EOFError as error:
        raise AudioError(
            f"{name}: the file could not be decoded within the memory and time allowed, or broke the decoder."
        ) from error
    finally:
        ours.close()
        process.kill()
        process.join()
        process.close()


def _nothing() -> None:
    pass


def _read(
    path: Path, limits: Limits, name: str | None, passage: Passage | None, on_progress: Callable[[float], None]
) -> Recording:
    return read_recording(path, limits, name, passage)


def _serve(pipe: Connection, work: Callable, path: Path, *arguments: Any) -> None:
    import resource

    for limit, value in (
        (resource.RLIMIT_DATA, MAX_MEMORY_BYTES),
        (resource.RLIMIT_CPU, MAX_CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    try:
        answer = _RESULT, work(path, *arguments, lambda seconds: pipe.send((_PROGRESS, seconds)))
    except AudioError as error:
        answer = _REFUSED, str(error)
    except MemoryError:
        return  # the pipe ends without an answer
    pipe.send(answer)
