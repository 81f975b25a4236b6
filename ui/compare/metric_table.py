"""The metric table and the table of levels."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from eval.compare.mel import MEL_ERROR
from eval.compare.recording import Output
from eval.metrics.alignment import Alignment
from eval.metrics.loudness import Level
from eval.metrics.metric import LEVEL, OPINION, PITCH, SPECTRAL, STABILITY
from eval.metrics.registry import METRICS
from ui.markup import fill

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


@dataclass(frozen=True)
class Column:
    """One metric of the table, with its explanation. group: title of the group of columns that it is shown with."""

    title: str
    unit: str
    better: str  # a key of `ARROWS`
    about: str
    group: str
    value: Callable[[Output], float | None]  # None: not measured yet; nan: undefined
    digits: int = 3

    @property
    def views(self) -> str:
        """Names of the views of the table that show this column, apart from the one that shows all."""
        return f"overview {_name(self.group)}" if self.title in OVERVIEW else _name(self.group)


def _name(group: str) -> str:
    return group.lower().replace(" ", "-")


def _digits(unit: str) -> int:
    """Behind the point: as many as may mean something."""
    return 1 if unit in ("dB", "%", "LU") else 3


def _measured(metric: str, output: Output) -> float | None:
    value = output.metrics.get(metric)
    return math.nan if value is None and metric in output.metrics else value


FIRST_RUN = (
    "Front end and vocoder, without the loading of weights, timed when the system first made this recording here: with whatever the "
    "machine did beside it, cold where nothing had used the system before; comparing again does not time it anew"
)
SPEED_COLUMNS = (
    Column("computing", "s, first run", "lower", FIRST_RUN, SPEED, lambda t: t.compute_seconds, 2),
    Column(
        "speed",
        "× real time, first run",
        "higher",
        "Seconds of audio per second of computing, of that first run",
        SPEED,
        lambda t: t.real_time_factor,
        1,
    ),
)
MEL_COLUMN = Column(
    MEL_ERROR,
    "Np",
    "lower",
    "Mean error of the output’s log mel against the mel that was given, in its own recipe",
    GROUP_TITLES[SPECTRAL],
    functools.partial(_measured, MEL_ERROR),
)


def measured_columns() -> tuple[Column, ...]:
    """A column for every metric that is measured here unasked: asked anew each time, as packages may be added."""
    return tuple(column_of(name) for name, m in METRICS.items() if not m.on_request and not m.why_not())


def column_of(metric: str) -> Column:
    """The column of a metric, by its name."""
    m = METRICS[metric]
    value = functools.partial(_measured, metric)
    return Column(m.name, m.unit, m.better, m.about, GROUP_TITLES[m.group], value, _digits(m.unit))


def views_of(columns: Sequence[Column]) -> dict[str, str]:
    """{name of a view: its title} of a table with these columns; none where all of them can be shown at once."""
    if len(columns) < MIN_CHOSEN_COLUMNS:
        return {}
    return {"overview": "Overview", **{_name(c.group): c.group for c in columns}, "all": "All"}


def metric_table(outputs: Sequence[Output], explained: bool = True) -> str:
    """HTML: one row per system of a recording, see `_table`. explained: says below it what each system is."""
    return _table(outputs, (*measured_columns(), *SPEED_COLUMNS), explained, from_mel=False)


def mel_error_table(outputs: Sequence[Output]) -> str:
    """HTML: one row per system of a mel without a recording."""
    return _table(outputs, (MEL_COLUMN, *SPEED_COLUMNS), explained=True, from_mel=True)


def _table(outputs: Sequence[Output], columns: Sequence[Column], explained: bool, from_mel: bool) -> str:
    """The best of the mel vocoders is marked in every column.

    A system that is given more than a mel is a bound: it is shown, and never marked as best.
    """
    if not outputs:
        return ""
    contenders = [output for output in outputs if not _is_bound(output)]
    best = [_best(column, contenders) for column in columns]
    rows = [(output.system, [_cell(column, output, top) for column, top in zip(columns, best)]) for output in outputs]
    return fill(
        "compare/templates/metric_table.html",
        columns=columns,
        arrows=ARROWS,
        rows=rows,
        from_mel=from_mel,
        explained=explained,
        views=views_of(columns),
        passed=_passed_bounds(columns, outputs),
    )


def _is_bound(output: Output) -> bool:
    return output.system.mel == "none"


def _passed_bounds(columns: Sequence[Column], outputs: Sequence[Output]) -> list[tuple[str, list[str]]]:
    """(title of a bound, titles of the columns in which a mel vocoder is better), for the bounds of which there are any."""
    contenders = [output for output in outputs if not _is_bound(output)]
    found = []
    for bound in filter(_is_bound, outputs):
        passed = [
            column.title
            for column in columns
            if column.group != SPEED and any(_is_better(column, output, bound) for output in contenders)
        ]
        if passed:
            found.append((bound.system.title, passed))
    return found


def _is_better(column: Column, output: Output, other: Output) -> bool:
    a, b = column.value(output), column.value(other)
    if a is None or b is None or not (math.isfinite(a) and math.isfinite(b)) or a == b:
        return False
    return bool(_best_of(column, (a, b)) == a)


def _best(column: Column, outputs: Sequence[Output]) -> float:
    values = [value for output in outputs if (value := column.value(output)) is not None and math.isfinite(value)]
    return _best_of(column, values) if len(values) >= 2 else math.nan


def _best_of(column: Column, values: Sequence[float]) -> float:
    if column.better == "nearest 0":
        return min(values, key=abs)
    return min(values) if column.better == "lower" else max(values)


def _cell(column: Column, output: Output, best: float) -> dict[str, object]:
    """worst: (start, stop) in seconds of the second in which it is worst, where that is known."""
    value = column.value(output)
    return {
        "column": column,
        "value": value,
        "best": value == best and not _is_bound(output),
        "worst": output.worst.get(column.title),
    }


def level_table(
    titles: Mapping[str, str],
    levels: Mapping[str, Level],
    clipped: Mapping[str, int],
    alignments: Mapping[str, Alignment | None],
) -> str:
    """HTML: what loudness matching does to every output, and how it lies in time. `titles` gives order and names by id."""
    rows = [
        (key, title, levels[key], clipped.get(key, 0), alignments.get(key))
        for key, title in titles.items()
        if key in levels
    ]
    return fill("compare/templates/level_table.html", rows=rows)
