"""Numbers of a study's results as the cells of HTML tables."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import fields

from eval.compare.intervals import Estimate


class Names(dict):
    """{system id: title}; an id without a title stands for itself."""

    def __missing__(self, key: str) -> str:
        return key


def plain_estimate(content: Mapping | None) -> Estimate | None:
    """An `Estimate` from its stored fields, and from none that a subclass adds; None for one without a mean."""
    if content is None or content["mean"] is None:
        return None
    return Estimate(**{field.name: content[field.name] for field in fields(Estimate)})


def interval_cell(content: Mapping, digits: int = 2, signed: bool = False) -> str:
    """HTML: the mean, its interval in brackets, its note. signed: a plus before positive numbers."""
    if content["mean"] is None:
        return "n/a"
    form = f"{{:{'+' if signed else ''}.{digits}f}}"
    text = form.format(content["mean"])
    if content["low"] is not None:
        high = "∞" if content["high"] is None else form.format(content["high"])
        text += f"<small>[{form.format(content['low'])}, {high}]</small>"
    if content.get("note"):
        text += f"<small>{html.escape(content['note'])}</small>"
    return text.replace("-", "−")


def number_cell(value: float | None) -> str:
    """Two digits, with a typographic minus."""
    return "n/a" if value is None else f"{value:.2f}".replace("-", "−")


def share_cell(content: Mapping) -> str:
    """HTML: the share in percent, its interval in brackets."""
    if content["mean"] is None:
        return "n/a"
    text = f"{content['mean']:.0%}"
    return text if content["low"] is None else f"{text}<small>[{content['low']:.0%}, {content['high']:.0%}]</small>"


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """head and rows: cells in HTML; the first cell of a row is its heading."""
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>' for first, *rest in rows
    )
    columns = "".join(f'<th scope="col">{title}</th>' for title in head)
    return (
        f'<div class="scroll" tabindex="0"><table><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table></div>'
    )
