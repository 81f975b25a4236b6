"""The metric table and the table of levels, as HTML."""

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
from ui.markup import escape

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
_NOTE = (
    "<b>Spectral fidelity, not a verdict.</b> These distances compare magnitudes, which is what Griffin-Lim inverts, so they "
    "favour it; they say little about how natural a voice sounds. Listen. The oracle sees more than a mel and is never marked "
    "best. A number that can be pressed loops the second in which it is worst; <b>1</b> is the recording."
)
_MEL_NOTE = (
    "<b>Nearness to the given mel, not a verdict.</b> There is no recording to compare with, so every other metric is absent. "
    "It says little about how natural a voice sounds. Listen."
)


def metric_table(takes: Sequence[Output]) -> str:
    """One row per system of a recording, see `_table`."""
    return _table(takes, COLUMNS, _NOTE)


def mel_error_table(takes: Sequence[Output]) -> str:
    """One row per system of a mel without a recording."""
    return _table(takes, MEL_COLUMNS, _MEL_NOTE)


def _table(takes: Sequence[Output], columns: Sequence[Column], note: str) -> str:
    """The best of the mel vocoders is marked in every column.

    A system that is given more than a mel competes with nobody: it is shown, and never marked.
    """
    if not takes:
        return ""
    contenders = [take for take in takes if take.system.mel != "none"]
    best = {column.title: _best(column, contenders) for column in columns}
    head = "".join(_heading(column) for column in columns)
    rows = "".join(_row(take, columns, best) for take in takes)
    return (
        '<div class="page-table-scroll" tabindex="0" role="region" aria-label="Metrics"><table class="page-table">'
        f'<thead><tr><th scope="col">System</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f'<p class="page-note">{note}</p>'
    )


def _best(column: Column, takes: Sequence[Output]) -> float:
    values = [value for take in takes if (value := column.value(take)) is not None and math.isfinite(value)]
    if len(values) < 2:
        return math.nan
    if column.better == "nearest 0":
        return min(values, key=abs)
    return min(values) if column.better == "lower" else max(values)


def _heading(column: Column) -> str:
    arrow, meaning = ARROWS[column.better]
    unit = f'<span class="page-unit">{escape(column.unit)}</span>' if column.unit else ""
    return (
        f'<th scope="col" title="{escape(column.about)}">{escape(column.title)} '
        f'<span title="{meaning}" aria-label="{meaning}">{arrow}</span>{unit}</th>'
    )


def _row(take: Output, columns: Sequence[Column], best: Mapping[str, float]) -> str:
    cells = "".join(_cell(column, take, best[column.title]) for column in columns)
    bound = "" if take.system.mel != "none" else ' <span class="page-badge">bound</span>'
    select = f'<button type="button" class="page-link" data-lab-track="{escape(take.system.id)}">{escape(take.system.title)}</button>'
    return f'<tr><th scope="row">{select}{bound}</th>{cells}</tr>'


def _cell(column: Column, take: Output, best: float) -> str:
    value = column.value(take)
    if value is None:
        return '<td title="being measured">…</td>'
    if not math.isfinite(value):
        return '<td title="not defined for this recording">n/a</td>'
    sign = "+" if column.better == "nearest 0" else ""
    text = f"{round(value, column.digits) + 0.0:{sign}.{column.digits}f}".replace("-", "−")  # + 0.0: no negative zero
    is_best = value == best and take.system.mel != "none"
    if column.title in take.worst:
        text = _listen(text, take, column, *take.worst[column.title])
    if is_best:
        return f'<td class="page-best"><b>{text}</b><span class="page-sr"> best</span></td>'
    return f"<td>{text}</td>"


def _listen(text: str, take: Output, column: Column, start: float, stop: float) -> str:
    """The number as a button that loops where it comes from."""
    about = f"Loop {start:.1f} to {stop:.1f} s, where {take.system.title} is worst in {column.title}"
    return (
        f'<button type="button" class="page-link" data-lab-track="{escape(take.system.id)}" '
        f'data-lab-loop="{start} {stop}" title="{escape(about)}" aria-label="{text}. {escape(about)}">{text}</button>'
    )


def level_table(
    titles: Mapping[str, str],
    levels: Mapping[str, Level],
    clipped: Mapping[str, int],
    alignments: Mapping[str, Alignment | None],
) -> str:
    """What loudness matching does to every take, and how it lies in time. `titles` gives order and names by id."""
    rows = "".join(
        f'<tr><th scope="row">{escape(title)}</th><td>{_db(levels[id].lufs)}</td><td>{_db(levels[id].gain, sign=True)}</td>'
        f"<td>{_db(levels[id].lufs + levels[id].gain)}</td><td>{_db(levels[id].true_peak)}</td><td>{clipped.get(id, 0)}</td>{_alignment_cells(alignments.get(id))}</tr>"
        for id, title in titles.items()
        if id in levels
    )
    heads = "".join(
        f'<th scope="col">{title}<span class="page-unit">{unit}</span></th>'
        for title, unit in (
            ("Loudness", "LUFS"),
            ("Gain", "dB"),
            ("Matched", "LUFS"),
            ("True peak, raw", "dBTP"),
            ("Clipped in the wav", "samples"),
            ("Delay", "samples"),
            ("Polarity", "correlation"),
        )
    )
    return (
        '<div class="page-table-scroll" tabindex="0" role="region" aria-label="Levels"><table class="page-table">'
        f'<thead><tr><th scope="col">Take</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
        '<p class="page-note">One static gain per take brings all to −23 LUFS (ITU-R BS.1770). If a true peak would pass '
        "−1 dBTP, the whole set is lowered together. The files you download keep their raw levels. Delay and polarity come from "
        "cross-correlation with the recording; a take with a phase of its own, such as Griffin-Lim’s, has neither.</p>"
    )


def _alignment_cells(alignment: Alignment | None) -> str:
    if alignment is None:
        return "<td></td><td></td>"
    correlation = f"{abs(alignment.correlation):.2f}"
    if not alignment.certain:
        return f'<td title="too little in common">n/a</td><td title="too little in common">n/a ({correlation})</td>'
    return (
        f"<td>{alignment.delay:+d}</td><td>{'inverted' if alignment.inverted else 'same'} ({correlation})</td>".replace(
            "-", "−"
        )
    )


def _db(value: float, sign: bool = False) -> str:
    if not math.isfinite(value):
        return "silent"
    return f"{value:{'+' if sign else ''}.1f}".replace("-", "−")
