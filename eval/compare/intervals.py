"""How sure a mean over clips is. Clips are what was drawn, so clips are what is resampled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST = 5  # values below which no interval is given
RESAMPLES = 9999


@dataclass(frozen=True)
class Estimate:
    """A mean over `n` values, with its 95 % interval where there are enough of them."""

    mean: float
    n: int
    low: float | None = None
    high: float | None = None

    @property
    def excludes_zero(self) -> bool:
        return self.low is not None and (self.low > 0 or self.high < 0)


def plain_mean(values: Sequence[float]) -> Estimate | None:
    """Without an interval; None without values."""
    return Estimate(float(np.mean(values)), len(values)) if len(values) else None


def mean_with_interval(values: Sequence[float], seed: int = 0) -> Estimate | None:
    """Bias-corrected and accelerated bootstrap of the mean (Efron 1987), by SciPy; None without values. Deterministic."""
    from scipy.stats import bootstrap

    values = np.asarray(values, dtype=float)
    if not len(values):
        return None
    mean = float(values.mean())
    if len(values) < FEWEST:
        return Estimate(mean, len(values))
    if np.ptp(values) == 0:
        return Estimate(mean, len(values), mean, mean)
    found = bootstrap(
        (values,), np.mean, n_resamples=RESAMPLES, method="BCa", rng=np.random.default_rng(seed)
    ).confidence_interval
    return Estimate(mean, len(values), float(found.low), float(found.high))


def paired_difference(ours: Sequence[float], theirs: Sequence[float], seed: int = 0) -> Estimate | None:
    """Of ours - theirs, clip by clip. Errors: ValueError for lists of different lengths."""
    if len(ours) != len(theirs):
        raise ValueError(f"pairs are needed: {len(ours)} values against {len(theirs)}")
    return mean_with_interval(np.subtract(ours, theirs), seed)
