"""The parts of every chart: scales with round ticks, shapes with tooltips, lines, and the colours of systems."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from xml.etree import ElementTree

PALETTE = ("#0f9d76", "#3b6fd4", "#c2410c", "#8b5cf6", "#b58900", "#0891b2", "#be185d", "#65a30d", "#64748b")
MAX_INTERVALS = 6.48  # between ticks: 6 over the data, and the two margins of 4 % around them


K = TypeVar("K", bound=Hashable)  # a row or point: the id of a system, or several


def colours(systems: Sequence[K]) -> dict[K, str]:
    """{system: a colour that every other chart of the same systems gives it too}."""
    return {system: PALETTE[index % len(PALETTE)] for index, system in enumerate(systems)}


@dataclass(frozen=True)
class Scale:
    """A linear map from values to pixels: `low` lies at `start`, `high` at `stop`. Works on arrays as well."""

    low: float
    high: float
    start: float
    stop: float

    @classmethod
    def around(cls, values: Iterable[float], start: float, stop: float, margin: float = 0.04) -> Scale:
        """Of all values, with a margin at both ends, as a share of their span."""
        values = list(values)
        low, high = min(values), max(values)
        around = margin * (high - low or abs(high) or 1.0)
        return cls(low - around, high + around, start, stop)

    def __call__(self, value):
        """The pixel of a value."""
        return self.start + (self.stop - self.start) * (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Multiples of 1, 2 or 5 times a power of ten within the range: three to seven of them."""
        least = (self.high - self.low) / MAX_INTERVALS
        decade = 10 ** math.floor(math.log10(least))
        step = decade * next(factor for factor in (1, 2, 5, 10) if factor * decade >= least)
        return [index * step for index in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]


def line(points: Iterable[tuple[float, float]]) -> str:
    """(x, y) in pixels -> the `d` of a path from one to the next."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def share(percent: float) -> str:
    """A place or length across a fluid drawing, in percent of its width."""
    return f"{percent:.2f}%"


class Drawing:
    """An SVG picture, made of shapes in the order in which they are added. Templates insert it as it is."""

    def __init__(self, width: float, height: float, label: str, stretched: bool = False, kind: str = "") -> None:
        """label: its text for those who cannot see it. stretched: it takes all the width there is, `height` pixels high. kind: its
        class."""
        self.label = label
        self.legend: list[tuple[str, str]] = []  # (colour, its meaning), for the page to show below
        box = {"viewBox": f"0 0 {width} {height}", "role": "img", "aria-label": label}
        stretch = {"preserveAspectRatio": "none", "style": f"height:{height}px"} if stretched else {}
        self._svg = ElementTree.Element("svg", box | stretch | ({"class": kind} if kind else {}))

    @classmethod
    def fluid(cls, height: float, label: str, kind: str = "") -> Drawing:
        """One that takes all the width there is without being stretched: places across it are shares (`share`), texts have
        the size that the page gives them."""
        drawing = cls(100, height, label, kind=f"fluid {kind}".strip())
        del drawing._svg.attrib["viewBox"]
        drawing._svg.attrib |= {"width": "100%", "height": f"{height:g}"}
        return drawing

    def add(self, shape: str, text: str = "", tooltip: str = "", **attributes: object) -> None:
        """attributes: SVG's, with _ for -, `kind` for the class; floats are rounded to a tenth of a pixel."""
        element = ElementTree.SubElement(self._svg, shape, _written(attributes))
        element.text = text
        if tooltip:
            ElementTree.SubElement(element, "title").text = tooltip

    def __html__(self) -> str:
        return ElementTree.tostring(self._svg, encoding="unicode", short_empty_elements=False)


def _written(attributes: dict[str, object]) -> dict[str, str]:
    return {
        "class" if name == "kind" else name.replace("_", "-"): str(v) if isinstance(v, str | int) else f"{v:.1f}"
        for name, v in attributes.items()
    }
