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
from eval.metrics.registry import METRICS
from ui.markup import fill

ARROWS = {
    "lower": ("↓", "lower is better"),
    "higher": ("↑", "higher is better"),
    "nearest 0": ("→ 0", "nearest to 0 is best"),
}


@dataclass(frozen=True)
class Column:
    title: str
    unit: str
    better: str  # a key of `ARROWS`
    about: str
    value: Callable[[Output], float | None]  # None: not measured yet; nan: undefined
    digits: int = 3


def _digits(unit: str) -> int:
    """Behind the point: as many as may mean something."""
    return 1 if unit in ("dB", "%", "LU") else 3


def _measured(metric: str, output: Output) -> float | None:
    value = output.metrics.get(metric)
    return math.nan if value is None and metric in output.metrics else value


COLUMNS = (
    *(
        Column(m.name, m.unit, m.better, m.about, functools.partial(_measured, m.name), _digits(m.unit))
        for m in METRICS.values()
        if not m.on_request and not m.why_not()
    ),
    Column("computing", "s", "lower", "Front end and vocoder, once, on this machine", lambda t: t.compute_seconds, 2),
    Column(
        "speed", "× real time", "higher", "Seconds of audio per second of computing", lambda t: t.real_time_factor, 1
    ),
)


MEL_COLUMNS = (
    Column(
        MEL_ERROR,
        "Np",
        "lower",
        "Mean error of the take’s log mel against the mel that was given, in its own recipe",
        functools.partial(_measured, MEL_ERROR),
    ),
    *COLUMNS[-2:],
)


def metric_table(takes: Sequence[Output]) -> str:
    """HTML: one row per system of a recording, see `_table`."""
    return _table(takes, COLUMNS, from_mel=False)


def mel_error_table(takes: Sequence[Output]) -> str:
    """HTML: one row per system of a mel without a recording."""
    return _table(takes, MEL_COLUMNS, from_mel=True)


def _table(takes: Sequence[Output], columns: Sequence[Column], from_mel: bool) -> str:
    """The best of the mel vocoders is marked in every column.

    A system that is given more than a mel competes with nobody: it is shown, and never marked.
    """
    if not takes:
        return ""
    contenders = [take for take in takes if take.system.mel != "none"]
    best = [_best(column, contenders) for column in columns]
    rows = [(take.system, [_cell(column, take, top) for column, top in zip(columns, best)]) for take in takes]
    return fill("compare/templates/metric_table.html", columns=columns, arrows=ARROWS, rows=rows, from_mel=from_mel)


def _best(column: Column, takes: Sequence[Output]) -> float:
    values = [value for take in takes if (value := column.value(take)) is not None and math.isfinite(value)]
    if len(values) < 2:
        return math.nan
    if column.better == "nearest 0":
        return min(values, key=abs)
    return min(values) if column.better == "lower" else max(values)


def _cell(column: Column, take: Output, best: float) -> dict[str, object]:
    """worst: (start, stop) in seconds of the second in which it is worst, where that is known."""
    value = column.value(take)
    return {
        "column": column,
        "value": value,
        "best": value == best and take.system.mel != "none",
        "worst": take.worst.get(column.title),
    }


def level_table(
    titles: Mapping[str, str],
    levels: Mapping[str, Level],
    clipped: Mapping[str, int],
    alignments: Mapping[str, Alignment | None],
) -> str:
    """HTML: what loudness matching does to every take, and how it lies in time. `titles` gives order and names by id."""
    rows = [(title, levels[id], clipped.get(id, 0), alignments.get(id)) for id, title in titles.items() if id in levels]
    return fill("compare/templates/level_table.html", rows=rows)
