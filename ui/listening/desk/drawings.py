"""Two small pictures of a study's progress: answers an hour, and how many raters came to each step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from eval.reports.svg import PALETTE, Drawing, Scale, line

WIDTH, HEIGHT = 420, 96  # pixels of the plot
_LEFT, _TOP, _BELOW = 34, 10, 22


def hourly_drawing(hourly: Sequence[tuple[int, int]]) -> Drawing | None:
    """A bar per hour. hourly: (hour since 1970, answers); None where there is no answer."""
    most = max((count for _, count in hourly), default=0)
    if not most:
        return None
    chart = _chart(f"Answers an hour, at most {most}; the last {len(hourly)} h, UTC")
    up, width = Scale(0, most, HEIGHT, _TOP), WIDTH / len(hourly)
    for index, (hour, count) in enumerate(hourly):
        when = datetime.fromtimestamp(3600 * hour, timezone.utc)
        x: float = _LEFT + index * width
        chart.add(
            "rect",
            tooltip=f"{when:%d %b, %H:00}: {count}",
            x=x,
            y=up(count),
            width=max(width - 1, 0.5),
            height=HEIGHT - up(count),
            fill=PALETTE[0],
        )
        if index in (0, len(hourly) - 1):
            anchor, place = ("start", x) if index == 0 else ("end", x + width)
            chart.add("text", f"{when:%d %b %H:00}", x=place, y=HEIGHT + 16, text_anchor=anchor)
    _up(chart, up, most)
    return chart


def funnel_drawing(reached: Sequence[tuple[str, int]]) -> Drawing | None:
    """A falling line of steps. reached: (step, raters who came to it); None before the first rater."""
    most = max((count for _, count in reached), default=0)
    if not most:
        return None
    chart = _chart("Raters who came to each step")
    up, across = Scale(0, most, HEIGHT, _TOP), Scale(0, len(reached), _LEFT, _LEFT + WIDTH)
    corners: list[tuple[float, float]] = [
        (across(k + side), up(count)) for k, (_, count) in enumerate(reached) for side in (0, 1)
    ]
    area = [(_LEFT, HEIGHT), *corners, (_LEFT + WIDTH, HEIGHT)]
    chart.add("path", d=line(area) + "Z", fill=PALETTE[1], fill_opacity=0.25)
    chart.add("path", d=line(corners), fill="none", stroke=PALETTE[1], stroke_width=2)
    for k, (step, count) in enumerate(reached):
        width = float(across(k + 1) - across(k))
        chart.add(
            "rect",
            tooltip=f"{step}: {count} of {most}",
            x=across(k),
            y=0,
            width=width,
            height=HEIGHT,
            fill="#000",
            fill_opacity=0.0,
        )
    for text, anchor, place in _marked([step for step, _ in reached]):
        chart.add("text", text, x=across(place), y=HEIGHT + 16, text_anchor=anchor)
    _up(chart, up, most)
    return chart


def _marked(steps: Sequence[str]) -> list[tuple[str, str, float]]:
    """(text, anchor, place) below the axis: the first step, the first trial, the end."""
    first = next((k for k, step in enumerate(steps) if step.startswith("trial")), len(steps) - 1)
    return [("set up", "start", 0), ("trials", "start", first), ("done", "end", len(steps))]


def _chart(label: str) -> Drawing:
    return Drawing(_LEFT + WIDTH + 6, HEIGHT + _BELOW, label)


def _up(chart: Drawing, up: Scale, most: int) -> None:
    for value in (0, most):
        chart.add("text", str(value), x=_LEFT - 6, y=up(value) + 4, text_anchor="end")
        chart.add("line", kind="grid", x1=_LEFT, x2=_LEFT + WIDTH, y1=up(value), y2=up(value))
