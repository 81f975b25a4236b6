"""The study behind `vocoders.phase.refine`: every setting varied alone around the chosen ones, measured on recordings.

recording -> plain take of one system -> refine with each variant -> metrics -> means per kind of voice
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.durable import write_durably, write_text_durably
from common.templates import render
from eval.metrics.pitch import cached_track
from eval.metrics.registry import METRICS
from vocoders.analysis import Analysis, synthesize
from vocoders.audio import Recording
from vocoders.features import hw2_mel
from vocoders.mel import HW2
from vocoders.phase.refine import Refinement, refine
from vocoders.recordings.reader import AudioError
from vocoders.systems import System

CHOSEN = Refinement()
FACTORS: dict[str, tuple] = {
    "crossover": (0.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 20_000.0),
    "correction": (0, 1, 3, 10, 30, 100),
    "iterations": (8, 16, 32, 48, 96, 192),
    "momentum": (0.0, 0.5, 0.9, 0.99),
    "blend": (50.0, 150.0, 500.0),
    "inversion": (10, 50, 200),
    "phase": ("neural", "mel", "random"),
}
UNITS = {"crossover": "Hz", "blend": "Hz"}
LOW_VOICE = 200.0  # Hz, median F0 below which a voice counts as low
MEASURED = ("M-STFT", "log-mel L1", "F0 error", "F0 gross errors", "F0 jitter", "Distill-MOS")
PLAIN = "plain"  # the name of the take before refinement


@dataclass(frozen=True)
class Row:
    """One take measured. `groups` are the kinds of voice it counts for; `values` may hold nan; history: of the recording."""

    clip: str
    groups: tuple[str, ...]
    variant: str
    values: dict[str, float]
    history: str = ""


def variants() -> dict[str, Refinement]:
    """Names like "crossover=500" -> settings; the chosen ones once, under every factor's own name for them."""
    return {
        _name(factor, value): dataclasses.replace(CHOSEN, **{factor: value})
        for factor, values in FACTORS.items()
        for value in sorted({*values, getattr(CHOSEN, factor)})
    }


def _name(factor: str, value: float | str) -> str:
    return f"{factor}={value}" if isinstance(value, str) else f"{factor}={value:g}"


def measure_clip(recording: Recording, folder: str, system: System, metrics: Sequence[str]) -> list[Row]:
    """Every variant on one recording; equal settings are computed once."""
    analysis = Analysis(recording.samples)
    plain, mel = synthesize(system, analysis), analysis.features((hw2_mel,)).values
    groups = ("all", *([folder] if folder else []), *_voice(recording.samples))
    known: dict[Refinement, dict[str, float]] = {}
    rows = [Row(recording.name, groups, PLAIN, _measure(recording.samples, plain, metrics), recording.history)]
    for name, settings in variants().items():
        if settings not in known:
            refined = refine(plain, mel, HW2, settings)
            known[settings] = _measure(recording.samples, refined, metrics)
        rows.append(Row(recording.name, groups, name, known[settings], recording.history))
    return rows


def _measure(reference: np.ndarray, estimate: np.ndarray, metrics: Sequence[str]) -> dict[str, float]:
    return {name: METRICS[name].compute(reference, estimate) for name in metrics}


def _voice(samples: np.ndarray) -> tuple[str, ...]:
    track = cached_track(samples)
    if not track.voiced.any():
        return ()
    return ("low voices",) if np.median(track.hertz[track.voiced]) < LOW_VOICE else ("high voices",)


def means(rows: Sequence[Row]) -> dict[str, dict[str, dict[str, float | None]]]:
    """{group: {variant: {metric: mean over clips, None where undefined everywhere}}}, with "clips" counted."""
    table: dict = {}
    for group in dict.fromkeys(name for row in rows for name in row.groups):
        members = [row for row in rows if group in row.groups]
        for variant in dict.fromkeys(row.variant for row in members):
            chosen = [row.values for row in members if row.variant == variant]
            cell = {name: _mean([values[name] for values in chosen]) for name in chosen[0]}
            table.setdefault(group, {})[variant] = {"clips": len(chosen), **cell}
    return table


def _mean(values: Sequence[float]) -> float | None:
    finite = [value for value in values if math.isfinite(value)]
    return float(np.mean(finite)) if finite else None


def write_study(out: Path, rows: Sequence[Row], system: System) -> None:
    """Writes rows.csv, study.json, study.png and report.html into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    table = means(rows)
    metrics = list(rows[0].values)
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["clip", "groups", "variant", *metrics])
    writer.writerows([row.clip, ";".join(row.groups), row.variant, *row.values.values()] for row in rows)
    write_text_durably(out / "rows.csv", file.getvalue())
    histories = sorted({f"{row.clip}: {row.history}" for row in rows})
    content = {"system": system.id, "chosen": dataclasses.asdict(CHOSEN), "means": table, "recordings": histories}
    write_text_durably(out / "study.json", json.dumps(content, indent=2))
    picture = draw(table, metrics)
    write_durably(out / "study.png", picture)
    page = render(
        "eval/benchmarks/templates/refinement_ablation.html",
        system=system,
        chosen=dataclasses.asdict(CHOSEN),
        picture=picture,
        table=table,
        units={name: METRICS[name].unit for name in metrics},
        histories=histories,
    )
    write_text_durably(out / "report.html", page)


def draw(table: dict, metrics: Sequence[str]) -> bytes:
    """PNG: a row per metric, a column per numeric factor, a line per group; the chosen value is marked."""
    from matplotlib.figure import Figure

    factors = [factor for factor, values in FACTORS.items() if not isinstance(values[0], str)]
    figure = Figure(figsize=(3.1 * len(factors), 2.3 * len(metrics)), layout="constrained", dpi=100)
    axes = figure.subplots(len(metrics), len(factors), sharey="row", squeeze=False)
    for row, metric in enumerate(metrics):
        for column, factor in enumerate(factors):
            axis = axes[row, column]
            values = sorted({*FACTORS[factor], getattr(CHOSEN, factor)})
            for group, cells in table.items():
                points = [cells[_name(factor, value)][metric] for value in values]
                (line,) = axis.plot(range(len(values)), points, marker="o", markersize=3, label=group)
                if cells[PLAIN][metric] is not None:
                    axis.axhline(cells[PLAIN][metric], color=line.get_color(), linestyle=":", linewidth=0.9)
            axis.axvline(values.index(getattr(CHOSEN, factor)), color="grey", linewidth=5, alpha=0.2)
            axis.set_xticks(range(len(values)), [f"{value:g}" for value in values])
            axis.set_xlabel(f"{factor} ({UNITS[factor]})" if factor in UNITS else factor)
        axes[row, 0].set_ylabel(f"{metric} {METRICS[metric].unit}".strip())
    axes[0, -1].legend(fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def run_study(
    recordings: Sequence[tuple[str, Callable[[], Recording]]],
    system: System,
    metrics: Sequence[str],
    on_clip: Callable[[], None] = lambda: None,
) -> tuple[list[Row], list[str]]:
    """`recordings`: (folder, reader) pairs, read one at a time. The rows, and a sentence for each that cannot be read.

    Errors: ValueError when none can.
    """
    rows: list[Row] = []
    problems: list[str] = []
    for folder, read in recordings:
        try:
            rows += measure_clip(read(), folder, system, metrics)
        except AudioError as error:
            problems.append(str(error))
        on_clip()
    if not rows:
        raise ValueError(problems[0] if problems else "no recordings")
    return rows, problems
