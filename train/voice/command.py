"""`python -m train voice`, as a person sees it: lines on stderr, the result on stdout."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from common.command import complain, note
from train.schedule import Budget
from train.voice.bounds import MAX_MINUTES
from train.voice.progress import DONE, FILES, PACKED, WEIGHTS, Progress, read_progress
from train.voice.train_voice import Wish, train_voice

if TYPE_CHECKING:  # slow to import
    from lightning.fabric import Fabric

MAX_STEPS = 1_000_000


def voice_command(args: argparse.Namespace) -> int:
    """`python -m train voice`: recordings of a voice -> a generator for it. The exit status."""
    from train.commands import fabric_of

    minutes = None if args.steps is not None else args.minutes
    budget = Budget(args.steps, minutes)
    wish = Wish(tuple(args.audio), budget, not args.from_scratch, args.licence, args.batch)
    return run_voice(args.out, wish, fabric_of(args.accelerator, args.devices), args.nice, args.stop_with_stdin)


def run_voice(out: Path, wish: Wish, fabric: Fabric, nice: int, stops_with_stdin: bool) -> int:
    """The exit status. nice: added to the priority's number; stops_with_stdin: for an app that started this and may end first.

    Errors: ValueError, `DiskFull`.
    """
    if not 0 < (wish.budget.minutes or 1) <= MAX_MINUTES or not 0 < (wish.budget.steps or 1) <= MAX_STEPS:
        raise ValueError(f"a run takes up to {MAX_MINUTES:g} minutes, or {MAX_STEPS} steps")
    if nice:
        os.nice(min(19, max(0, nice)))
    before = read_progress(out)
    if before and before.phase == DONE:
        print(f"{_result(out, before)}; it is finished: for another run choose another --out")
        return 0
    if stops_with_stdin:
        threading.Thread(target=_stop_with_stdin, daemon=True).start()
    said = _Lines()
    ended = train_voice(out, wish, fabric, said)
    if ended.phase == DONE:
        print(_result(out, ended))
    elif ended.best:
        print(f"{_result(out, ended)}; stopped before the end: the same command goes on")
    else:
        print(f"{out}: stopped before anything was learned; the same command goes on")
    return 0


def _stop_with_stdin() -> None:
    while os.read(0, 1024):  # not through `sys.stdin`, whose lock Python would want back when it ends
        pass
    os.kill(os.getpid(), signal.SIGTERM)


class _Lines:
    """A line for every phase, and for what a person should know about the recordings."""

    def __init__(self) -> None:
        self._phase, self._told = "", False

    def __call__(self, progress: Progress) -> None:
        if progress.held_out and not self._told:
            self._told = True
            for name, reason in progress.skipped:
                complain(f"skipped {name}: {reason}")
            for about in progress.notes:
                note(about)
            note(f"{progress.seconds[0]:.0f} s to learn from. {progress.held_out}".rstrip("."))
        if progress.phase != self._phase:
            self._phase = progress.phase
            print(f"{progress.phase}", file=sys.stderr, flush=True)


def _result(out: Path, progress: Progress) -> str:
    best, first = progress.best, progress.validations[0]
    assert best is not None
    against = f" ({first.m_stft:.3f} before)" if first.step == 0 else ""
    return (
        f"{out / FILES / WEIGHTS}: validation M-STFT {best.m_stft:.3f}{against} after {progress.step} steps, "
        f"{progress.spent:.1f} min; with card, curves and credits in {PACKED}"
    )
