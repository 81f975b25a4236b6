"""Scores estimates against references: two folders, two files, or two signals.

Means that cannot be bettered by failing: an estimate that is missing, unreadable, silent, of another length, or for which a
metric is undefined that the reference itself has, has failed. Where one has, the mean of what is left is given beside it and
not in its place. A clip whose reference cannot be used is left out for every estimate alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.unavailable import Unavailable
from eval.compare.overlap import overlap
from eval.compare.pairs import pair_files
from eval.compare.suspicions import suspicions
from eval.metrics.metric import Metric
from eval.metrics.registry import choose_metrics
from vocoders.audio import SAMPLE_RATE, Recording, check_mono, resample
from vocoders.recordings.reader import AudioError, Limits, read_recording

LIMITS = Limits(max_seconds=3600, max_megabytes=2000)


@dataclass(frozen=True)
class Scores:
    """What was measured.

    clips: one dict per measured clip, {"name", "seconds", <metric>: value or None, "moved": samples by which a late estimate was
    moved onto its reference, "notes": what was noticed, "history": {"reference", "estimate"}}. metrics: means over all clips, None where one failed or none has a value; `n` says
    over how many clips, `undefined` why there is no mean, `of_the_others` the mean without what failed. failed: names of
    clips whose estimate failed; problems: every failure and every file that could not be used, one sentence each.
    """

    clips: list[dict]
    metrics: dict[str, float | None]
    n: dict[str, int]
    undefined: dict[str, str]
    of_the_others: dict[str, float]
    failed: list[str]
    problems: list[str]
    unused: list[str]


@dataclass(frozen=True)
class Measured:
    """values: None where undefined; lost: metrics that only the estimate left undefined; moved: samples by which it was moved
    onto its reference; notes: sentences without full stop."""

    values: dict[str, float | None]
    moved: int
    lost: tuple[str, ...]
    notes: tuple[str, ...]


def measure(
    reference: Recording,
    estimate: Recording,
    metrics: Sequence[Metric],
    any_length: bool = False,
    on_metric: Callable[[str], None] = lambda name: None,
) -> Measured:
    """One estimate, over what it has in common with its reference. on_metric: called with each name before its metric is
    computed. Errors: `LengthError`, see `eval.compare.overlap`."""
    common = overlap(reference.samples, estimate.samples, any_length)
    values, lost = {}, []
    for metric in metrics:
        on_metric(metric.name)
        pair = (reference.samples, estimate.samples) if metric.in_place else (common.reference, common.estimate)
        values[metric.name] = metric.value(*pair)
        if (
            values[metric.name] is None
            and not metric.in_place
            and metric.value(reference.samples, reference.samples) is not None
        ):
            lost.append(metric.name)
    of_files = [
        f"the {which}: {notice}"
        for which, recording in (("reference", reference), ("estimate", estimate))
        for notice in recording.notices
    ]
    found = suspicions(common.reference, common.estimate, estimate.rate)
    return Measured(values, common.delay, tuple(lost), (*of_files, *common.notes, *found))


def score_folders(
    reference: Path,
    estimate: Path,
    metrics: Sequence[Metric],
    on_clip: Callable[[int, int], None] = lambda done, total: None,
    any_length: bool = False,
) -> Scores:
    """Pairs files as `eval.compare.pairs` says. any_length: also measure estimates that are far longer or shorter than their reference.

    Errors: ValueError where there is no pair at all.
    """
    pairs = pair_files(reference, estimate)
    problems = [f"{reference / name}: {why}" for name, why in pairs.missing.items()]
    failed, clips, lost = list(map(str, pairs.missing)), [], []
    for index, (name, paths) in enumerate(pairs.files.items()):
        on_clip(index, len(pairs.files))
        try:
            wanted = read_recording(paths[0], LIMITS, str(paths[0]))
        except AudioError as error:
            problems.append(str(error))
            continue
        try:
            found = read_recording(paths[1], LIMITS, str(paths[1]))
            measured = measure(wanted, found, metrics, any_length)
        except (ValueError, RuntimeError, MemoryError) as error:
            problems.append(str(error) if isinstance(error, AudioError) else f"{paths[1]}: {error}")
            failed.append(str(name))
            continue
        lost += measured.lost
        problems += [f"{paths[1]}: {metric} is undefined for it" for metric in measured.lost]
        about = {
            "moved": measured.moved,
            "notes": list(measured.notes),
            "history": {"reference": wanted.history, "estimate": found.history},
        }
        clips.append({"name": str(name), "seconds": round(wanted.seconds, 3), **measured.values, **about})
    on_clip(len(pairs.files), len(pairs.files))
    return _summed_up(clips, metrics, failed, lost, problems, list(map(str, pairs.unused)))


def _summed_up(
    clips: list[dict],
    metrics: Sequence[Metric],
    failed: list[str],
    lost: list[str],
    problems: list[str],
    unused: list[str],
) -> Scores:
    means, n, undefined, others = {}, {}, {}, {}
    for metric in metrics:
        name = metric.name
        values = [clip[name] for clip in clips if clip[name] is not None]
        failures = len(failed) + lost.count(name)
        n[name], mean = len(values), sum(values) / len(values) if values else None
        means[name] = None if failures else mean
        if reason := metric.why_not():
            undefined[name] = reason
        elif failures:
            undefined[name] = f"{failures} of {len(clips) + len(failed)} clips failed"
            if mean is not None:
                others[name] = mean
        elif mean is None:
            undefined[name] = "for no clip defined"
    return Scores(clips, means, n, undefined, others, failed, problems, unused)


def score_recordings(
    reference: Recording,
    estimate: Recording,
    names: str | None = None,
    on_metric: Callable[[str], None] = lambda name: None,
) -> Measured:
    """By the metrics that can be computed here. names: as for `choose_metrics`, with its errors; those of `measure`."""
    metrics = [metric for metric in choose_metrics(names) if not metric.why_not()]
    return measure(reference, estimate, metrics, on_metric=on_metric)


def score_pair(
    reference: np.ndarray, estimate: np.ndarray, names: str | None = None, rate: int = SAMPLE_RATE
) -> dict[str, float | None]:
    """Metrics of one mono signal against another, (n,) and (m,) floats; described, with its errors, at `eval.score`."""
    if not LIMITS.min_rate <= rate <= LIMITS.max_rate:
        raise ValueError(f"the sampling rate is {rate} Hz; {LIMITS.min_rate} to {LIMITS.max_rate} Hz are accepted")
    pair = []
    for name, samples in (("reference", reference), ("estimate", estimate)):
        check_mono(samples, f"the {name}")
        if not samples.any():
            raise ValueError(f"the {name} is silent, so no metric is defined")
        pair.append(Recording(name, resample(samples, rate), rate=rate))
    asked = [] if names in (None, "all") else choose_metrics(names)
    if missing := [f"{metric.name}: {reason}" for metric in asked if (reason := metric.why_not())]:
        raise Unavailable("; ".join(missing))
    return score_recordings(*pair, names).values
