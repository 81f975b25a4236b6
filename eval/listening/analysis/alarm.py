"""The alarm about a check that an implausible share of raters fails: then the check is broken, and not the raters.

Every rater counts once for a rule: failed, or not. A check that works is failed by at most the share in `EXPECTED`. The alarm is
raised at `failed` of n raters when the exact binomial tail P(X >= failed | n, share) is below FALSE_ALARMS m / (n (n + 1)), for n from
m = MIN_RATERS on. These bounds sum to FALSE_ALARMS over all n, so that looking after every rater raises a false alarm in at most one
of a hundred studies, however many raters come.
"""

from __future__ import annotations

from dataclasses import dataclass

FALSE_ALARMS = 0.01  # of a rule, over the whole life of a study
MIN_RATERS = 5
# {rule: the largest share of raters that fails one such check, although it works}
OF_ANSWERS = {"gold": 0.2, "trap": 0.2, "headphones": 0.5}
# the same of rules that look at everything a rater has answered
OF_SESSIONS = {"hidden-reference": 0.3, "null-pair": 0.3, "same-answer": 0.2, "impossible-time": 0.2}
EXPECTED = OF_ANSWERS | OF_SESSIONS


@dataclass(frozen=True)
class Alarm:
    """failed: of `raters`; expected: the largest plausible share; excludes: the owner's decision, None before it."""

    rule: str
    raters: int
    failed: int
    expected: float
    excludes: bool | None = None

    @property
    def suspends(self) -> bool:
        """Whether the rule excludes nobody: until the owner says that it is the raters who failed."""
        return not self.excludes

    @property
    def text(self) -> str:
        """One sentence for the owner."""
        return (
            f"{self.failed} of {self.raters} raters failed the check {self.rule!r}, of whom at most "
            f"{100 * self.expected:.0f} % were expected: the check may be broken, and leaves nobody out until you decide."
        )


def expected_share(rule: str, asked: int) -> float:
    """The largest plausible share of raters who fail at least one of `asked` checks."""
    return 1 - (1 - EXPECTED[rule]) ** asked


def is_implausible(failed: int, raters: int, expected: float) -> bool:
    """Whether so many fail that the check is broken."""
    if raters < MIN_RATERS:
        return False
    from scipy.stats import binom

    return bool(binom.sf(failed - 1, raters, expected) < FALSE_ALARMS * MIN_RATERS / (raters * (raters + 1)))
