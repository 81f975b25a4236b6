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
from eval.metrics.metric import SPECTRAL
from eval.metrics.registry import METRICS
from eval.reports.columns import GROUP_TITLES, SPEED, Column, column_of, views_of
from ui.markup import fill
from vocoders.hifigan.precision import BFLOAT16


@dataclass(frozen=True)
class MeasuredColumn(Column):
    """A column of numbers that an output has. value: None where it is not measured yet, nan where it is undefined."""

    value: Callable[[Output], float | None] = lambda _: None
    digits: int = 3


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
    MeasuredColumn("computing", "s, first run", "lower", FIRST_RUN, SPEED, value=lambda t: t.compute_seconds, digits=2),
    MeasuredColumn(
        "speed",
        "× real time, first run",
        "higher",
        "Seconds of audio per second of computing, of that first run",
        SPEED,
        value=lambda t: t.real_time_factor,
        digits=1,
    ),
)
MEL_COLUMN = MeasuredColumn(
    MEL_ERROR,
    "Np",
    "lower",
    "Mean error of the output’s log mel against the mel that was given, in its own recipe",
    GROUP_TITLES[SPECTRAL],
    value=functools.partial(_measured, MEL_ERROR),
)


def measured_columns() -> tuple[MeasuredColumn, ...]:
    """A column for every metric that is measured here unasked: asked anew each time, as packages may be added."""
    return tuple(measured_column(name) for name, m in METRICS.items() if not m.on_request and not m.why_not())


def measured_column(metric: str) -> MeasuredColumn:
    """The column of a metric, by its name."""
    values = functools.partial(_measured, metric)
    return MeasuredColumn(**vars(column_of(metric)), value=values, digits=_digits(METRICS[metric].unit))


def metric_table(outputs: Sequence[Output], explained: bool = True) -> str:
    """HTML: one row per system of a recording, see `_table`. explained: says below it what each system is."""
    return _table(outputs, (*measured_columns(), *SPEED_COLUMNS), explained, from_mel=False)


def mel_error_table(outputs: Sequence[Output]) -> str:
    """HTML: one row per system of a mel without a recording."""
    return _table(outputs, (MEL_COLUMN, *SPEED_COLUMNS), explained=True, from_mel=True)


def _table(outputs: Sequence[Output], columns: Sequence[MeasuredColumn], explained: bool, from_mel: bool) -> str:
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
        rows=rows,
        from_mel=from_mel,
        explained=explained,
        views=views_of(columns),
        passed=_passed_bounds(columns, outputs),
        in_bfloat16=[output.system for output in outputs if output.precision == BFLOAT16],
        others_differ=any(output.precision != BFLOAT16 for output in outputs),
    )


def _is_bound(output: Output) -> bool:
    return output.system.mel == "none"


def _passed_bounds(columns: Sequence[MeasuredColumn], outputs: Sequence[Output]) -> list[tuple[str, list[str]]]:
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


def _is_better(column: MeasuredColumn, output: Output, other: Output) -> bool:
    a, b = column.value(output), column.value(other)
    if a is None or b is None or not (math.isfinite(a) and math.isfinite(b)) or a == b:
        return False
    return bool(_best_of(column, (a, b)) == a)


def _best(column: MeasuredColumn, outputs: Sequence[Output]) -> float:
    values = [value for output in outputs if (value := column.value(output)) is not None and math.isfinite(value)]
    return _best_of(column, values) if len(values) >= 2 else math.nan


def _best_of(column: MeasuredColumn, values: Sequence[float]) -> float:
    if column.better == "nearest 0":
        return min(values, key=abs)
    return min(values) if column.better == "lower" else max(values)


def _cell(column: MeasuredColumn, output: Output, best: float) -> dict[str, object]:
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
