"""Small charts as inline SVG: they scale, take their colours from the page, and every point says what it is."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence

from eval.statistics import Estimate

PALETTE = ("#0f9d76", "#3b6fd4", "#c2410c", "#8b5cf6", "#b58900", "#0891b2", "#be185d", "#65a30d", "#64748b")
LEFT, WIDTH, ROW = 230, 620, 30  # pixels: labels, the plot itself, and the height of a row


def colours(systems: Sequence[str]) -> dict[str, str]:
    return {system: PALETTE[index % len(PALETTE)] for index, system in enumerate(systems)}


def strip_plot(
    title: str,
    values: Mapping[str, Mapping[str, float]],
    means: Mapping[str, Estimate | None],
    titles: Mapping[str, str],
) -> str:
    """A row per system: a dot per clip, a bar for the mean and its interval. values: {system: {clip: value}}."""
    every = [value for clips in values.values() for value in clips.values()]
    if not every:
        return ""
    scale, ticks = _axis(min(every), max(every))
    colour, height = colours(list(values)), ROW * len(values)
    parts = [_grid(scale, ticks, height)]
    for index, (system, clips) in enumerate(values.items()):
        middle = ROW * index + ROW / 2
        parts.append(f'<text x="{LEFT - 10}" y="{middle + 4}" text-anchor="end">{html.escape(titles[system])}</text>')
        for number, (clip, value) in enumerate(clips.items()):
            y = middle + (number * 7 % 11 - 5)  # spread a little, so that dots do not hide each other
            label = html.escape(f"{clip}: {value:.3f}")
            parts.append(
                f'<circle cx="{scale(value):.1f}" cy="{y:.1f}" r="3.2" fill="{colour[system]}" fill-opacity="0.5"><title>{label}</title></circle>'
            )
        parts.append(_mean(means.get(system), scale, middle))
    return _figure(title, "".join(parts), height + 26)


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


def _grid(scale, ticks: Sequence[float], height: float, text=lambda value: f"{value:.4g}") -> str:
    return "".join(
        f'<line class="grid" x1="{scale(tick):.1f}" x2="{scale(tick):.1f}" y1="0" y2="{height}"/>'
        f'<text x="{scale(tick):.1f}" y="{height + 18}" text-anchor="middle">{text(tick)}</text>'
        for tick in ticks
    )


def _figure(title: str, content: str, height: float) -> str:
    return (
        f'<figure><figcaption>{html.escape(title)}</figcaption><svg viewBox="0 0 {LEFT + WIDTH + 20} {height}" role="img" '
        f'aria-label="{html.escape(title)}">{content}</svg></figure>'
    )
