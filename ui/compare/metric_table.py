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
    """One metric of the table, with its explanation."""

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
        "Mean error of the output’s log mel against the mel that was given, in its own recipe",
        functools.partial(_measured, MEL_ERROR),
    ),
    *COLUMNS[-2:],
)


def metric_table(outputs: Sequence[Output]) -> str:
    """HTML: one row per system of a recording, see `_table`."""
    return _table(outputs, COLUMNS, from_mel=False)


def mel_error_table(outputs: Sequence[Output]) -> str:
    """HTML: one row per system of a mel without a recording."""
    return _table(outputs, MEL_COLUMNS, from_mel=True)


def _table(outputs: Sequence[Output], columns: Sequence[Column], from_mel: bool) -> str:
    """The best of the mel vocoders is marked in every column.

    A system that is given more than a mel is a bound: it is shown, and never marked as best.
    """
    if not outputs:
        return ""
    contenders = [output for output in outputs if output.system.mel != "none"]
    best = [_best(column, contenders) for column in columns]
    rows = [(output.system, [_cell(column, output, top) for column, top in zip(columns, best)]) for output in outputs]
    return fill("compare/templates/metric_table.html", columns=columns, arrows=ARROWS, rows=rows, from_mel=from_mel)


def _best(column: Column, outputs: Sequence[Output]) -> float:
    values = [value for output in outputs if (value := column.value(output)) is not None and math.isfinite(value)]
    if len(values) < 2:
        return math.nan
    if column.better == "nearest 0":
        return min(values, key=abs)
    return min(values) if column.better == "lower" else max(values)


def _cell(column: Column, output: Output, best: float) -> dict[str, object]:
    """worst: (start, stop) in seconds of the second in which it is worst, where that is known."""
    value = column.value(output)
    return {
        "column": column,
        "value": value,
        "best": value == best and output.system.mel != "none",
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
        (title, levels[key], clipped.get(key, 0), alignments.get(key)) for key, title in titles.items() if key in levels
    ]
    return fill("compare/templates/level_table.html", rows=rows)
