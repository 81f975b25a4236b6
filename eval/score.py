"""Scores a folder of estimates against a folder of references."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval.metrics import Metric, choose_metrics
from vocoders.command import find_audio
from vocoders.intake import AudioError, Limits, read_recording


@dataclass(frozen=True)
class Scores:
    """`clips`: one dict per clip, {"name", "seconds", <metric>: value or None}; `metrics`: means over clips.

    `undefined` says why a metric could not be computed at all, `problems` which files were left out and why.
    """

    clips: list[dict]
    metrics: dict[str, float | None]
    undefined: dict[str, str]
    problems: list[str]


def score_folders(
    reference: Path,
    estimate: Path,
    metrics: list[Metric],
    on_clip: Callable[[int, int], None] = lambda done, total: None,
) -> Scores:
    """Pairs files by their path below the folder, whatever their suffix.

    Every reference without an estimate, and every file that cannot be read, is listed in `problems` and left out.
    Errors: ValueError when no pair is left.
    """
    references, estimates = find_audio([reference]), find_audio([estimate])
    problems = [f"{reference / name}: no estimate in {estimate}" for name in references if name not in estimates]
    names = [name for name in references if name in estimates]
    limits = Limits(max_seconds=3600, max_megabytes=2000)
    clips = []
    for index, name in enumerate(names):
        try:
            wanted, found = (read_recording(p, limits, str(p)) for p in (references[name], estimates[name]))
        except AudioError as error:
            problems.append(str(error))
            continue
        values = {metric.name: metric.value(wanted.samples, found.samples) for metric in metrics}
        clips.append({"name": str(name), "seconds": round(wanted.seconds, 3), **values})
        on_clip(index + 1, len(names))
    if not clips:
        raise ValueError(problems[0] if problems else f"nothing to compare in {reference} and {estimate}")
    means = {metric.name: _mean([clip[metric.name] for clip in clips]) for metric in metrics}
    undefined = {metric.name: reason for metric in metrics if (reason := metric.why_not())}
    return Scores(clips, means, undefined, problems)


def score_pair(
    reference: np.ndarray,
    estimate: np.ndarray,
    names: str | None = None,
    on_metric: Callable[[str], None] = lambda name: None,
) -> dict[str, float | None]:
    """Metrics of one signal against another, of those that can be computed here. names: as for `choose_metrics`, with
    its errors. on_metric: called with the name of each before it is computed."""
    values = {}
    for metric in choose_metrics(names):
        if not metric.why_not():
            on_metric(metric.name)
            values[metric.name] = metric.value(reference, estimate)
    return values


def _mean(values: list[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if defined else None
