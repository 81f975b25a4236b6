"""A test of one listener that stops as soon as it is decided, with error rates that hold whenever it stops.

Against guessing the listener bets: the e-value of r right and w wrong answers is the mixture of likelihood ratios

    E = 2 integral from 1/2 to 1 of p^r (1 - p)^w dp / (1/2)^(r + w),

a martingale of mean 1 for a listener who guesses, so that it ever reaches 1 / ALPHA with probability ALPHA at most (Ville 1939;
Robbins 1970; Ramdas et al. 2023). Against hearing, F = (1/2)^(r + w) / (p1^r (1 - p1)^w) with p1 = ABLE is a supermartingale for every
listener who is right with probability p1 or more, so 1 / BETA bounds that error in the same way. No correction for the number of looks
is needed.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from math import exp, log
from typing import Literal

import numpy as np

ALPHA = 0.05  # probability at most that a listener who guesses is said to hear a difference
BETA = 0.05  # the same of one who is right with a probability of ABLE or more, and is said not to
ABLE = 0.75  # of the answers right: half way between guessing and certainty
MIN_DECIDED_TRIALS = 5  # five wrong answers; seven right ones
MAX_TRIALS = 40  # of one pair for one listener, about: a whole number of rounds through the clips

Verdict = Literal["hears", "does not", "undecided"]
_SHARES = np.linspace(0, 1, 21)  # of listeners who can hear a difference, for the e-value of all together


def log_evidence(right: int, wrong: int) -> float:
    """Natural logarithm of E."""
    from scipy.special import betaincc, betaln

    trials = right + wrong
    return float((trials + 1) * log(2) + betaln(right + 1, wrong + 1) + log(betaincc(right + 1, wrong + 1, 0.5)))


def log_evidence_against(right: int, wrong: int) -> float:
    """Natural logarithm of F."""
    return right * log(0.5 / ABLE) + wrong * log(0.5 / (1 - ABLE))


@functools.cache
def bounds(trials: int) -> tuple[int, int]:
    """After so many trials: the fewest right answers with which the listener hears, and the most with which not."""
    hears = next((r for r in range(trials + 1) if log_evidence(r, trials - r) >= -log(ALPHA)), trials + 1)
    not_able = [r for r in range(trials + 1) if log_evidence_against(r, trials - r) >= -log(BETA)]
    return hears, max(not_able, default=-1)


def decided(answers: Sequence[bool]) -> tuple[Verdict, int]:
    """The verdict, and the number of answers after which it stands. answers: whether each was right, in their order."""
    right = 0
    for trials, answer in enumerate(answers, start=1):
        right += answer
        hears, does_not = bounds(trials)
        if right >= hears:
            return "hears", trials
        if right <= does_not:
            return "does not", trials
    return "undecided", len(answers)


def pooled_log_evidence(listeners: Sequence[float]) -> float:
    """Natural logarithm of the e-value against "everybody guesses", of each listener's own. A mixture over the share of listeners who
    can hear it, so that those who cannot do not outweigh the others."""
    logs = np.asarray(listeners, dtype=float)
    with np.errstate(divide="ignore"):
        factors = np.logaddexp(np.log(1 - _SHARES)[:, None], np.log(_SHARES)[:, None] + logs)
    totals = factors.sum(axis=1)
    return float(np.logaddexp.reduce(totals) - log(len(_SHARES)))


def p_value(log_e: float) -> float:
    """Of an e-value: at most 1."""
    return min(1.0, exp(-log_e))


def operating(share: float, max_trials: int = MAX_TRIALS) -> tuple[dict[Verdict, float], float]:
    """Exact: the probability of each verdict, and the mean number of trials, of a listener who is right with that probability."""
    states = {0: 1.0}  # right answers so far: probability of being there undecided
    found: dict[Verdict, float] = {"hears": 0.0, "does not": 0.0}
    mean = 0.0
    for trials in range(1, max_trials + 1):
        mean += sum(states.values())
        hears, does_not = bounds(trials)
        ahead: dict[int, float] = {}
        for right, probability in states.items():
            for now, part in ((right + 1, share), (right, 1 - share)):
                if now >= hears:
                    found["hears"] += probability * part
                elif now <= does_not:
                    found["does not"] += probability * part
                else:
                    ahead[now] = ahead.get(now, 0.0) + probability * part
        states = ahead
    return found | {"undecided": sum(states.values())}, mean
