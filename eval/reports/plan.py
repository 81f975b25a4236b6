"""The power of a planned listening test as a chart."""

from __future__ import annotations

from eval.listening.analysis.precision import POWER
from eval.listening.simulation.power_curve import Curve
from eval.reports.charts import rising_line
from eval.reports.svg import Drawing


def curve_drawing(curve: Curve) -> Drawing | None:
    """The power over the number of raters, with a line at what is asked for."""
    title = f"Power over raters, {curve.items} {'clip' if curve.items == 1 else 'clips'}"
    points = [(float(point.raters), point.power, point.error) for point in curve.points]
    return rising_line(title, points, POWER, "raters", "share of simulated studies that find the difference")
