"""Power of a planned listening test: the precision that a number of raters and clips gives, and the number for a precision."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from eval.listening.analysis.precision import Spread, is_preliminary
from eval.listening.tasks.registry import task_of


@dataclass(frozen=True)
class Plan:
    """The precision of a design, with the fields of `Precision`."""

    mode: str
    raters: int
    items: int  # that every rater hears
    half_width: float | None
    share: float | None
    d_prime: float | None
    verdict: str  # one sentence

    @property
    def reached(self) -> float | None:
        """The smaller, the better."""
        return self.share if self.half_width is None else self.half_width


def plan(mode: str, raters: int, items: int, spread: Spread | None = None) -> Plan:
    """mode: the id of a task. items: how many every rater hears of each system or pair. Errors: ValueError."""
    if raters < 1 or items < 1:
        raise ValueError(f"raters and items must be 1 or more, not {raters} and {items}")
    found = task_of(mode).precision(raters, items, spread)
    preliminary = "; preliminary." if is_preliminary(raters, raters * items) else "."
    return Plan(mode, raters, items, found.half_width, found.share, found.d_prime, found.verdict + preliminary)


MAX_RATERS = 100_000  # of a plan; no study gets more


def raters_for(mode: str, wanted: float, items: int, spread: Spread | None = None) -> int | None:
    """The smallest number of raters with which a plan reaches `wanted`: a half-width in points, or a share (ab, abx).
    None if `MAX_RATERS` do not: more raters do not compensate for too few clips."""

    def enough(raters: int) -> bool:
        reached = plan(mode, raters, items, spread).reached
        return reached is not None and reached <= wanted

    found = bisect_left(range(MAX_RATERS + 1), True, lo=1, key=enough)
    return found if found <= MAX_RATERS else None


def twice_as_precise(found: Plan) -> str:
    """One sentence on how many raters it takes to halve what a plan reaches; empty where it reaches nothing."""
    if found.share is not None:
        wanted = 0.5 + (found.share - 0.5) / 2
    elif found.half_width is not None:
        wanted = found.half_width / 2
    else:
        return ""
    raters = raters_for(found.mode, wanted, found.items)
    if raters is None:
        return "Twice as precise takes more clips: raters alone, however many, do not bring it."
    return f"Twice as precise takes {raters} raters."
