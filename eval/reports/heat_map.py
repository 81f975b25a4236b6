"""A table of numbers as shades: raters by clips."""

from __future__ import annotations

from collections.abc import Sequence

from eval.reports.svg import PALETTE, Drawing, share

LEFT, MAX_COLUMN = 22.0, 7.0  # percent of the width: names of rows, and the most for a column
ROW = 18  # pixels: the height of a row
_TOP, _BELOW = 6, 20
_STEPS = 5  # of the legend
_LEAST = 0.06  # opacity of the lowest value: a cell without a value has none


def heat_map(
    title: str, rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[float | None]], digits: int = 2
) -> Drawing | None:
    """A row per name in `rows`; the darker, the higher. values: (rows, columns). None where there is no value at all."""
    every = [value for row in values for value in row if value is not None]
    if not every:
        return None
    low, high = min(every), max(every)
    width = min(MAX_COLUMN, (100 - LEFT) / len(columns))
    bottom = _TOP + ROW * len(rows)
    chart = Drawing.fluid(bottom + _BELOW, title)
    for index, (name, row) in enumerate(zip(rows, values)):
        y = _TOP + ROW * index
        chart.add("text", name, x=share(LEFT), dx=-8, y=y + ROW - 5, text_anchor="end")
        for place, (column, value) in enumerate(zip(columns, row)):
            tooltip = f"{name}, {column}: {'no vote' if value is None else f'{value:.{digits}f}'}"
            opacity = 0.0 if value is None else _opacity(value, low, high)
            chart.add(
                "rect",
                tooltip=tooltip,
                kind="grid",
                fill=PALETTE[1],
                fill_opacity=f"{opacity:.2f}",
                x=share(LEFT + width * place),
                y=y,
                width=share(width),
                height=ROW - 1,
            )
    for place, number in enumerate(_numbers(len(columns))):
        if number:
            chart.add("text", number, x=share(LEFT + width * (place + 0.5)), y=bottom + 14, text_anchor="middle")
    chart.legend = _legend(low, high, digits)
    return chart


def _opacity(value: float, low: float, high: float) -> float:
    return _LEAST + (1 - _LEAST) * ((value - low) / (high - low) if high > low else 0.5)


def _numbers(columns: int) -> list[str]:
    """Of the clips, from 1; every fifth where there are many."""
    step = 1 if columns <= 20 else 5
    return [str(k) if k == 1 or k % step == 0 else "" for k in range(1, columns + 1)]


def _legend(low: float, high: float, digits: int) -> list[tuple[str, str]]:
    steps = [low + (high - low) * k / (_STEPS - 1) for k in range(_STEPS)]
    shades = (f"color-mix(in srgb, {PALETTE[1]} {_opacity(value, low, high):.0%}, transparent)" for value in steps)
    return [(shade, f"{value:.{digits}f}") for shade, value in zip(shades, steps)]
