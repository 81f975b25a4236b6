"""The outcome of a study, which its task gives as data, in HTML."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from eval.listening.tasks.outcome import (
    Block,
    Cell,
    Heading,
    IntervalCell,
    NumberCell,
    Paragraph,
    PCell,
    ShareCell,
    StackedBars,
    StripPlot,
    Systems,
    Table,
)
from eval.reports.charts import stacked_bars, strip_plot
from eval.reports.study_cells import Names, html_table, interval_cell, number_cell, plain_estimate, share_cell

SHADES = ("#b3362b", "#d9822b", "#8c8c5a", "#3f8f7a", "#0f6d5a")  # from bad to excellent
NEUTRAL_SHADE = "#8a9691"


def outcome_html(blocks: Sequence[Block], names: Names) -> str:
    """names: titles of the systems."""
    return "".join(_block(block, names) for block in blocks)


def _block(block: Block, names: Names) -> str:
    match block:
        case Heading(text):
            return f"<h3>{html.escape(text)}</h3>"
        case Paragraph(text, note):
            opening = '<p class="note">' if note else "<p>"
            return f"{opening}{html.escape(text)}</p>"
        case Table(head, rows):
            cells = [[cell_html(cell, names) for cell in row] for row in rows]
            return html_table([cell_html(title, names) for title in head], cells)
        case StripPlot(title, rows, marked):
            dots = {row.label: row.dots for row in rows}
            means = {row.label: plain_estimate(row.mean) for row in rows}
            return strip_plot(title, dots, means, {row.label: label_text(row.label, names) for row in rows}, marked)
        case StackedBars(title, rows, categories, tones):
            counts = {label_text(label, names): values for label, values in rows}
            return stacked_bars(title, counts, categories, [shade(tone) for tone in tones])


def cell_html(cell: Cell, names: Names) -> str:
    """The content of a table's cell."""
    match cell:
        case Systems():
            return html.escape(label_text(cell, names))
        case IntervalCell(content, digits, signed):
            return interval_cell(content, digits, signed)
        case ShareCell(content):
            return share_cell(content)
        case PCell():
            return html.escape(cell.text)
        case NumberCell(value):
            return number_cell(value)
    return html.escape(str(cell), quote=False)


def label_text(label: Systems, names: Names) -> str:
    return label.between.join(names[system] for system in label.ids)


def shade(tone: float | None) -> str:
    """The colour of a tone from 0 (bad) to 1 (excellent), between the nearest of `SHADES`; None is neither."""
    if tone is None:
        return NEUTRAL_SHADE
    places = np.linspace(0, 1, len(SHADES))
    colours = np.array([[int(one[k : k + 2], 16) for k in (1, 3, 5)] for one in SHADES])
    return "#" + "".join(f"{round(np.interp(tone, places, channel)):02x}" for channel in colours.T)
