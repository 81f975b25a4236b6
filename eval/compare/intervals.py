"""BCa bootstrap intervals of means over clips; the clip is the sampling unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MIN_VALUES = 5  # values below which no interval is given
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
        """Whether the interval is given and lies to one side of 0."""
        return (self.low is not None and self.low > 0) or (self.high is not None and self.high < 0)


def plain_mean(values: Sequence[float]) -> Estimate | None:
    """Without an interval; None without values."""
    return Estimate(float(np.mean(values)), len(values)) if len(values) else None


def mean_with_interval(values: Sequence[float] | np.ndarray, seed: int = 0) -> Estimate | None:
    """Bias-corrected and accelerated bootstrap of the mean (Efron 1987), by SciPy; None without values. Deterministic."""
    from scipy.stats import bootstrap

    sample = np.asarray(values, dtype=float)
    if not len(sample):
        return None
    mean = float(sample.mean())
    if len(sample) < MIN_VALUES:
        return Estimate(mean, len(sample))
    if np.ptp(sample) == 0:
        return Estimate(mean, len(sample), mean, mean)
    found = bootstrap(
        (sample,), np.mean, n_resamples=RESAMPLES, method="BCa", rng=np.random.default_rng(seed)
    ).confidence_interval
    return Estimate(mean, len(sample), float(found.low), float(found.high))


def paired_difference(ours: Sequence[float], theirs: Sequence[float], seed: int = 0) -> Estimate | None:
    """Of ours - theirs, clip by clip. Errors: ValueError for lists of different lengths."""
    if len(ours) != len(theirs):
        raise ValueError(f"pairs are needed: {len(ours)} values against {len(theirs)}")
    return mean_with_interval(np.subtract(ours, theirs), seed)
