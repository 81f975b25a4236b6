"""The outcome of a study, which its task gives as data, in HTML."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from markupsafe import Markup

from common.templates import render
from eval.listening.tasks.outcome import Block, StackedBars, StripPlot, Systems
from eval.reports.charts import stacked_bars, strip_plot
from eval.reports.study_cells import Names, plain_estimate
from eval.reports.svg import Drawing

SHADES = ("#b3362b", "#d9822b", "#8c8c5a", "#3f8f7a", "#0f6d5a")  # from bad to excellent
NEUTRAL_SHADE = "#8a9691"


def outcome_html(blocks: Sequence[Block], names: Names) -> Markup:
    """names: titles of the systems."""
    return render(
        "eval/reports/templates/study_outcome.html",
        blocks=blocks,
        label=partial(_label, names=names),
        drawing=partial(_drawing, names=names),
    )


def _label(systems: Systems, names: Names) -> str:
    return systems.between.join(names[system] for system in systems.ids)


def _drawing(chart: StripPlot | StackedBars, names: Names) -> Drawing | None:
    if isinstance(chart, StackedBars):
        counts = {_label(label, names): values for label, values in chart.rows}
        return stacked_bars(chart.title, counts, chart.names, [shade(tone) for tone in chart.tones])
    dots = {row.label: row.dots for row in chart.rows}
    means = {row.label: plain_estimate(row.mean) for row in chart.rows}
    titles = {row.label: _label(row.label, names) for row in chart.rows}
    return strip_plot(chart.title, dots, means, titles, chart.marked)


def shade(tone: float | None) -> str:
    """The colour of a tone from 0 (bad) to 1 (excellent), between the nearest of `SHADES`; None is neither."""
    if tone is None:
        return NEUTRAL_SHADE
    places = np.linspace(0, 1, len(SHADES))
    colours = np.array([[int(one[k : k + 2], 16) for k in (1, 3, 5)] for one in SHADES])
    return "#" + "".join(f"{round(np.interp(tone, places, channel)):02x}" for channel in colours.T)
