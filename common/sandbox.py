"""A function run in a process of its own that may use only so much memory, time and disk: for files from strangers."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable

from common.paths import ROOT

MAX_FILE_BYTES = 800_000_000  # twice the largest checkpoint
MAX_MEMORY_BYTES = 2_400_000_000  # torch itself, a checkpoint, its weights as floats, folded, and written
MAX_CPU_SECONDS = 30
MAX_WAIT_SECONDS = 120  # by the clock, on a machine that has other things to do
_MAX_SENTENCE_BYTES = 60_000  # a pipe holds them
_DONE, _REFUSED = b"+", b"-"  # first byte of the answer; the sentence follows a refusal
_PROGRAM = "from common.sandbox import serve; serve()"


class Refused(ValueError):
    """Raised in the other process for a file that is not taken; the message is a sentence. Raised here with that sentence, or
    with one that says that the process did not come to an end."""


def run_contained(work: Callable[..., None], *arguments: object, name: str = "it") -> None:
    """`work(*arguments)`, of which only what it writes to files comes back: nothing is unpickled here.

    work: a function of a module, which raises `Refused` for a file that is not taken. Errors: that one, or one about `name`
    when the process came to no end.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            input=pickle.dumps((work, arguments)),
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            timeout=MAX_WAIT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise Refused(f"{name} takes too long to read and was not opened.") from error
    if done.stdout.startswith(_REFUSED):
        raise Refused(done.stdout.removeprefix(_REFUSED).decode("utf-8", "replace"))
    if done.stdout != _DONE:
        raise Refused(f"{name} could not be read within the memory, time and disk allowed, and was not opened.")


def serve() -> None:
    """The other process: reads what it is to do from its standard input, and leaves its answer on its standard output."""
    answer = os.dup(1)
    work, arguments = pickle.load(sys.stdin.buffer)
    _silence()
    _limit_resources()
    try:
        work(*arguments)
        os.write(answer, _DONE)
    except Refused as refusal:
        os.write(answer, _REFUSED + str(refusal).encode("utf-8", "replace")[: _MAX_SENTENCE_BYTES - 1])


def _silence() -> None:
    """What libraries print is no part of the answer."""
    with open(os.devnull, "w") as nothing:
        for stream in (1, 2):
            os.dup2(nothing.fileno(), stream)


def _limit_resources() -> None:
    """For the rest of this process."""
    import resource

    for limit, value in (
        (resource.RLIMIT_DATA, MAX_MEMORY_BYTES),
        (resource.RLIMIT_CPU, MAX_CPU_SECONDS),
        (resource.RLIMIT_FSIZE, MAX_FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
