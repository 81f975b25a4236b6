"""Absolute category rating, ITU-T P.800: one output at a time, from 1 (bad) to 5 (excellent)."""

from __future__ import annotations

from eval.listening.analysis.precision import Spread
from eval.listening.tasks.scores.single import SingleTask

CATEGORIES = ("1 bad", "2 poor", "3 fair", "4 good", "5 excellent")


class Acr(SingleTask):
    """A unit is one condition; the recording is hidden among them."""

    id = "acr"
    title = "ACR: rate outputs, 1 to 5"
    about = "Rate one output at a time from 1 (bad) to 5 (excellent), ITU-T P.800."
    seconds_per_trial = 8
    is_reference_free = True
    measurement = "ordinal"
    bounds = (1, 5)
    edges = (0.5, 1.5, 2.5, 3.5, 4.5, 5.5)
    categories = CATEGORIES
    points = "points of 5"
    digits = 2
    planned = "{:.2f} points of MOS"
    spread = Spread(2 * 0.2**2, 2 * 0.2**2, 2 * 0.7**2)  # standard deviations of 0.2, 0.2 and 0.7 points
    scale = (1.2, 4.6)
    difference, differences, effect_unit = 0.3, (0.0, 2.0), "points of MOS"
    max_repeat_difference = 1.0  # one category
