"""Ratios of paired measurements, with intervals that assume no distribution."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

COVERAGE = 0.95  # least probability with which an interval covers the median
MIN_CHANGE = 0.05  # share; two processes of the same code differ by up to this much: their memory lies elsewhere
SHORT_SECONDS, MIN_CHANGE_IF_SHORT = 0.02, 0.15  # of a task, and the share for one that takes less: they differ more


@dataclass(frozen=True)
class Ratio:
    """A median with an interval of two of the sorted ratios, which covers it with the given probability (the sign test's).
    least: the change that counts, a share."""

    median: float
    low: float
    high: float
    coverage: float
    least: float

    @property
    def verdict(self) -> str:
        """ "faster" or "slower" where the interval and the size of the change leave no doubt; else empty."""
        if self.coverage < COVERAGE:
            return ""
        if self.low > 1 and self.median > 1 + self.least:
            return "faster"
        return "slower" if self.high < 1 and self.median < 1 / (1 + self.least) else ""


def paired_ratio(before: Sequence[float], now: Sequence[float]) -> Ratio:
    """Of before / now in seconds, turn by turn: how many times as fast it is now. The interval is the narrowest of order statistics with
    `COVERAGE`; below 6 turns it is that of all ratios, which covers less.

    Errors: ValueError for no turns or different numbers of them.
    """
    ratios = sorted(b / n for b, n in zip(before, now, strict=True))
    if not ratios:
        raise ValueError("there are no turns to compare")
    left_out = _left_out(len(ratios))
    least = (
        MIN_CHANGE_IF_SHORT if min(statistics.median(before), statistics.median(now)) < SHORT_SECONDS else MIN_CHANGE
    )
    return Ratio(statistics.median(ratios), ratios[left_out], ratios[-1 - left_out], coverage_of(len(ratios)), least)


def coverage_of(turns: int) -> float:
    """Probability with which the interval of so many ratios covers their median."""
    return _covered(turns, _left_out(turns))


def _left_out(turns: int) -> int:
    """Ratios that the interval leaves out at either end."""
    left_out = 0
    while 2 * (left_out + 1) < turns and _covered(turns, left_out + 1) >= COVERAGE:
        left_out += 1
    return left_out


def _covered(turns: int, left_out: int) -> float:
    return 1 - 2 * sum(math.comb(turns, below) for below in range(left_out + 1)) / 2**turns
