"""A function run in a process of its own that may use only so much memory, time and disk: for files from strangers.

The process is forked for one call, from a server that has never opened a file, so it finds nothing of anybody else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection

from common.forks import fork_context

MAX_FILE_BYTES = 800_000_000  # twice the largest checkpoint
MAX_MEMORY_BYTES = 2_400_000_000  # torch itself, a checkpoint, its weights as floats, folded, and written
MAX_CPU_SECONDS = 30
MAX_WAIT_SECONDS = 120  # by the clock, on a machine that has other things to do
_MAX_SENTENCE_BYTES = 100_000
_DONE, _REFUSED = b"+", b"-"  # first byte of the answer; the sentence follows a refusal


class Refused(ValueError):
    """Raised in the other process for a file that is not taken; the message is a sentence. Raised here with that sentence, or
    with one that says that the process did not come to an end."""


def run_contained(work: Callable[..., None], *arguments: object, name: str = "it") -> None:
    """`work(*arguments)`, of which only what it writes to files comes back: nothing is unpickled here.

    work: a function of a module, which raises `Refused` for a file that is not taken. Errors: that one, or one about `name`
    when the process came to no end.
    """
    context = fork_context(work.__module__)
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(theirs, work, *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(MAX_WAIT_SECONDS):
            raise Refused(f"{name} takes too long to read and was not opened.")
        answer = ours.recv_bytes(_MAX_SENTENCE_BYTES)
    except (EOFError, OSError) as error:
        raise Refused(
            f"{name} could not be read within the memory, time and disk allowed, and was not opened."
        ) from error
    finally:
        ours.close()
        process.kill()
        process.join()
        process.close()
    if answer != _DONE:
        raise Refused(answer.removeprefix(_REFUSED).decode("utf-8", "replace"))


def _serve(pipe: Connection, work: Callable[..., None], *arguments: object) -> None:
    _silence()
    _limit_resources()
    try:
        work(*arguments)
        answer = _DONE
    except Refused as refusal:
        answer = _REFUSED + str(refusal).encode("utf-8", "replace")[: _MAX_SENTENCE_BYTES - 1]
    pipe.send_bytes(answer)


def _silence() -> None:
    """Libraries and tracebacks of bad files do not reach the log of the app."""
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
    os.environ["OMP_NUM_THREADS"] = "1"  # of what is imported from here on
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
