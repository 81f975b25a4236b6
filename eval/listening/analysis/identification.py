"""ABX trials: the share of right answers, its test against chance, and d'."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, sqrt

import numpy as np

from eval.compare.intervals import Estimate
from eval.listening.analysis.estimates import ClusteredEstimate, Share, clustered_interval, exact_share
from eval.listening.analysis.votes import AbxResponse

CHANCE = 0.5  # share of right answers
MAX_D_PRIME = 16.0  # beyond it p(c) is 1 in floating point


def share_right(d_prime: float) -> float:
    """p(c) of an unbiased ABX listener by independent observations (Macmillan & Creelman 2005).

    One observation tells which of A and B is the lower one, another which of the two X resembles; the answer is right if both
    are right or both are wrong.
    """
    from scipy.special import ndtr

    order, likeness = ndtr(d_prime / sqrt(2)), ndtr(d_prime / 2)
    return float(order * likeness + (1 - order) * (1 - likeness))


def sensitivity(share: float) -> float:
    """d' of an ABX listener with that share of right answers, 0 to 1: 0 at chance or below, infinite at 1."""
    from scipy.optimize import brentq

    if share <= CHANCE:
        return 0.0
    if share >= share_right(MAX_D_PRIME):
        return inf
    return float(brentq(lambda d_prime: share_right(d_prime) - share, 0.0, MAX_D_PRIME))


@dataclass(frozen=True)
class Identified:
    """ABX results of one pair of systems. `share.p` is the exact *one-sided* test for more than half: a share reliably below
    half is no evidence of hearing a difference. It takes all trials as independent; `by_rater` does not."""

    systems: tuple[str, str]
    share: Share  # right answers; interval of Clopper and Pearson
    d_prime: Estimate  # interval from the ends of the share's, so its upper end may be infinite
    clustered: ClusteredEstimate  # share of right answers, for new raters and clips; two-sided p of one half
    by_rater: ClusteredEstimate  # mean over raters of each one's share, n raters; one-sided p, by flipping signs


def identified(votes: Sequence[AbxResponse]) -> list[Identified]:
    """Every pair of systems, by name, over all raters. Repeats have no vote."""
    pairs = defaultdict(list)
    for vote in votes:
        if not vote.repeat:
            first, second = sorted(vote.systems)
            pairs[first, second].append(vote)
    return [_identified(pair, pairs[pair]) for pair in sorted(pairs)]


def identified_by_rater(votes: Sequence[AbxResponse]) -> dict[str, list[Identified]]:
    """The same for every rater alone. Of twenty raters who guess, one is significant at 5 %."""
    raters = defaultdict(list)
    for vote in votes:
        raters[vote.rater].append(vote)
    return {rater: identified(raters[rater]) for rater in sorted(raters)}


def _identified(pair: tuple[str, str], votes: Sequence[AbxResponse]) -> Identified:
    n = len(votes)
    share = exact_share(sum(vote.right for vote in votes), n, "greater")
    low, high = (None if end is None else sensitivity(end) for end in (share.low, share.high))
    # of a perfect score d' is infinite; half an error is the usual bound (Macmillan & Kaplan 1985)
    d_prime = sensitivity(min(share.mean, 1 - 1 / (2 * n)))
    answers = defaultdict(list)
    for vote in votes:
        answers[vote.rater].append(vote.right)
    return Identified(
        pair,
        share,
        Estimate(d_prime, n, low, high),
        clustered_right(votes),
        _over_raters({rater: sum(right) / len(right) for rater, right in sorted(answers.items())}),
    )


def clustered_right(votes: Sequence[AbxResponse]) -> ClusteredEstimate:
    """The share of right answers with an interval for new raters and clips. Repeats have no vote."""
    counted = sorted((vote for vote in votes if not vote.repeat), key=lambda vote: (vote.rater, vote.item, vote.trial))
    raters, items = [vote.rater for vote in counted], [vote.item for vote in counted]
    return clustered_interval([float(vote.right) for vote in counted], raters, items, CHANCE)


def _over_raters(shares: dict[str, float]) -> ClusteredEstimate:
    """Mean of the raters' shares, each one counting once.

    Someone who guesses is as often above one half as below by as much, so flipping signs gives an exact p without a
    distribution. With fewer than five raters it cannot fall below 0.05.
    """
    from scipy.stats import permutation_test

    estimate = clustered_interval(list(shares.values()), list(shares))
    if len(shares) < 2:
        return estimate
    above, rng = np.array(list(shares.values())) - CHANCE, np.random.default_rng(0)
    test = permutation_test((above,), np.mean, permutation_type="samples", alternative="greater", rng=rng)
    return replace(estimate, p=float(test.pvalue))
