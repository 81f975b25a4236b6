"""Statistics that tell one kind of mel from another: a few hundred numbers of an array (80, frames), whatever its scale.

Each is cheap, none needs to know the kind, and they hold for any recording because they come from the analysis, not from what
was sung: bands of the HTK scale are 22 Hz apart at the bottom, Slaney's 37 Hz, and so hold one FFT bin or two; the logarithm
of a power varies twice as much as that of a magnitude; windows that overlap by 75 % change slowly; an area of 1 tilts the
spectrum above 1 kHz; a clamped logarithm has many values exactly at its floor.
"""

from __future__ import annotations

import numpy as np

from vocoders.mel_files.cone import impossible_share
from vocoders.mel_files.options import BANDS

MIN_FRAMES = 16  # fewer give no statistics
_GROUPS = (0, 4, 10, 20, 30, 40, 50, 60, 70)  # first band of each group
_LAGS = (1, 2, 4, 8)  # frames
_QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
_LOW_BANDS = 40  # bands looked at one by one: which FFT bins lie in them depends on the bands' edges alone
_RANGE_NEPERS = 40.0  # below the maximum; a recording reaches no further down
_MIN_FLOOR_SHARE = 0.005  # share of values equal to the minimum that makes it a floor
# Natural logarithm per unit: of dB of a magnitude and of a power, of e and of 10, and readings around them
EXPONENTS = np.array(
    [0.09, np.log(10) / 20, 0.15, np.log(10) / 10, 0.3, 0.5, 0.75, 1.0, 1.15, 1.35, 1.7, np.log(10), 3.2]
)
# Below these, floats lose digits
_HALF, _SINGLE = (float(np.finfo(kind).smallest_normal) for kind in (np.float16, np.float32))
_MIN_VALUES = 8  # fewer values give no statistic
_TINY = 1e-6


def statistics(values: np.ndarray) -> np.ndarray:
    """(80, frames), at least `MIN_FRAMES` frames -> (n,) float64; NaN where too few values lie above the floor."""
    values = values.astype(np.float64)
    level, above = log_view(values)
    return np.concatenate(
        [
            _facts(values),
            _levels(level, above),
            _profile(level, above),
            _changes_in_time(level, above),
            _changes_across_bands(level, above),
            _fluctuations(level, above),
            _possibility(level, above),
        ]
    )


