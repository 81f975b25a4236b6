"""Scores estimates against references: two folders, two files, or two signals.

Means that cannot be bettered by failing: an estimate that is missing, unreadable, silent, of another length, or for which a
metric is undefined that the reference itself has, has failed. Where one has, the mean of what is left is given beside it and
not in its place. A clip whose reference cannot be used is left out for every estimate alike.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from common.unavailable import Unavailable
from eval.compare.intervals import plain_mean
from eval.compare.measurement import Failure, Measurement, Row, attempt, measure, placed
from eval.compare.pairs import pair_files
from eval.compare.summary import mean_table
from eval.jobs import side_by_side
from eval.metrics.metric import Metric
from eval.metrics.registry import choose_metrics
from vocoders.audio import SAMPLE_RATE, Recording, check_mono, resample
from vocoders.recordings.reader import AudioError, Limits, read_recording

FILE_LIMITS = Limits(max_seconds=3600, max_megabytes=2000)
ESTIMATE = "estimate"  # the one system whose files are scored


@dataclass(frozen=True)
class Scores:
    """The measurements.

    clips: one dict per measured clip, {"name", "seconds", <metric>: value or None, "moved": samples by which a late estimate was
    moved onto its reference, "notes": what was noticed, "history": {"reference", "estimate"}}. metrics: means over all clips, None where one failed or none has a value; `n` says
    over how many clips, `undefined` why there is no mean, `of_the_others` the mean without what failed. failed: names of
    clips whose estimate failed; problems: every failure and every file that could not be used, one sentence each. rates: {metric:
    Hz}, empty where all are at 22 050 Hz.
    """

    clips: list[dict]
    metrics: dict[str, float | None]
    n: dict[str, int]
    undefined: dict[str, str]
    of_the_others: dict[str, float]
    failed: list[str]
    problems: list[str]
    unused: list[str]
    rates: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict:
        """All fields, `rates` where there are any."""
        return {name: value for name, value in asdict(self).items() if value or name != "rates"}


def score_folders(
    reference: Path,
    estimate: Path,
    metrics: Sequence[Metric],
    on_clip: Callable[[int, int], None] = lambda done, total: None,
    any_length: bool = False,
    rate: int = SAMPLE_RATE,
    jobs: int = 1,
) -> Scores:
    """Pairs files as `eval.compare.pairs` says. on_clip: called with (done, total). any_length: also measure estimates that are far
    longer or shorter than their reference. rate: Hz, of metrics of any rate. jobs: pairs at a time, as of `eval.jobs.divide`.

    Errors: ValueError where there is no pair at all.
    """
    pairs = pair_files(reference, estimate)
    problems = [f"{reference / name}: {why}" for name, why in pairs.missing.items()]
    rows = [Row(str(name), ESTIMATE, 0.0, 0.0, {}, why) for name, why in pairs.missing.items()]
    files = [(str(name), *paths) for name, paths in pairs.files.items()]
    work = functools.partial(_row_or_problem, metrics=metrics, any_length=any_length, rate=rate)
    on_clip(0, len(files))
    found: dict[int, Row | str] = {}
    for index, made in side_by_side(work, files, jobs):
        found[index] = made
        on_clip(len(found), len(files))
    for index, (_, _, path) in enumerate(files):
        made = found[index]
        if isinstance(made, str):
            problems.append(made)
            continue
        rows.append(made)
        problems += [made.error] if made.error else [f"{path}: {metric} is undefined for it" for metric in made.lost]
    scores = _summed_up(rows, metrics, problems, list(map(str, pairs.unused)))
    return (
        scores if rate == SAMPLE_RATE else replace(scores, rates={metric.name: metric.rate(rate) for metric in metrics})
    )


def _row_or_problem(files: tuple[str, Path, Path], metrics: Sequence[Metric], any_length: bool, rate: int) -> Row | str:
    """files: name, reference and estimate. A sentence where the reference cannot be used."""
    name, reference_path, path = files
    try:
        recording = _read(reference_path, rate)
    except AudioError as error:
        return str(error)
    return _row(name, recording, path, metrics, any_length, rate)


def _read(path: Path, rate: int) -> Recording:
    """What lies beyond 22 050 Hz is kept only where it is measured: files may last an hour. Errors: `AudioError`."""
    recording = read_recording(path, FILE_LIMITS, str(path))
    return recording if rate != SAMPLE_RATE else replace(recording, own=None)


def _row(name: str, recording: Recording, path: Path, metrics: Sequence[Metric], any_length: bool, rate: int) -> Row:
    """Of the estimate at `path`. An error names the file."""
    row = Row(name, ESTIMATE, recording.seconds, 0.0, {}, history=recording.history)

    def measured() -> Row:
        estimate = _read(path, rate)
        found = measure(placed(recording, estimate, any_length, rate), metrics)
        return replace(row.with_measurement(found), output_history=estimate.history)

    made = attempt(measured)
    if not isinstance(made, Failure):
        return made
    is_named = isinstance(made.error, AudioError)
    return replace(row, error=made.reason if is_named else f"{path}: {made.reason}")


def _summed_up(rows: list[Row], metrics: Sequence[Metric], problems: list[str], unused: list[str]) -> Scores:
    failed, good = [row.clip for row in rows if row.error], [row for row in rows if not row.error]
    table = mean_table(rows, [metric.name for metric in metrics], plain_mean).get(ESTIMATE, {})
    means, n, undefined, others = {}, {}, {}, {}
    for metric in metrics:
        name, mean = metric.name, table.get(metric.name)
        failures = len(failed) + sum(name in row.lost for row in good)
        n[name] = mean.n if mean else 0
        means[name] = mean.mean if mean and not failures else None
        if reason := metric.why_not():
            undefined[name] = reason
        elif failures:
            undefined[name] = f"{failures} of {len(rows)} clips failed"
            if mean:
                others[name] = mean.mean
        elif mean is None:
            undefined[name] = "for no clip defined"
    return Scores([_clip(row) for row in good], means, n, undefined, others, failed, problems, unused)


def _clip(row: Row) -> dict:
    history = {"reference": row.history, "estimate": row.output_history}
    about = {"moved": row.moved, "notes": list(row.notes), "history": history}
    return {"name": row.clip, "seconds": round(row.seconds, 3), **row.metrics, **about}


def score_recordings(
    reference: Recording,
    estimate: Recording,
    names: str | None = None,
    on_metric: Callable[[str], None] = lambda name: None,
) -> Measurement:
    """By the metrics that can be computed here. names: as for `choose_metrics`, with its errors; `LengthError`."""
    metrics = [metric for metric in choose_metrics(names) if not metric.why_not()]
    return measure(placed(reference, estimate), metrics, on_metric)


def score_pair(
    reference: np.ndarray, estimate: np.ndarray, names: str | None = None, rate: int = SAMPLE_RATE
) -> dict[str, float | None]:
    """Metrics of one mono signal against another, (n,) and (m,) floats; described, with its errors, at `eval.score`."""
    if not FILE_LIMITS.min_rate <= rate <= FILE_LIMITS.max_rate:
        raise ValueError(
            f"the sampling rate is {rate} Hz; {FILE_LIMITS.min_rate} to {FILE_LIMITS.max_rate} Hz are accepted"
        )
    pair = []
    for name, samples in (("reference", reference), ("estimate", estimate)):
        check_mono(samples, f"the {name}")
        if not samples.any():
            raise ValueError(f"the {name} is silent, so no metric is defined")
        pair.append(Recording(name, resample(samples, rate), rate=rate))
    asked = [] if names in (None, "all") else choose_metrics(names)
    if missing := [f"{metric.name}: {reason}" for metric in asked if (reason := metric.why_not())]:
        raise Unavailable("; ".join(missing))
    return score_recordings(pair[0], pair[1], names).values
