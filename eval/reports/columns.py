"""Columns of tables of metrics, and the groups in which they are shown: of the page, and of files to send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval.metrics.metric import LEVEL, OPINION, PITCH, SPECTRAL, STABILITY
from eval.metrics.registry import METRICS

ARROWS = {
    "lower": ("↓", "lower is better"),
    "higher": ("↑", "higher is better"),
    "nearest 0": ("→ 0", "nearest to 0 is best"),
}
GROUP_TITLES = {
    SPECTRAL: "Spectrum",
    PITCH: "Pitch",
    STABILITY: "Held notes",
    LEVEL: "Level",
    OPINION: "Predicted opinion",
}
SPEED = "Speed"
OVERVIEW = ("M-STFT", "F0 error", "F0 jitter", "hop buzz", "Distill-MOS", "speed")  # columns that are shown at first
MIN_CHOSEN_COLUMNS = 6  # a table with fewer shows all of them
MIN_OVERVIEW = 3  # and so does one that has fewer of `OVERVIEW`


@dataclass(frozen=True)
class Column:
    """One metric of a table, with its explanation. group: title of the group of columns that it is shown with."""

    title: str
    unit: str
    better: str  # a key of `ARROWS`, or "" where nothing is better
    about: str
    group: str
    note: str = ""  # what else holds for its numbers here, such as of how many clips they are

    @property
    def views(self) -> str:
        """Names of the views of the table that show this column, apart from the one that shows all."""
        return f"overview {_name(self.group)}" if self.title in OVERVIEW else _name(self.group)

    @property
    def direction(self) -> tuple[str, str] | None:
        """(arrow, its meaning); None where nothing is better."""
        return ARROWS.get(self.better)


def column_of(metric: str, note: str = "") -> Column:
    """The column of a metric, by its name."""
    m = METRICS[metric]
    return Column(m.name, m.unit, m.better, m.about, GROUP_TITLES[m.group], note)


def views_of(columns: Sequence[Column]) -> dict[str, str]:
    """{name of a view: its title} of a table with these columns; none where all of them can be shown at once."""
    if len(columns) < MIN_CHOSEN_COLUMNS or sum(c.title in OVERVIEW for c in columns) < MIN_OVERVIEW:
        return {}
    return {"overview": "Overview", **{_name(c.group): c.group for c in columns}, "all": "All"}


def _name(group: str) -> str:
    return group.lower().replace(" ", "-")
