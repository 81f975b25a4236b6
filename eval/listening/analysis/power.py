"""Power of a planned listening test: the precision that a number of raters and clips gives, and the number for a precision."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from math import sqrt

from eval.listening.analysis.estimates import ALPHA, t_quantile
from eval.listening.analysis.identification import sensitivity

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


# Assumed, not measured: use your own study's where there is one. The standard deviations are 0.2, 0.2 and 0.7 points of
# ACR's five-point scale, and 6, 6 and 12 of MUSHRA's 100, whose open reference reduces the spread.
SPREAD = {"acr": Spread(2 * 0.2**2, 2 * 0.2**2, 2 * 0.7**2), "mushra": Spread(2 * 6**2, 2 * 6**2, 2 * 12**2)}
POINTS = {"acr": "{:.2f} points of MOS", "mushra": "{:.1f} points of 100"}


@dataclass(frozen=True)
class Plan:
    """The precision of a design. Fields of another mode, and values out of reach, are None."""

    mode: str
    raters: int
    items: int  # that every rater hears
    half_width: float | None  # of the interval of a paired difference, in points: acr, mushra
    share: float | None  # smallest share found with a power of 0.8: of preferences (ab), of right answers (abx)
    d_prime: float | None  # the same as sensitivity: abx
    verdict: str  # one sentence

    @property
    def reached(self) -> float | None:
        """The smaller, the better."""
        return self.share if self.half_width is None else self.half_width


def plan(mode: str, raters: int, items: int, spread: Spread | None = None) -> Plan:
    """modes: acr, mushra, ab, abx. items: how many every rater hears of each system or pair. Errors: ValueError."""
    if raters < 1 or items < 1:
        raise ValueError(f"raters and items must be 1 or more, not {raters} and {items}")
    half_width = share = d_prime = None
    if mode in SPREAD:
        half_width = _half_width(raters, items, spread or SPREAD[mode])
    elif mode in ("ab", "abx"):
        share = detectable_share(raters * items, one_sided=mode == "abx")
        d_prime = sensitivity(share) if mode == "abx" and share is not None else None
    else:
        raise ValueError(f"no mode {mode!r}; there are acr, mushra, ab, abx")
    preliminary = "; preliminary." if is_preliminary(raters, raters * items) else "."
    verdict = _verdict(mode, raters, items, half_width, share, d_prime) + preliminary
    return Plan(mode, raters, items, half_width, share, d_prime, verdict)


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
    if found.reached is None:
        return ""
    wanted = found.half_width / 2 if found.share is None else 0.5 + (found.share - 0.5) / 2
    raters = raters_for(found.mode, wanted, found.items)
    if raters is None:
        return "Twice as precise takes more clips: raters alone, however many, do not bring it."
    return f"Twice as precise takes {raters} raters."


def _half_width(raters: int, items: int, spread: Spread) -> float | None:
    """Of the two-way clustered t interval. One clip stands for itself: its variance is no part of it."""
    if raters < 2:
        return None
    variance = spread.rater / raters + spread.residual / (raters * items)
    if items > 1:
        variance += spread.item / items
    return t_quantile(min(size for size in (raters, items) if size > 1) - 1) * sqrt(variance)


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


def _verdict(
    mode: str, raters: int, items: int, half_width: float | None, share: float | None, d_prime: float | None
) -> str:
    design = f"{raters} raters x {items} {'clip' if items == 1 else 'clips'}"
    if mode in SPREAD and half_width is None:
        return f"{design}: an interval takes two raters"
    if mode in SPREAD:
        scope = ", for this clip only" if items == 1 else ""
        return f"{design} give the difference of two systems to within ±{POINTS[mode].format(half_width)}{scope}"
    if share is None:
        return f"{design} are too few votes to show anything"
    if mode == "ab":
        return f"{design} find a preference of {share:.0%} or more four times out of five at best, ties aside"
    right = f"{share:.0%} of the time (d' {d_prime:.2g})"
    return f"{design} find listeners who are right {right} four times out of five at best"
