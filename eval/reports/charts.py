"""Small charts as inline SVG: they scale, take their colours from the page, and every point says what it is."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence

from eval.compare.intervals import Estimate

PALETTE = ("#0f9d76", "#3b6fd4", "#c2410c", "#8b5cf6", "#b58900", "#0891b2", "#be185d", "#65a30d", "#64748b")
LEFT, WIDTH, ROW = 230, 620, 30  # pixels: labels, the plot itself, and the height of a row
MAX_LABEL_CHARS = 34  # in `LEFT`


def colours(systems: Sequence[str]) -> dict[str, str]:
    return {system: PALETTE[index % len(PALETTE)] for index, system in enumerate(systems)}


def strip_plot(
    title: str,
    values: Mapping[str, Mapping[str, float]],
    means: Mapping[str, Estimate | None],
    titles: Mapping[str, str],
    marked: float | None = None,
) -> str:
    """A row per system: a dot per clip, a bar for the mean and its interval. values: {system: {clip: value}}; marked: a value
    to draw a line at, such as what chance gives."""
    every = [value for clips in values.values() for value in clips.values()]
    every += [end for e in means.values() if e for end in (e.mean, e.low, e.high) if end is not None]
    if not every:
        return ""
    every += [] if marked is None else [marked]
    scale, ticks = _axis(min(every), max(every))
    colour, height = colours(list(values)), ROW * len(values)
    parts = [_grid(scale, ticks, height)]
    if marked is not None:
        parts.append(f'<line class="zero" x1="{scale(marked):.1f}" x2="{scale(marked):.1f}" y1="0" y2="{height}"/>')
    for index, (system, clips) in enumerate(values.items()):
        middle = ROW * index + ROW / 2
        parts.append(_label(titles[system], middle))
        for number, (clip, value) in enumerate(clips.items()):
            y = middle + (number * 7 % 11 - 5)  # spread a little, so that dots do not hide each other
            label = html.escape(f"{clip}: {value:.3f}")
            parts.append(
                f'<circle cx="{scale(value):.1f}" cy="{y:.1f}" r="3.2" fill="{colour[system]}" fill-opacity="0.5"><title>{label}</title></circle>'
            )
        parts.append(_mean(means.get(system), scale, middle))
    return _figure(title, "".join(parts), height + 26)


def _label(text: str, middle: float) -> str:
    """What a row is, right before it; a pair ("one / other") that is too long for a line gets two."""
    parts = text.split(" / ") if len(text) > MAX_LABEL_CHARS else [text]
    top = middle + 4 - 6 * (len(parts) - 1)
    lines = "".join(
        f'<tspan x="{LEFT - 10}" y="{top + 12 * line}">{html.escape(part)}</tspan>' for line, part in enumerate(parts)
    )
    return f'<text text-anchor="end">{lines}</text>'


def _mean(estimate: Estimate | None, scale, middle: float) -> str:
    if estimate is None:
        return ""
    x = scale(estimate.mean)
    label = f"<title>{_in_words(estimate)}</title>"
    bar = f'<line class="mean" x1="{x:.1f}" x2="{x:.1f}" y1="{middle - 10}" y2="{middle + 10}">{label}</line>'
    if estimate.low is None:
        return bar
    ends = f'x1="{scale(estimate.low):.1f}" x2="{scale(estimate.high):.1f}" y1="{middle}" y2="{middle}"'
    return f'<line class="interval" {ends}>{label}</line>{bar}'


def _in_words(estimate: Estimate) -> str:
    interval = "" if estimate.low is None else f", 95 % interval {estimate.low:.3f} to {estimate.high:.3f}"
    return f"mean {estimate.mean:.3f}{interval}, n = {estimate.n}"


def stacked_bars(title: str, counts: Mapping[str, Sequence[int]], names: Sequence[str], shades: Sequence[str]) -> str:
    """A bar per row, divided as its counts are; every row has the same length. counts: {row: a count per name}."""
    parts = []
    for index, (row, values) in enumerate(counts.items()):
        y, x, total = ROW * index + 4, float(LEFT), sum(values)
        parts.append(_label(row, y + 12))
        for name, shade, value in zip(names, shades, values):
            width = WIDTH * value / total if total else 0.0
            label = html.escape(f"{row}: {name}, {value} of {total}")
            parts.append(
                f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 8}" fill="{shade}"><title>{label}</title></rect>'
            )
            if width > 24:
                parts.append(
                    f'<text class="inside" x="{x + width / 2:.1f}" y="{y + 16}" text-anchor="middle">{value}</text>'
                )
            x += width
    legend, x = "", float(LEFT)
    for name, shade in zip(names, shades):
        y = ROW * len(counts) + 12
        legend += f'<rect x="{x:.0f}" y="{y}" width="10" height="10" fill="{shade}"/><text x="{x + 14:.0f}" y="{y + 9}">{html.escape(name)}</text>'
        x += 34 + 6.6 * len(name)
    return _figure(title, "".join(parts) + legend, ROW * len(counts) + 28) if counts else ""


def cloud(
    title: str,
    points: Sequence[tuple[str, str, float, float]],
    titles: Mapping[str, str],
    x_label: str,
    y_label: str,
    height: float = 220,
) -> str:
    """A dot per point on linear axes, coloured by system, with a legend. points: (system, label, x, y)."""
    if not points:
        return ""
    across, x_ticks = _axis(min(p[2] for p in points), max(p[2] for p in points))
    low, high = min(p[3] for p in points), max(p[3] for p in points)
    margin = 0.1 * (high - low) or 0.1
    systems = list(dict.fromkeys(point[0] for point in points))
    colour = colours(systems)

    def down(value: float) -> float:
        return height * (1 - (value - low + margin) / (high - low + 2 * margin))

    parts = [_grid(across, x_ticks, height)]
    for value in (low, (low + high) / 2, high):
        parts.append(f'<text x="{LEFT - 10}" y="{down(value) + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    for system, label, x, y in points:
        note = html.escape(f"{titles[system]}, {label}: {x:.3g}, {y:.3g}")
        parts.append(
            f'<circle cx="{across(x):.1f}" cy="{down(y):.1f}" r="4" fill="{colour[system]}" fill-opacity="0.7"><title>{note}</title></circle>'
        )
    for index, system in enumerate(systems):
        parts.append(
            f'<circle cx="8" cy="{34 + 18 * index}" r="4" fill="{colour[system]}"/>'
            f'<text x="18" y="{38 + 18 * index}">{html.escape(titles[system])}</text>'
        )
    parts.append(f'<text class="axis" x="4" y="12">{html.escape(y_label)}</text>')
    parts.append(
        f'<text class="axis" x="{LEFT + WIDTH / 2}" y="{height + 38}" text-anchor="middle">{html.escape(x_label)}</text>'
    )
    return _figure(title, "".join(parts), height + 46)


def scatter(
    title: str, points: Mapping[str, tuple[float, float]], titles: Mapping[str, str], x_label: str, y_label: str
) -> str:
    """A labelled point per system; x on a logarithmic scale. points: {system: (x, y)}."""
    if not points:
        return ""
    xs, ys = zip(*points.values())
    across, x_ticks = _axis(math.log10(min(xs)), math.log10(max(xs)))
    height = 240
    low, high = min(ys), max(ys)
    margin = 0.1 * (high - low) or 0.1
    colour = colours(list(points))

    def down(value: float) -> float:
        return height * (1 - (value - low + margin) / (high - low + 2 * margin))

    parts = [_grid(across, x_ticks, height, lambda value: f"{10**value:.3g}")]
    for value in (low, (low + high) / 2, high):
        parts.append(f'<text x="{LEFT - 10}" y="{down(value) + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    for system, (x, y) in points.items():
        cx, cy = across(math.log10(x)), down(y)
        anchor, shift = ("end", -9) if cx > LEFT + 0.6 * WIDTH else ("start", 9)
        parts.append(
            f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="6" fill="{colour[system]}"/><text x="{cx + shift:.1f}" y="{cy + 4:.1f}" '
            f'text-anchor="{anchor}">{html.escape(titles[system])}</text>'
        )
    axes = (
        f'<text class="axis" x="{LEFT + WIDTH / 2}" y="{height + 38}" text-anchor="middle">{html.escape(x_label)}</text>'
        f'<text class="axis" x="14" y="12">{html.escape(y_label)}</text>'
    )
    return _figure(title, "".join(parts) + axes, height + 46)


def _axis(low: float, high: float):
    """A function from values to pixels, and round values to mark."""
    span = high - low or abs(high) or 1.0
    low, high = low - 0.04 * span, high + 0.04 * span
    step = 10 ** math.floor(math.log10(span / 3))
    step *= next((factor for factor in (1, 2, 5) if span / (step * factor) <= 6), 10)
    first = math.ceil(low / step)
    ticks = [index * step for index in range(first, math.floor(high / step) + 1)]
    return (lambda value: LEFT + WIDTH * (value - low) / (high - low)), ticks


def _grid(scale, ticks: Sequence[float], height: float, text=lambda value: f"{value:.4g}".replace("-", "−")) -> str:
    return "".join(
        f'<line class="grid" x1="{scale(tick):.1f}" x2="{scale(tick):.1f}" y1="0" y2="{height}"/>'
        f'<text x="{scale(tick):.1f}" y="{height + 18}" text-anchor="middle">{text(tick)}</text>'
        for tick in ticks
    )


def _figure(title: str, content: str, height: float) -> str:
    return (
        f'<figure class="chart"><figcaption>{html.escape(title)}</figcaption><svg viewBox="0 0 {LEFT + WIDTH + 20} {height}" role="img" '
        f'aria-label="{html.escape(title)}">{content}</svg></figure>'
    )
