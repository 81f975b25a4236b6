"""The outcome of a study as data: the headings, notes, tables and charts in which a report shows it, without any markup.

Systems are given by their ids; the report writes their titles. `kind` tells a template what it is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

BAD, GOOD, NEUTRAL = 0.25, 1.0, None  # tones of the two sides of a comparison, and of neither


@dataclass(frozen=True)
class Systems:
    """A label made of the titles of one system, or of two with something in between."""

    kind: ClassVar[str] = "systems"
    ids: tuple[str, ...]
    between: str = " / "


@dataclass(frozen=True)
class IntervalCell:
    """content: the stored fields of an `Estimate`; signed: a plus before positive numbers."""

    kind: ClassVar[str] = "interval"
    content: Mapping
    digits: int = 2
    signed: bool = False


@dataclass(frozen=True)
class ShareCell:
    """content: the stored fields of an `Estimate` between 0 and 1, shown in percent."""

    kind: ClassVar[str] = "share"
    content: Mapping


@dataclass(frozen=True)
class PCell:
    """A p value; None where nothing was tested."""

    kind: ClassVar[str] = "p"
    value: float | None

    @property
    def text(self) -> str:
        return "n/a" if self.value is None else "< 0.001" if self.value < 0.001 else f"{self.value:.3f}"


@dataclass(frozen=True)
class NumberCell:
    """A number with two decimals; None where it is undefined."""

    kind: ClassVar[str] = "number"
    value: float | None


Cell = str | int | Systems | IntervalCell | ShareCell | PCell | NumberCell


@dataclass(frozen=True)
class Heading:
    """Above the blocks that belong together."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True)
class Paragraph:
    """note: how the numbers above it were made, in small type."""

    kind: ClassVar[str] = "paragraph"
    text: str
    note: bool = False


@dataclass(frozen=True)
class Table:
    """The first cell of a row is its heading."""

    kind: ClassVar[str] = "table"
    head: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]


@dataclass(frozen=True)
class Strip:
    """A row of a strip plot. dots: {name: value}; mean: the stored fields of an `Estimate`."""

    label: Systems
    dots: Mapping[str, float]
    mean: Mapping


@dataclass(frozen=True)
class StripPlot:
    """marked: a value to draw a line at, such as what chance gives."""

    kind: ClassVar[str] = "strips"
    title: str
    rows: Sequence[Strip]
    marked: float | None = None


@dataclass(frozen=True)
class StackedBars:
    """rows: a label and a count per name. tones: of each name from 0 (worst) to 1 (best), None for neither."""

    kind: ClassVar[str] = "bars"
    title: str
    rows: Sequence[tuple[Systems, Sequence[int]]]
    names: tuple[str, ...]
    tones: tuple[float | None, ...]


Block = Heading | Paragraph | Table | StripPlot | StackedBars


def better_first(pair: Mapping) -> Mapping:
    """A stored paired difference in the order in which it is not negative."""
    if (pair["difference"]["mean"] or 0) >= 0:
        return pair
    turned = {name: _negative(pair[name]) for name in ("difference", "adjusted")}
    return {**pair, "first": pair["second"], "second": pair["first"], **turned}


def _negative(found: Mapping) -> Mapping:
    low, high = (None if found[end] is None else -found[end] for end in ("high", "low"))
    return {**found, "mean": -found["mean"], "low": low, "high": high}


NONE_LEFT = "no votes left"


def shown_votes(results: Mapping) -> tuple[Mapping, str]:
    """The analysis that charts show, and of which votes it is: those that screening keeps, where it keeps any."""
    if results["after"]:
        return results["after"], "after screening"
    return results["before"], "before screening: none are left after it"


def reliability_blocks(found: Mapping, digits: int) -> list[Block]:
    """found: an analysis with `alpha` and `consistency`."""
    again = found["consistency"]
    rows: list[tuple[Cell, ...]] = [
        ("Krippendorff's alpha between raters", NumberCell(found["alpha"]), "1: agreement, 0: chance")
    ]
    if again["repeats"] and "slot_effect" not in found:
        rows.append(("Same answer when asked again", f"{again['identical']:.0%}", f"{again['repeats']} repeats"))
    if again["difference"] is not None:
        about = f"points on average, {again['repeats']} repeats"
        rows.append(("Difference when asked again", f"{again['difference']:.{digits}f}", about))
    return [Heading("How steady the answers are"), Table(("", "", ""), rows)]
