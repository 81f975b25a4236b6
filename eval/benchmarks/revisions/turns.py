"""The turns of this tree and of another revision: here, there, there, here, and so on.

What changes slowly, such as the temperature of the processor, so meets both alike; a pair of neighbours is one ratio.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from eval.benchmarks.page_speed import App, Waited, app
from eval.benchmarks.revisions.ratios import Ratio, paired_ratio
from eval.benchmarks.revisions.side import Missing, Side
from eval.benchmarks.snr import snr

T = TypeVar("T")
MIN_TURN_SECONDS = 0.2  # of processor time: what takes less is done several times a turn, up to MAX_TIMES
MAX_TIMES = 100
GAIN = 0.97  # of each turn to the one before, so that nothing is remembered
HERE, THERE = 0, 1  # places of the two revisions in a pair
EQUAL_DB = 120.0  # above it two outputs differ by rounding alone


@dataclass(frozen=True)
class Spent:
    """By one turn: seconds, and processor seconds (None where the operating system does not tell)."""

    wall: float
    processor: float | None


@dataclass(frozen=True)
class Compared:
    """What one task costs here and there.

    here, there: medians, None where a revision does not have it. processor, wall: there / here. outputs: how much alike they are.
    missing: {"here" or "there": reason}.
    """

    name: str
    here: Spent | None = None
    there: Spent | None = None
    processor: Ratio | None = None
    wall: Ratio | None = None
    outputs: str = ""
    missing: dict[str, str] = field(default_factory=dict)


def in_turns(run: Callable[[int, int], T], rounds: int) -> Iterator[tuple[T, T]]:
    """run: called with the side and the number of the round; round 0, which warms both up, gives nothing.

    (here, there) of each other round, with the second of a round first in the next.
    """
    for number in range(rounds + 1):
        order = (HERE, THERE) if number % 2 else (THERE, HERE)
        found = {side: run(side, number) for side in order}
        if number:
            yield found[HERE], found[THERE]


def compare_task(
    sides: tuple[Side, Side], name: str, recording: Path, rounds: int, on_turn: Callable[[], None] = lambda: None
) -> Compared:
    """A part or system in both processes. recording: a file of (n,) float32 at 22 050 Hz. Errors: those of `Side`, but `Missing`."""
    missing: dict[str, str] = {}
    first: list[float] = []  # processor seconds of round 0

    def run(side: int, number: int) -> Spent | None:
        label = ("here", "there")[side]
        on_turn()
        if label in missing:
            return None
        times = times_for(min(first, default=1.0)) if number else 1
        output = "" if number else str(_output(recording, side))
        request = {"name": name, "recording": str(recording), "gain": GAIN**number, "times": times, "output": output}
        try:
            answer = sides[side].ask("run", **request)
        except Missing as error:
            missing[label] = str(error)
            return None
        first.extend([answer["processor"]] if number == 0 else [])
        return Spent(answer["wall"], answer["processor"])

    for side in (HERE, THERE):
        _output(recording, side).unlink(missing_ok=True)
    pairs = list(in_turns(run, rounds))
    alike = likeness(*(_output(recording, side) for side in (HERE, THERE)))
    return compared(name, pairs, alike, missing)


def times_for(seconds: float) -> int:
    """How often a task that takes so many processor seconds is done in a turn."""
    return max(1, min(MAX_TIMES, math.ceil(MIN_TURN_SECONDS / max(seconds, 1e-9))))


def _output(recording: Path, side: int) -> Path:
    return recording.with_name(f"output-{side}.npy")


def compared(
    name: str,
    pairs: Sequence[tuple[Spent | None, Spent | None]],
    outputs: str = "",
    missing: dict[str, str] | None = None,
) -> Compared:
    """pairs: (here, there) of each round."""
    here, there = ([spent for pair in pairs if (spent := pair[side])] for side in (HERE, THERE))
    both = [(a, b) for a, b in pairs if a and b]
    timed = [(a.processor, b.processor) for a, b in both if a.processor and b.processor]  # 0 is below the clock's tick
    return Compared(
        name,
        _median(here),
        _median(there),
        paired_ratio([b for _, b in timed], [a for a, _ in timed]) if timed and len(timed) == len(both) else None,
        paired_ratio([b.wall for _, b in both], [a.wall for a, _ in both]) if both else None,
        outputs,
        missing or {},
    )


def _median(turns: Sequence[Spent]) -> Spent | None:
    if not turns:
        return None
    processor = [turn.processor for turn in turns if turn.processor is not None]
    return Spent(statistics.median(turn.wall for turn in turns), statistics.median(processor) if processor else None)


def likeness(here: Path, there: Path) -> str:
    """Of two outputs in files of arrays: "equal", or their SNR; empty where they cannot be compared."""
    if not (here.is_file() and there.is_file()):
        return ""
    ours, theirs = np.load(here), np.load(there)
    if ours.shape != theirs.shape:
        return f"of other sizes ({ours.shape}, {theirs.shape})"
    ratio = snr(theirs, ours)
    if ratio >= EQUAL_DB:
        return "equal"
    return f"{ratio:.1f} dB SNR" if math.isfinite(ratio) else "differ"


def compare_pages(
    folders: tuple[Path, Path],
    samples: np.ndarray,
    systems: Sequence[str],
    rounds: int,
    work: Path,
    on_turn: Callable[[], None] = lambda: None,
) -> list[Compared]:
    """A comparison of these systems, as a page asks for it, by the app of each revision: what is waited for.

    folders: of the revisions; work: for files on the way. A revision whose app does not start or cannot compare is missing.
    """
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        pages: list[App | None] = []
        for label, folder in zip(("here", "there"), folders):
            try:
                (work / label).mkdir()
                pages.append(stack.enter_context(app(work / label / "data", folder)))
            except RuntimeError as error:
                missing[label] = str(error)
                pages.append(None)

        def run(side: int, number: int) -> list[Waited]:
            label, page = ("here", "there")[side], pages[side]
            on_turn()
            if label in missing or page is None:
                return []
            try:
                return page.compare((samples * GAIN**number).astype(np.float32), systems)
            except Exception as error:  # of whatever kind the client raises for an interface of another time
                missing[label] = f"{type(error).__name__}: {error}"
                return []

        pairs = list(in_turns(run, rounds))
    return _by_moment(pairs, missing)


def _by_moment(pairs: Sequence[tuple[list[Waited], list[Waited]]], missing: dict[str, str]) -> list[Compared]:
    moments = dict.fromkeys(waited.what for waited in itertools.chain(*itertools.chain(*pairs)))
    if not moments:
        return [compared("the page", [], missing=missing)]

    def at(what: str, turn: list[Waited]) -> Spent | None:
        return next((Spent(waited.wall, waited.processor) for waited in turn if waited.what == what), None)

    rows = [compared(f"the page: {what}", [(at(what, a), at(what, b)) for a, b in pairs]) for what in moments]
    return [replace(rows[0], missing=missing), *rows[1:]]
