"""A curve over the whole width of the page: SVG that is stretched, between axes in HTML that are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval.reports.svg import Drawing


@dataclass(frozen=True)
class Curve:
    """The content of `ui/templates/curve.html`. levels: (pixels from the top, text); ticks: (percent from the left, text);
    none below a curve that has no axis, and () below one that the player labels.

    timed: its width is the clip of the page's player, whose playhead it shows.
    """

    drawing: Drawing
    levels: Sequence[tuple[float, str]]
    ticks: Sequence[tuple[float, str]] | None = None
    boxed: bool = False
    timed: bool = False
