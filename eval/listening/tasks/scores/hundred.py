"""Tasks with the continuous quality scale of ITU-R BS.1534, 0 to 100."""

from __future__ import annotations

from eval.listening.analysis.precision import Spread
from eval.listening.tasks.scores.rating import RatingTask

MAX_BEEPS_SCORE, MIN_REFERENCE_SCORE = 5, 95  # of the check with beeps, which asks for 0 and 100


class HundredTask(RatingTask):
    """The scale, and what is assumed about answers on it."""

    measurement = "interval"
    bounds = (0, 100)
    edges = (0, 20, 40, 60, 80, 100)
    categories = ("0 to 20, bad", "20 to 40, poor", "40 to 60, fair", "60 to 80, good", "80 to 100, excellent")
    points = "points of 100"
    digits = 1
    planned = "{:.1f} points of 100"
    # standard deviations of 6, 6 and 12 points; the open reference reduces the spread
    spread = Spread(2 * 6**2, 2 * 6**2, 2 * 12**2)
    scale = (5.0, 100.0)
    difference, differences, effect_unit = 8.0, (0.0, 50.0), "points of 100"
    max_repeat_difference = 25.0  # a quarter of the scale
