"""A module run in a process of its own that may use only so much memory, time and disk: for files from strangers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import NoReturn

from common.paths import ROOT

MAX_FILE_BYTES = 800_000_000  # twice the largest checkpoint
MAX_MEMORY_BYTES = 2_400_000_000  # torch itself, a checkpoint, its weights as floats, folded, and written
MAX_CPU_SECONDS = 30
MAX_WAIT_SECONDS = 120  # by the clock, on a machine that has other things to do
_REFUSED = 3  # exit status; the sentence is on stdout


class Refused(ValueError):
    """The other process refused the file, or did not come to an end; the message is a sentence."""


def run_contained(module: str, arguments: Sequence[object], name: str = "it") -> None:
    """`python -m module arguments`, for a module that calls `limit_resources` before it opens anything.

    Errors: `Refused` with the sentence given to `refuse` there, or one about `name` when that process came to no end.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            timeout=MAX_WAIT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise Refused(f"{name} takes too long to read and was not opened.") from error
    if done.returncode == _REFUSED:
        raise Refused(done.stdout.decode("utf-8", "replace"))
    if done.returncode:
        raise Refused(f"{name} could not be read within the memory, time and disk allowed, and was not opened.")


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
    sys.stdout.buffer.write(str(reason).encode("utf-8", "replace"))
    sys.exit(_REFUSED)
