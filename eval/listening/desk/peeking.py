"""What repeated looking costs: the error rate of a study that ends at the first look with a significant difference."""

from __future__ import annotations

import functools

import numpy as np

from eval.listening.analysis.estimates import ALPHA

_GRID = 501  # points of the density: an error of the rate below 0.0002


@functools.cache
def false_positive_rate(looks: int, alpha: float = ALPHA) -> float:
    """The probability that at least one of so many looks is significant where there is no difference.

    Two-sided tests of level alpha at equal steps of a normal sum, by recursive integration of its density
    (Armitage, McPherson & Rowe 1969). Errors: ValueError for fewer than one look.
    """
    from scipy.special import ndtr, ndtri

    if looks < 1:
        raise ValueError(f"looks must be 1 or more, not {looks}")
    bound = ndtri(1 - alpha / 2)
    points = np.linspace(-bound, bound, _GRID)
    density = np.exp(-(points**2) / 2) / np.sqrt(2 * np.pi)
    inside = 1 - alpha
    for look in range(2, looks + 1):
        # The sum that stayed within the bound at the last look, plus one step
        following = np.linspace(-bound, bound, _GRID) * np.sqrt(look)
        weights = np.full(_GRID, points[1] - points[0])
        weights[[0, -1]] /= 2
        within = ndtr(following[-1] - points) - ndtr(following[0] - points)
        inside = float(np.sum(density * weights * within))
        step = following[:, None] - points
        density = np.exp(-(step**2) / 2) @ (density * weights) / np.sqrt(2 * np.pi)
        points = following
    return 1 - inside


def peeking_warning() -> str:
    """Two sentences for those who watch results come in."""
    few, many = 5, 20
    return (
        f"Looking costs: a study that ends at the first of {few} equally spaced looks with p below {ALPHA:.2g} finds a difference "
        f"where there is none in {false_positive_rate(few):.0%} of all cases instead of {ALPHA:.0%}, at the first of {many} "
        f"in {false_positive_rate(many):.0%}. Decide beforehand when to stop, and look then."
    )
