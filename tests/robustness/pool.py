"""Cases judged in a process of their own, so that a native crash, a hang or a memory bomb is counted and the next case goes on."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

HANG_SECONDS = 60.0  # by the wall clock, after which a case is given up; wide, because the machine may be shared
MAX_ADDRESS_SPACE_BYTES = 12_000_000_000  # bytes; what asks for more fails instead of taking the machine down

Judge = Callable[
    [int, Path], str
]  # (number of the case, an empty folder) -> "used" or "refused"; anything raised is a crash


@dataclass
class Tally:
    """The outcomes of the cases. `crashes`: {number of the case: what happened}; that number makes the case again."""

    cases: int = 0
    used: int = 0
    refused: int = 0
    crashes: dict[int, str] = field(default_factory=dict)
    slowest: float = 0.0  # seconds of processor time
    hungriest: float = 0.0  # MB that one case added at its height
    growth: float = 0.0  # MB that the process gained from its hundredth case to its last

    def line(self, what: str) -> str:
        return (
            f"{what}: {self.cases:,} cases, {self.refused:,} refused, {self.used:,} used, {len(self.crashes)} crashed; "
            f"slowest {self.slowest:.2f} s, at most {self.hungriest:.0f} MB, {self.growth:+.1f} MB over the run"
        )


def run_cases(judge: Judge, numbers: Iterable[int]) -> Tally:
    tally, worker, settled = Tally(), _Worker(judge), None
    try:
        for number in numbers:
            tally.cases += 1
            verdict, seconds, peak, now = worker.judge(number)
            if verdict == "used":
                tally.used += 1
            elif verdict == "refused":
                tally.refused += 1
            else:
                tally.crashes[number] = verdict
            tally.slowest, tally.hungriest = max(tally.slowest, seconds), max(tally.hungriest, peak)
            if not worker.alive:
                worker, settled = _Worker(judge), None
            elif worker.judged == 100:
                settled = now
            elif settled is not None:
                tally.growth = now - settled
    finally:
        worker.end()
    return tally


class _Worker:
    def __init__(self, judge: Judge) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(judge, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self.judged, self.alive = 0, True
        self._pipe.recv()  # it is up: starting is no part of the first case

    def judge(self, number: int) -> tuple[str, float, float, float]:
        """(verdict, seconds, MB at the height, MB at the end)"""
        self._pipe.send(number)
        self.judged += 1
        if not self._pipe.poll(HANG_SECONDS):
            self.end()
            return f"hung for {HANG_SECONDS:g} s", HANG_SECONDS, 0.0, 0.0
        try:
            return self._pipe.recv()
        except EOFError:
            self._process.join()
            self.end()
            return f"the process died with {self._process.exitcode}", 0.0, 0.0, 0.0

    def end(self) -> None:
        self.alive = False
        self._process.kill()
        self._process.join()


def _work(judge: Judge, pipe: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESS_SPACE_BYTES, MAX_ADDRESS_SPACE_BYTES))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # decoders complain at length
    with tempfile.TemporaryDirectory() as folder:
        pipe.send("ready")
        while True:
            number = pipe.recv()
            before = _memory("VmRSS")
            with contextlib.suppress(OSError):
                Path("/proc/self/clear_refs").write_text("5")  # forgets the height so far
            began = time.process_time()
            try:
                verdict = judge(number, Path(folder))
            except BaseException as error:  # that is what is looked for
                verdict = f"{type(error).__name__}: {error}"[:500]
            seconds = time.process_time() - began
            pipe.send((verdict, seconds, _memory("VmHWM") - before, _memory("VmRSS")))
            for path in Path(folder).iterdir():
                path.unlink()


def _memory(field: str) -> float:
    """MB"""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024
