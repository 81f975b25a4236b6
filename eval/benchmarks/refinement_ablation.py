"""The study behind `vocoders.phase.refine`: every setting varied alone around the chosen ones, measured on recordings.

recording -> plain output of one system -> refine with each variant -> metrics -> means per kind of voice
"""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.durable import write_durably, write_text_durably
from common.templates import render
from eval.compare.intervals import plain_mean
from eval.compare.measurement import Measurement, Row, as_it_lies, measure
from eval.compare.summary import mean_table
from eval.metrics.metric import Metric
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
    "low_band_iterations": (0, 48, 96, 192, 384),
    "iterations": (4, 8, 16, 32, 96),
    "momentum": (0.0, 0.5, 0.9, 0.99),
    "blend": (50.0, 150.0, 500.0),
    "inversion": (10, 50, 200),
    "phase": ("neural", "mel", "random"),
}
UNITS = {"crossover": "Hz", "blend": "Hz"}
MAX_LOW_VOICE_HZ = 200.0  # median F0 below which a voice counts as low
MEASURED = ("M-STFT", "log-mel L1", "F0 error", "F0 gross errors", "F0 jitter", "Distill-MOS")
PLAIN = "plain"  # the name of the output before refinement


@dataclass(frozen=True)
class StudiedClip:
    """groups: the kinds of voice the clip counts for; rows: one per variant, which stands in the place of the system."""

    groups: tuple[str, ...]
    rows: tuple[Row, ...]


def variants() -> dict[str, Refinement]:
    """Names like "crossover=500" -> settings; the chosen ones once, under every factor's own name for them."""
    return {
        _name(factor, value): dataclasses.replace(CHOSEN, **{factor: value})
        for factor, values in FACTORS.items()
        for value in sorted({*values, getattr(CHOSEN, factor)})
    }


def _name(factor: str, value: float | str) -> str:
    return f"{factor}={value}" if isinstance(value, str) else f"{factor}={value:g}"


def measure_clip(recording: Recording, folder: str, system: System, metrics: Sequence[Metric]) -> StudiedClip:
    """Every variant on one recording; equal settings are computed once."""
    analysis = Analysis(recording.samples)
    plain, mel = synthesize(system, analysis), analysis.features((hw2_mel,)).values
    groups = ("all", *([folder] if folder else []), *_voice(recording.samples))

    @functools.cache
    def measured(settings: Refinement | None) -> Measurement:
        samples = plain if settings is None else refine(plain, mel, HW2, settings)
        return measure(as_it_lies(recording.samples, samples), metrics)

    def row(variant: str, settings: Refinement | None) -> Row:
        row = Row(recording.name, variant, recording.seconds, 0.0, {}, history=recording.history)
        return row.with_measurement(measured(settings))

    return StudiedClip(groups, tuple(row(name, settings) for name, settings in {PLAIN: None, **variants()}.items()))


def _voice(samples: np.ndarray) -> tuple[str, ...]:
    track = cached_track(samples)
    if not track.voiced.any():
        return ()
    return ("low voices",) if np.median(track.hertz[track.voiced]) < MAX_LOW_VOICE_HZ else ("high voices",)


def means(clips: Sequence[StudiedClip]) -> dict[str, dict[str, dict[str, float | None]]]:
    """{group: {variant: {metric: mean, None where undefined everywhere}}}, with "clips" counted. A mean is over the clips of
    the group for which every variant has the metric, see `eval.compare.summary.common_clips`."""
    table: dict = {}
    for group in dict.fromkeys(name for clip in clips for name in clip.groups):
        members = [clip for clip in clips if group in clip.groups]
        rows = [row for clip in members for row in clip.rows]
        for variant, cell in mean_table(rows, list(rows[0].metrics), plain_mean).items():
            values = {name: mean.mean if mean else None for name, mean in cell.items()}
            table.setdefault(group, {})[variant] = {"clips": len(members), **values}
    return table


def write_study(out: Path, clips: Sequence[StudiedClip], system: System) -> None:
    """Writes rows.csv, study.json, study.png and report.html into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    table = means(clips)
    metrics = list(clips[0].rows[0].metrics)
    write_text_durably(out / "rows.csv", _csv(clips, metrics))
    histories = sorted({f"{row.clip}: {row.history}" for clip in clips for row in clip.rows})
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


def _csv(clips: Sequence[StudiedClip], metrics: Sequence[str]) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["clip", "groups", "variant", *metrics])
    for clip in clips:
        for row in clip.rows:
            values = (math.nan if value is None else value for value in row.metrics.values())
            writer.writerow([row.clip, ";".join(clip.groups), row.system, *values])
    return file.getvalue()


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
    metrics: Sequence[Metric],
    on_clip: Callable[[], None] = lambda: None,
) -> tuple[list[StudiedClip], list[str]]:
    """`recordings`: (folder, reader) pairs, read one at a time. The clips, and a sentence for each that cannot be read.

    Errors: ValueError when none can.
    """
    clips: list[StudiedClip] = []
    problems: list[str] = []
    for folder, read in recordings:
        try:
            clips.append(measure_clip(read(), folder, system, metrics))
        except AudioError as error:
            problems.append(str(error))
        on_clip()
    if not clips:
        raise ValueError(problems[0] if problems else "no recordings")
    return clips, problems
