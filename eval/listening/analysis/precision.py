"""Precision that a number of raters and clips allows: half-widths of intervals, shares that a test detects, and the least to quote."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from eval.listening.analysis.estimates import ALPHA, degrees_of_freedom, t_quantile

MIN_RATERS = 20  # after screening, for a result that is not preliminary
MIN_VOTES_PER_CONDITION = 60  # a condition is one system, or one pair
POWER = 0.8  # probability of detecting a true effect


def is_preliminary(raters: int, votes: int) -> bool:
    """Whether a result has too few raters or votes to be quoted without the word. votes: of the condition with the fewest."""
    return raters < MIN_RATERS or votes < MIN_VOTES_PER_CONDITION


@dataclass(frozen=True)
class Spread:
    """Variances of the difference between two systems, in squared points. Raters' and clips' general levels cancel in
    it; what stays is twice each standard deviation squared."""

    rater: float  # raters' taste for one system
    item: float  # clips that suit one system
    residual: float  # one vote


@dataclass(frozen=True)
class Precision:
    """The precision of a design. Figures of another kind of test, and values out of reach, are None."""

    verdict: str  # one sentence without its full stop
    half_width: float | None = None  # of the interval of a paired difference, in points
    share: float | None = None  # smallest share found with a power of 0.8: of preferences, of right answers
    d_prime: float | None = None  # the same as sensitivity


def design_words(raters: int, items: int) -> str:
    """How a verdict begins."""
    return f"{raters} raters x {items} {'clip' if items == 1 else 'clips'}"


def points_precision(raters: int, items: int, spread: Spread, points: str) -> Precision:
    """Of a test that gives differences in points. points: a format with its unit, such as "{:.2f} points of MOS"."""
    half_width, design = _half_width(raters, items, spread), design_words(raters, items)
    if half_width is None:
        return Precision(f"{design}: an interval takes two raters")
    scope = ", for this clip only" if items == 1 else ""
    verdict = f"{design} give the difference of two systems to within ±{points.format(half_width)}{scope}"
    return Precision(verdict, half_width=half_width)


def _half_width(raters: int, items: int, spread: Spread) -> float | None:
    """Of the two-way clustered t interval. One clip stands for itself: its variance is no part of it."""
    if raters < 2:
        return None
    variance = spread.rater / raters + spread.residual / (raters * items)
    if items == 1:
        return t_quantile(raters - 1) * sqrt(variance)
    variance += spread.item / items
    noise = (spread.rater + spread.item + spread.residual) / (raters * items * variance)
    return t_quantile(degrees_of_freedom(noise, min(raters, items) - 1, (raters - 1) * (items - 1))) * sqrt(variance)


def detectable_share(trials: int, one_sided: bool) -> float | None:
    """Smallest true share above one half that the exact binomial test finds with a power of 0.8; None if none is.

    As if votes were independent: with few raters who answer often, it takes more.
    """
    from scipy.optimize import brentq
    from scipy.stats import binom

    level = ALPHA if one_sided else ALPHA / 2
    needed = int(binom.isf(level, trials, 0.5)) + 1  # right answers for a p of at most `level`
    if needed > trials:
        return None
    return float(brentq(lambda share: binom.sf(needed - 1, trials, share) - POWER, 0.5, 1.0))
