"""The charts of reports: they scale, take their colours from the page, and every point says what it is."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Mapping, Sequence

from eval.compare.intervals import Estimate
from eval.reports.svg import Drawing, K, Scale, colours, line

LEFT, WIDTH, ROW = 230, 620, 30  # pixels: labels, the plot itself, and the height of a row
RIGHT = 20  # of the plot
NARROW_LEFT, NARROW_WIDTH = 36, 304  # of a plot whose rows have no labels: it fits a phone and a column of a form
MAX_LABEL_CHARS = 34  # in `LEFT`
CUT = "…"


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
    scale = Scale.around(every if marked is None else [*every, marked], LEFT, LEFT + WIDTH)
    colour, height = colours(list(values)), ROW * len(values)
    chart = _chart(title, height + 26)
    _across(chart, scale, height)
    if marked is not None:
        _upright(chart, scale(marked), 0, height, "zero")
    for index, (system, clips) in enumerate(values.items()):
        middle = ROW * index + ROW / 2
        _label(chart, titles[system], middle)
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
    chart = _chart(title, ROW * len(counts) + 28)
    for index, (row, values) in enumerate(counts.items()):
        y, x, total = ROW * index + 4, float(LEFT), sum(values)
        _label(chart, row, y + 12)
        for name, shade, value in zip(names, shades, values):
            width = WIDTH * value / total if total else 0.0
            tooltip = f"{row}: {name}, {value} of {total}"
            chart.add("rect", tooltip=tooltip, x=x, y=y, width=width, height=ROW - 8, fill=shade)
            if width > 24:
                chart.add("text", str(value), kind="inside", x=x + width / 2, y=y + 16, text_anchor="middle")
            x += width
    x, y = float(LEFT), ROW * len(counts) + 12
    for name, shade in zip(names, shades):
        chart.add("rect", x=round(x), y=y, width=10, height=10, fill=shade)
        chart.add("text", name, x=round(x + 14), y=y + 9)
        x += 34 + 6.6 * len(name)
    return chart


def cloud(
    title: str,
    points: Sequence[tuple[str, str, float, float]],
    titles: Mapping[str, str],
    x_label: str,
    y_label: str,
) -> Drawing | None:
    """A dot per point on linear axes, coloured by system, with a legend. points: (system, label, x, y)."""
    if not points:
        return None
    systems, _, xs, ys = zip(*points)
    chart, across, up = _plane(title, 220, xs, ys, x_label, y_label)
    colour = colours(list(dict.fromkeys(systems)))
    for system, label, x, y in points:
        tooltip = f"{titles[system]}, {label}: {x:.3g}, {y:.3g}"
        _dot(chart, across(x), up(y), 4, colour[system], tooltip, 0.7)
    for index, (system, shade) in enumerate(colour.items()):
        _dot(chart, 8, 34 + 18 * index, 4, shade)
        chart.add("text", titles[system], x=18, y=38 + 18 * index)
    return chart


def scatter(
    title: str, points: Mapping[str, tuple[float, float]], titles: Mapping[str, str], x_label: str, y_label: str
) -> Drawing | None:
    """A labelled point per system; x on a logarithmic scale. points: {system: (x, y)}."""
    if not points:
        return None
    xs, ys = zip(*((math.log10(x), y) for x, y in points.values()))
    chart, across, up = _plane(title, 240, xs, ys, x_label, y_label, lambda value: f"{10**value:.3g}")
    for (system, colour), x, y in zip(colours(list(points)).items(), map(across, xs), map(up, ys)):
        anchor, shift = ("end", -9) if x > LEFT + 0.6 * WIDTH else ("start", 9)
        _dot(chart, x, y, 6, colour)
        chart.add("text", titles[system], x=x + shift, y=y + 4, text_anchor=anchor)
    return chart


def rising_line(
    title: str, points: Sequence[tuple[float, float, float]], wanted: float, x_label: str, y_label: str
) -> Drawing | None:
    """A line through points with the bars of their standard errors, on axes from 0 to 1 upright. points: (x, share, standard
    error); wanted: the share at which a line across marks what is asked for."""
    if not points:
        return None
    xs = [0, *(x for x, _, _ in points)]
    left, right = NARROW_LEFT, NARROW_LEFT + NARROW_WIDTH
    chart = Drawing(right + RIGHT, 246, title, kind="narrow")
    across, up = _axes(chart, (left, right), (20, 200), xs, (0.0, 1.0), x_label, y_label)
    chart.add("line", "", f"{wanted:g}", kind="zero", x1=left, x2=right, y1=up(wanted), y2=up(wanted))
    (colour,) = colours([title]).values()
    chart.add(
        "path", d=line((across(x), up(share)) for x, share, _ in points), fill="none", stroke=colour, stroke_width=2
    )
    for x, share, error in points:
        low, high = max(share - error, 0.0), min(share + error, 1.0)
        chart.add("line", x1=across(x), x2=across(x), y1=up(low), y2=up(high), stroke=colour)
        _dot(chart, across(x), up(share), 4, colour, f"{x:g}: {share:.2f} ± {error:.2f}")
    return chart


def _chart(title: str, height: float) -> Drawing:
    return Drawing(LEFT + WIDTH + RIGHT, height, title)


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
    chart = _chart(title, height + 46)
    return chart, *_axes(chart, (LEFT, LEFT + WIDTH), (0, height), xs, ys, x_label, y_label, tick)


def _axes(
    chart: Drawing,
    x_ends: tuple[float, float],
    y_ends: tuple[float, float],
    xs: Sequence[float],
    ys: Sequence[float],
    x_label: str,
    y_label: str,
    tick: Callable[[float], str] = _tick,
) -> tuple[Scale, Scale]:
    """Draws two axes; their scales. x_ends: left and right of the plot, y_ends: top and bottom, in pixels."""
    (left, right), (top, bottom) = x_ends, y_ends
    across, up = Scale.around(xs, left, right), Scale.around(ys, bottom, top, margin=0.1)
    _across(chart, across, bottom, tick, top)
    for value in (min(ys), (min(ys) + max(ys)) / 2, max(ys)):
        chart.add("text", f"{value:.3g}".replace("-", "−"), x=left - 10, y=up(value) + 4, text_anchor="end")
    chart.add("text", y_label, kind="axis", x=4, y=12)
    chart.add("text", x_label, kind="axis", x=(left + right) / 2, y=bottom + 38, text_anchor="middle")
    return across, up


def _across(
    chart: Drawing, scale: Scale, bottom: float, tick: Callable[[float], str] = _tick, top: float = 0.0
) -> None:
    """Upright lines at the ticks of the horizontal axis, with the values below them."""
    for value in scale.ticks():
        _upright(chart, scale(value), top, bottom, "grid")
        chart.add("text", tick(value), x=scale(value), y=bottom + 18, text_anchor="middle")


def _upright(chart: Drawing, x: float, top: float, bottom: float, kind: str, tooltip: str = "") -> None:
    chart.add("line", tooltip=tooltip, kind=kind, x1=x, x2=x, y1=top, y2=bottom)


def _dot(
    chart: Drawing, x: float, y: float, radius: float, colour: str, tooltip: str = "", opacity: float = 1.0
) -> None:
    chart.add("circle", tooltip=tooltip, cx=x, cy=y, r=radius, fill=colour, fill_opacity=opacity)


def _label(chart: Drawing, text: str, middle: float) -> None:
    """The name of a row, right before it, in one line or two; the whole of it is its tooltip where even those are too short."""
    lines = _lines(text)
    tooltip = text if any(part.endswith(CUT) for part in lines) else ""
    top = middle + 4 - 6 * (len(lines) - 1)
    for index, part in enumerate(lines):
        chart.add("text", part, tooltip, x=LEFT - 10, y=top + 12 * index, text_anchor="end")


def _lines(text: str) -> list[str]:
    """At most two, that fit before a row: a pair ("one / other") that is too long for one is divided between its systems."""
    if len(text) <= MAX_LABEL_CHARS:
        return [text]
    pair = text.split(" / ") if text.count(" / ") == 1 else [text]
    return [line for part in pair for line in _wrapped(part, 2 // len(pair))]


def _wrapped(text: str, most: int) -> list[str]:
    """At most so many lines; the last ends with `CUT` where there would be more."""
    lines = textwrap.wrap(text, MAX_LABEL_CHARS)
    return lines if len(lines) <= most else [*lines[: most - 1], lines[most - 1][: MAX_LABEL_CHARS - 1] + CUT]


def _mean(chart: Drawing, estimate: Estimate, scale: Scale, middle: float) -> None:
    interval = "" if estimate.low is None else f", 95 % interval {estimate.low:.3f} to {estimate.high:.3f}"
    tooltip = f"mean {estimate.mean:.3f}{interval}, n = {estimate.n}"
    if estimate.low is not None:
        ends = {"x1": scale(estimate.low), "x2": scale(estimate.high), "y1": middle, "y2": middle}
        chart.add("line", tooltip=tooltip, kind="interval", **ends)
    _upright(chart, scale(estimate.mean), middle - 10, middle + 10, "mean", tooltip)