def log_view(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(80, frames) float64 -> the array as logarithms, and which of its values lie above the floor.

    Arrays with negative values are taken for logarithms of some base; of the others the natural logarithm is taken.
    """
    lowest = values.min()
    above = values > lowest
    if (~above).mean() < _MIN_FLOOR_SHARE:
        above = np.ones(values.shape, dtype=bool)
    if lowest >= 0:
        least = _HALF if values.max() < 65_504 and (values == values.astype(np.float16)).all() else _SINGLE
        above &= values > least
        values = np.log(np.maximum(values, least))
        above &= values > values.max() - _RANGE_NEPERS
        values = np.maximum(values, values.max() - _RANGE_NEPERS)
    return values, above


def _facts(values: np.ndarray) -> np.ndarray:
    """The range as it is, on a scale that is logarithmic at both ends, and how many values are negative or whole; (6,)."""
    summary = np.arcsinh([values.min(), values.max(), values.mean(), values.std()])
    return np.array([*summary, values.min() < 0, np.mean(values == np.rint(values))])


def _levels(level: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Quantiles and spread, the share at the floor, and how much quiet, middle and loud values change; (14,)."""
    seen = level[above]
    if seen.size < _MIN_VALUES:
        return np.full(len(_QUANTILES) + 5, np.nan)
    change, both = np.abs(np.diff(level, axis=1)), above[:, 1:] & above[:, :-1]
    lower, *quantiles, upper = np.quantile(seen, (1 / 3, *_QUANTILES, 2 / 3))
    middle = (level[:, 1:] + level[:, :-1]) / 2
    thirds = (middle < lower, (middle >= lower) & (middle < upper), middle >= upper)
    by_level = [np.log(_mean(change, both & third) + _TINY) for third in thirds]
    return np.array([*quantiles, np.log(seen.std() + _TINY), 1 - above.mean(), *by_level])


def _profile(level: np.ndarray, above: np.ndarray) -> np.ndarray:
    """The long-term spectrum around its mean: 12 low bands one by one, the others by fours; (29,)."""
    spectrum = _mean(level, above, axis=1) - _mean(level, above)
    return np.concatenate([spectrum[:12], spectrum[12:].reshape(-1, 4).mean(axis=1)])


def _changes_in_time(level: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Log mean change over 1, 2, 4 and 8 frames, and for two of them how heavy the tails are; by groups of bands; (54,)."""
    found = []
    for lag in _LAGS:
        change = np.abs(level[:, lag:] - level[:, :-lag])
        seen = above[:, lag:] & above[:, :-lag]
        mean = _by_group(change, seen)
        found.append(np.log(mean + _TINY))
        if lag in (1, 4):
            found.append(np.log((np.sqrt(_by_group(change**2, seen)) + _TINY) / (mean + _TINY)))
    return np.concatenate(found)


def _changes_across_bands(level: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Log mean difference of bands 1, 2 and 3 apart by groups (27,); mean and log spread of low bands' second differences (80,)."""
    found = []
    for apart in (1, 2, 3):
        seen = above[apart:] & above[:-apart]
        found.append(np.log(_by_group(np.abs(level[apart:] - level[:-apart]), seen) + _TINY))
    lower, middle, upper = (slice(shift, shift + _LOW_BANDS) for shift in range(3))
    bend = level[lower] - 2 * level[middle] + level[upper]
    seen = above[lower] & above[middle] & above[upper]
    mean = _mean(bend, seen, axis=1)
    spread = np.sqrt(np.maximum(_mean(bend**2, seen, axis=1) - mean**2, 0))
    return np.concatenate([*found, mean, np.log(spread + _TINY)])


def _fluctuations(level: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Around the mean of five frames, by groups: log spread, skewness, correlation with the next band and the next but one (36,);
    of low bands: log spread against the next band's, and correlation with it (80,)."""
    frames = level.shape[1] - 4
    windows = [slice(shift, shift + frames) for shift in range(5)]
    seen = np.all([above[:, window] for window in windows], axis=0)
    rest = level[:, windows[2]] - np.mean([level[:, window] for window in windows], axis=0)
    variance = _by_group(rest**2, seen) + _TINY**2
    found = [0.5 * np.log(variance), _by_group(rest**3, seen) / variance**1.5]
    for apart in (1, 2):
        found.append(_by_group(rest[apart:] * rest[:-apart], seen[apart:] & seen[:-apart]) / variance)
    own, following = slice(0, _LOW_BANDS), slice(1, _LOW_BANDS + 1)
    both = seen[own] & seen[following]
    left, right = (_mean(rest[bands] ** 2, both, axis=1) + _TINY**2 for bands in (own, following))
    shared = _mean(rest[own] * rest[following], both, axis=1) / np.sqrt(left * right)
    return np.concatenate([*found, 0.5 * np.log(left / right), shared])


def _possibility(level: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Log share of frames that no spectrum has, for the bands of both recipes and a row of readings of the scale; (26,)."""
    shares = [impossible_share(level, above, recipe, EXPONENTS) for recipe in BANDS]
    return np.log(np.concatenate(shares) + 0.003)


def _mean(values: np.ndarray, seen: np.ndarray, axis: int | None = None) -> np.ndarray:
    """Of the values that are seen; NaN where they are few."""
    return _ratio((values * seen).sum(axis), seen.sum(axis))


def _by_group(values: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The mean of each group of bands; (9,)."""
    total, count = (np.add.reduceat(array.sum(axis=1), _GROUPS) for array in (values * seen, seen))
    return _ratio(total, count)


def _ratio(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.where(count >= _MIN_VALUES, total / np.maximum(count, 1), np.nan)
