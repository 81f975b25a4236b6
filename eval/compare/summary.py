"""Results of a comparison over many clips: means with intervals, paired differences, distances between whole sets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from eval.compare.clip_task import REFERENCE
from eval.compare.intervals import Estimate, mean_with_interval, paired_difference
from eval.compare.measurement import Row
from eval.metrics.set_distances import EMBEDDINGS, SET_DISTANCES


@dataclass(frozen=True)
class Summary:
    """`means[system][metric]` and `against[system][metric]` = system - baseline, over `common_clips`.

    `sets[system][name]` are distances of whole sets, over `embeddings[embedding]` windows each; `reasons` says what could not
    be computed. clips: how many were asked for.
    """

    systems: tuple[str, ...]
    metrics: tuple[str, ...]
    baseline: str
    clips: int
    n: dict[str, int]  # clips that a metric's means are over
    means: dict[str, dict[str, Estimate | None]]
    against: dict[str, dict[str, Estimate | None]]
    sets: dict[str, dict[str, float | None]]
    embeddings: dict[str, int]
    speed: dict[str, float | None]  # times real time, over the clips that every system has
    memory: dict[str, int | None]  # bytes the process held at most, over all clips
    fingerprints: dict[str, str]  # SHA-256 over the hashes of all outputs
    precisions: dict[str, tuple[str, ...]]  # in which its network computed; two where machines differed
    reasons: dict[str, str] = field(default_factory=dict)


def common_clips(rows: Sequence[Row], metric: str | None = None) -> list[str]:
    """Clips that every system has an output of, in their order; with a metric, one that is defined for it.

    Means over these compare like with like: a system that fails on the hard clips, or has no value there, loses them for all
    systems, and is not the better for it. A system that has none at all has no mean, and takes nothing from the others.
    """
    having: dict[str, set[str]] = {}
    for row in rows:
        if not row.error and (metric is None or row.metrics.get(metric) is not None):
            having.setdefault(row.system, set()).add(row.clip)
    everywhere = set.intersection(*having.values()) if having else set()
    return [clip for clip in dict.fromkeys(row.clip for row in rows) if clip in everywhere]


def common_values(rows: Sequence[Row], metric: str) -> dict[str, list[float]]:
    """{system: its values of a metric over `common_clips`, in their order; none for a system that has none at all}."""
    values = {(row.system, row.clip): row.metrics.get(metric) for row in rows}
    table = {place: value for place, value in values.items() if value is not None}
    clips = common_clips(rows, metric)
    systems = dict.fromkeys(row.system for row in rows)
    return {system: [table[system, clip] for clip in clips if (system, clip) in table] for system in systems}


def mean_table(
    rows: Sequence[Row],
    metrics: Sequence[str],
    mean: Callable[[Sequence[float]], Estimate | None] = mean_with_interval,
) -> dict[str, dict[str, Estimate | None]]:
    """{system: {metric: mean over `common_clips`, None without a value}}. Every mean of this project over clips is one of these.

    mean: `mean_with_interval`, or `plain_mean` where intervals are not shown.
    """
    values = {metric: common_values(rows, metric) for metric in metrics}
    systems = dict.fromkeys(row.system for row in rows)
    return {system: {metric: mean(values[metric][system]) for metric in metrics} for system in systems}


def summarise(
    rows: Sequence[Row], metrics: Sequence[str], baseline: str, embeddings: dict[str, list[np.ndarray]]
) -> Summary:
    """baseline: the system the others are compared with, clip by clip. embeddings: of `common_clips`."""
    systems = tuple(dict.fromkeys(row.system for row in rows))
    reasons = {name: why for name, d in SET_DISTANCES.items() if (why := EMBEDDINGS[d.embedding].why_not())}
    return Summary(
        systems,
        tuple(metrics),
        baseline,
        len({row.clip for row in rows}),
        {metric: len(common_clips(rows, metric)) for metric in metrics},
        mean_table(rows, metrics),
        _differences(rows, metrics, baseline),
        {system: {name: _distance(system, name, embeddings) for name in SET_DISTANCES} for system in systems},
        {name: sum(map(len, embeddings.get(f"{name}/{REFERENCE}", []))) for name in EMBEDDINGS},
        {system: _speed(rows, system) for system in systems},
        {system: _memory(rows, system) for system in systems},
        {system: _fingerprint(rows, system) for system in systems},
        {system: _precisions(rows, system) for system in systems},
        reasons,
    )


def _differences(rows: Sequence[Row], metrics: Sequence[str], baseline: str) -> dict[str, dict[str, Estimate | None]]:
    found: dict[str, dict[str, Estimate | None]] = {row.system: {} for row in rows if row.system != baseline}
    for metric in metrics:
        values = common_values(rows, metric)
        theirs = values.get(baseline)
        for system, differences in found.items():
            ours = values[system]
            differences[metric] = paired_difference(ours, theirs) if ours and theirs else None
    return found


def _speed(rows: Sequence[Row], system: str) -> float | None:
    common = set(common_clips(rows))
    timed = [row for row in rows if row.system == system and row.clip in common and not row.error]
    cost = sum(row.compute_seconds for row in timed)
    return sum(row.seconds for row in timed) / cost if cost else None


def _precisions(rows: Sequence[Row], system: str) -> tuple[str, ...]:
    return tuple(sorted({row.precision for row in rows if row.system == system and row.precision}))


def _memory(rows: Sequence[Row], system: str) -> int | None:
    held = [row.peak_bytes for row in rows if row.system == system and not row.error and row.peak_bytes]
    return max(held, default=None)


def _fingerprint(rows: Sequence[Row], system: str) -> str:
    hashes = "".join(sorted(row.sha256 for row in rows if row.system == system and not row.error))
    return hashlib.sha256(hashes.encode()).hexdigest()


def _distance(system: str, name: str, embeddings: dict[str, list[np.ndarray]]) -> float | None:
    """None where the sets are not matched, because a clip failed, or too small."""
    distance = SET_DISTANCES[name]
    pair = [embeddings.get(f"{distance.embedding}/{whose}") or [] for whose in (REFERENCE, system)]
    if not all(pair):
        return None
    reference, estimate = (np.concatenate(parts) for parts in pair)
    return distance.compute(reference, estimate) if len(reference) == len(estimate) > 1 else None
