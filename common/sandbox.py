"""A module run in a process of its own that may use only so much memory, time and disk: for files from strangers."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import NoReturn

from common.forks import fork_context
from common.paths import ROOT

MAX_FILE_BYTES = 800_000_000  # twice the largest checkpoint
MAX_MEMORY_BYTES = 2_500_000_000  # torch and other modules, a checkpoint, its weights as floats, folded, and written
MAX_CPU_SECONDS = 30
MAX_WAIT_SECONDS = 120  # by the clock, on a machine that has other things to do
MAX_REASON_BYTES = 100_000


class Refused(ValueError):
    """The other process refused the file, or did not come to an end; the message is a sentence."""


def run_contained(module: str, arguments: Sequence[object], name: str = "it") -> None:
    """`python -m module arguments` in a fork, for a module whose `main` calls `limit_resources` before it opens anything.

    Errors: `Refused` with the sentence given to `refuse` there, or one about `name` when that process came to no end.
    """
    context = fork_context("torch")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(theirs, module, [*map(str, arguments)]), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(MAX_WAIT_SECONDS):
            raise Refused(f"{name} takes too long to read and was not opened.")
        reason = ours.recv_bytes(MAX_REASON_BYTES)  # no pickle: that process has opened a stranger's file
    except (EOFError, OSError) as error:
        raise Refused(
            f"{name} could not be read within the memory, time and disk allowed, and was not opened."
        ) from error
    finally:
        ours.close()
        process.kill()
        process.join()
        process.close()
    if reason:
        raise Refused(reason.decode("utf-8", "replace"))


def _run(pipe: Connection, module: str, arguments: list[str]) -> None:
    """Sends the reason for a refusal, or nothing but that it has ended; no end is sent of what breaks."""
    os.chdir(ROOT)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    sys.argv = [module, *arguments]
    try:
        importlib.import_module(module).main()
        reason = ""
    except Refused as refusal:
        reason = str(refusal)
    pipe.send_bytes(reason.encode("utf-8", "replace")[:MAX_REASON_BYTES])


def limit_resources() -> None:
    """For the rest of this process."""
    import resource

    for limit, value in (
        (resource.RLIMIT_DATA, MAX_MEMORY_BYTES),
        (resource.RLIMIT_CPU, MAX_CPU_SECONDS),
        (resource.RLIMIT_FSIZE, MAX_FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def refuse(reason: object) -> NoReturn:
    """Leave, so that `run_contained` raises `Refused` with this sentence."""
    raise Refused(str(reason))
