"""Run by `side.py` in the folder of a revision: measures what it is asked for, line by line, with that revision's code.

This file and `parts.py` beside it are always those of the tree that asks. A request and its answer are a line of JSON each.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np

WARM_UP_SECONDS = 1.0  # of sound, before memory is measured: what is loaded at the first use is part of the model
RATE = 22_050  # Hz, of all recordings here


def main() -> None:
    """Answers until the asking process closes the pipe."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # what libraries print is no answer
        sys.path[0] = os.getcwd()
        with contextlib.suppress(
            ImportError
        ):  # as the app's processes and the commands begin, in revisions where they do
            from common.memory import reuse_freed_memory

            reuse_freed_memory()
        parts = _parts()
        for line in sys.stdin:
            request = json.loads(line)
            try:
                answer = ANSWERS[request.pop("do")](parts, **request)
            except Exception as error:  # of whatever kind: the revision does not have it, or has it in another form
                answer = {"missing": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), file=answers, flush=True)


def _parts() -> ModuleType:
    spec = importlib.util.spec_from_file_location("measured_parts", Path(__file__).with_name("parts.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _names(parts: ModuleType) -> dict:
    return {"systems": parts.systems()}


@functools.lru_cache(maxsize=1)
def _recording(path: str) -> np.ndarray:
    return np.load(path)


def _run(parts: ModuleType, name: str, recording: str, gain: float, times: int, output: str = "") -> dict:
    """The mean of so many times, in seconds. recording: file of (n,) float32 at 22 050 Hz; gain: it is played with, so that no turn
    finds the last one's results; output: a file for what was made, where that is an array."""
    work = parts.work_of(name, (gain * _recording(recording)).astype(np.float32))
    processor, wall = _processor_seconds(), time.perf_counter()
    for _ in range(times):
        made = work()
    answer: dict[str, object] = {
        "wall": (time.perf_counter() - wall) / times,
        "processor": (_processor_seconds() - processor) / times,
    }
    values = getattr(made, "values", made)
    if output and isinstance(values, np.ndarray):
        np.save(output, values)
        answer["output"] = output
    return answer


def _processor_seconds() -> float:
    """User and system time of all threads, and of child processes that have ended."""
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in spent)


def _memory(parts: ModuleType, name: str, length: float) -> dict:
    """Bytes that the process holds with the loaded system, and the most it held beyond for a recording of this length in seconds."""
    recording = np.random.default_rng(0).normal(0, 0.05, round(max(length, WARM_UP_SECONDS) * RATE)).astype(np.float32)
    parts.work_of(name, recording[: round(WARM_UP_SECONDS * RATE)])()
    loaded, work = _held("VmRSS"), parts.work_of(name, recording[: round(length * RATE)])
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # proc(5): the high-water mark becomes what is held now
    work()
    return {"loaded": loaded, "peak": _held("VmHWM") - loaded}


def _held(mark: str) -> int:
    """Errors: RuntimeError where the operating system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError as error:
        raise RuntimeError("this operating system does not tell how much memory a process holds") from error
    return 1024 * int(next(line for line in lines if line.startswith(f"{mark}:")).split()[1])


ANSWERS: dict[str, Callable[..., dict]] = {"names": _names, "run": _run, "memory": _memory}


if __name__ == "__main__":
    main()
