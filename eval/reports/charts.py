"""The charts of reports: as wide as there is room, with texts of one size on every screen and names above their rows; colours are
the page's, and every point says what it is."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eval.compare.intervals import Estimate
from eval.reports.svg import Drawing, K, Scale, colours, share

START, STOP = 1.0, 99.0  # percent of the width between which rows are drawn
AXIS_START, AXIS_STOP = 13.0, 97.0  # the same of a plot with numbers on its left
NAME, BAND = 16, 28  # pixels: a line of a row's name, and the row below it
BELOW = 26  # pixels for the numbers below a plot
MAX_NAME_CHARS = 46  # of a line: what fits a phone
MIN_COUNTED = 6.0  # percent of the width that a bar needs to hold its number


def strip_plot(
    title: str,
    values: Mapping[K, Mapping[str, float]],
    means: Mapping[K, Estimate | None],
    titles: Mapping[K, str],
    marked: float | None = None,
) -> Drawing | None:
    """A row per system: a dot per clip, a bar for the mean and its interval. values: {system: {clip: value}}; marked: a value
    to draw a line at, such as what chance gives. None where there is nothing to draw."""
    every = [value for clips in values.values() for value in clips.values()]
    every += [end for e in means.values() if e for end in (e.mean, e.low, e.high) if end is not None]
    if not every:
        return None
    scale = Scale.around(every if marked is None else [*every, marked], START, STOP)
    names = {system: _lines(titles[system]) for system in values}
    colour, height = colours(list(values)), sum(map(_row_height, names.values()))
    chart = Drawing.fluid(height + BELOW, title)
    _across(chart, scale, height)
    if marked is not None:
        _upright(chart, scale(marked), 0, height, "zero")
    top = 0.0
    for system, clips in values.items():
        middle = _name(chart, names[system], top) + BAND / 2
        top += _row_height(names[system])
        for place, (clip, value) in enumerate(clips.items()):
            y = middle + (place * 7 % 11 - 5)  # spread a little, so that dots do not hide each other
            _dot(chart, scale(value), y, 3.2, colour[system], f"{clip}: {value:.3f}", 0.5)
        if mean := means.get(system):
            _mean(chart, mean, scale, middle)
    return chart


def stacked_bars(
    title: str, counts: Mapping[str, Sequence[int]], names: Sequence[str], shades: Sequence[str]
) -> Drawing | None:
    """A bar per row, divided as its counts are; every row has the same length. counts: {row: a count per name}."""
    if not counts:
        return None
    chart = Drawing.fluid(sum(_row_height(_lines(row)) for row in counts), title)
    top = 0.0
    for row, values in counts.items():
        y, x, total = _name(chart, _lines(row), top) + 2, 0.0, sum(values)
        top += _row_height(_lines(row))
        for name, shade, value in zip(names, shades, values):
            width = 100 * value / total if total else 0.0
            tooltip = f"{row}: {name}, {value} of {total}"
            place = {"x": share(x), "width": share(width)}
            chart.add("rect", tooltip=tooltip, **place, y=y, height=BAND - 6, fill=shade)
            if width > MIN_COUNTED:
                middle = share(x + width / 2)
                chart.add("text", str(value), tooltip, kind="inside", x=middle, y=y + 15, text_anchor="middle")
            x += width
    chart.legend = list(zip(shades, names))
    return chart


def cloud(
    title: str,
    points: Sequence[tuple[str, str, float, float]],
    titles: Mapping[str, str],
    x_label: str,
    y_label: str,
) -> Drawing | None:
    """A dot per point on linear axes, coloured by system. points: (system, label, x, y)."""
    if not points:
        return None
    systems, _, xs, ys = zip(*points)
    chart, across, up = _plane(title, 220, xs, ys, x_label, y_label)
    colour = colours(list(dict.fromkeys(systems)))
    for system, label, x, y in points:
        tooltip = f"{titles[system]}, {label}: {x:.3g}, {y:.3g}"
        _dot(chart, across(x), up(y), 4, colour[system], tooltip, 0.7)
    chart.legend = [(shade, titles[system]) for system, shade in colour.items()]
    return chart


def scatter(
    title: str, points: Mapping[str, tuple[float, float]], titles: Mapping[str, str], x_label: str, y_label: str
) -> Drawing | None:
    """A point per system with its number in the legend; x on a logarithmic scale. points: {system: (x, y)}."""
    if not points:
        return None
    xs, ys = zip(*((math.log10(x), y) for x, y in points.values()))
    chart, across, up = _plane(title, 240, xs, ys, x_label, y_label, lambda value: f"{10**value:.3g}")
    shades = colours(list(points))
    for number, (system, x, y) in enumerate(zip(points, map(across, xs), map(up, ys)), start=1):
        _dot(chart, x, y, 9, shades[system], titles[system])
        chart.add("text", str(number), titles[system], kind="inside", x=share(x), y=y + 4, text_anchor="middle")
        chart.legend.append((shades[system], f"{number} {titles[system]}"))
    return chart


def rising_line(
    title: str, points: Sequence[tuple[float, float, float]], wanted: float, x_label: str, y_label: str
) -> Drawing | None:
    """A line through points with the bars of their standard errors, on axes from 0 to 1 upright. points: (x, share, standard
    error); wanted: the share at which a line across marks what is asked for."""
    if not points:
        return None
    chart = Drawing.fluid(246, title, kind="narrow")
    across, up = _axes(chart, (20, 200), [0, *(x for x, _, _ in points)], (0.0, 1.0), x_label, y_label)
    (colour,) = colours([title]).values()
    ends: dict[str, Any] = {"x1": share(AXIS_START), "x2": share(AXIS_STOP), "y1": up(wanted), "y2": up(wanted)}
    chart.add("line", "", f"{wanted:g}", kind="zero", **ends)
    for (x, y, _), (next_x, next_y, _) in itertools.pairwise(points):
        place: dict[str, Any] = {"x1": share(across(x)), "x2": share(across(next_x)), "y1": up(y), "y2": up(next_y)}
        chart.add("line", **place, stroke=colour, stroke_width=2)
    for x, y, error in points:
        low, high = max(y - error, 0.0), min(y + error, 1.0)
        _upright(chart, across(x), up(low), up(high), "", stroke=colour)
        _dot(chart, across(x), up(y), 4, colour, f"{x:g}: {y:.2f} ± {error:.2f}")
    return chart


def _tick(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")


def _plane(
    title: str,
    height: int,
    xs: Sequence[float],
    ys: Sequence[float],
    x_label: str,
    y_label: str,
    tick: Callable[[float], str] = _tick,
) -> tuple[Drawing, Scale, Scale]:
    """A chart with its two axes, and their scales."""
    chart = Drawing.fluid(height + 46, title)
    return chart, *_axes(chart, (20, height), xs, ys, x_label, y_label, tick)


def _axes(
    chart: Drawing,
    y_ends: tuple[float, float],
    xs: Sequence[float],
    ys: Sequence[float],
    x_label: str,
    y_label: str,
    tick: Callable[[float], str] = _tick,
) -> tuple[Scale, Scale]:
    """Draws two axes; their scales. y_ends: top and bottom of the plot, in pixels."""
    top, bottom = y_ends
    across, up = Scale.around(xs, AXIS_START, AXIS_STOP), Scale.around(ys, bottom, top, margin=0.1)
    _across(chart, across, bottom, tick, top)
    for value in (min(ys), (min(ys) + max(ys)) / 2, max(ys)):
        text = f"{value:.3g}".replace("-", "−")
        chart.add("text", text, x=share(AXIS_START), dx=-8, y=up(value) + 4, text_anchor="end")
    chart.add("text", y_label, kind="axis", x=0, y=12)
    middle = share((AXIS_START + AXIS_STOP) / 2)
    chart.add("text", x_label, kind="axis", x=middle, y=bottom + 38, text_anchor="middle")
    return across, up


def _across(
    chart: Drawing, scale: Scale, bottom: float, tick: Callable[[float], str] = _tick, top: float = 0.0
) -> None:
    """Upright lines at the ticks of the horizontal axis, with the values below them."""
    for value in scale.ticks():
        _upright(chart, scale(value), top, bottom, "grid")
        chart.add("text", tick(value), x=share(scale(value)), y=bottom + 18, text_anchor="middle")


def _upright(
    chart: Drawing, x: float, top: float, bottom: float, kind: str, tooltip: str = "", **attributes: Any
) -> None:
    chart.add("line", tooltip=tooltip, kind=kind, x1=share(x), x2=share(x), y1=top, y2=bottom, **attributes)


def _dot(
    chart: Drawing, x: float, y: float, radius: float, colour: str, tooltip: str = "", opacity: float = 1.0
) -> None:
    chart.add("circle", tooltip=tooltip, cx=share(x), cy=y, r=radius, fill=colour, fill_opacity=opacity)


def _lines(name: str) -> list[str]:
    """Of the name of a row."""
    return textwrap.wrap(name, MAX_NAME_CHARS) or [""]


def _row_height(lines: Sequence[str]) -> float:
    return NAME * len(lines) + BAND


def _name(chart: Drawing, lines: Sequence[str], top: float) -> float:
    """Writes the name of a row; where it ends, in pixels from the top."""
    for index, text in enumerate(lines, start=1):
        chart.add("text", text, kind="name", x=0, y=top + NAME * index - 2)
    return top + NAME * len(lines)


def _mean(chart: Drawing, estimate: Estimate, scale: Scale, middle: float) -> None:
    interval = "" if estimate.low is None else f", 95 % interval {estimate.low:.3f} to {estimate.high:.3f}"
    tooltip = f"mean {estimate.mean:.3f}{interval}, n = {estimate.n}"
    if estimate.low is not None:
        ends: dict[str, Any] = {
            "x1": share(scale(estimate.low)),
            "x2": share(scale(estimate.high)),
            "y1": middle,
            "y2": middle,
        }
        chart.add("line", tooltip=tooltip, kind="interval", **ends)
    _upright(chart, scale(estimate.mean), middle - 10, middle + 10, "mean", tooltip)
