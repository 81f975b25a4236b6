"""What a comparison of many clips comes to: means with intervals, paired differences, distances between whole sets."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from eval.compare.clip_task import REFERENCE, Row
from eval.compare.intervals import Estimate, mean_with_interval, paired_difference
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
    fingerprints: dict[str, str]  # SHA-256 over the hashes of all takes
    reasons: dict[str, str] = field(default_factory=dict)


def common_clips(rows: Sequence[Row], metric: str | None = None) -> list[str]:
    """Clips that every system has a take of, in their order; with a metric, one that is defined for it.

    Means over these compare like with like: a system that fails on the hard clips, or has no value there, loses them for all
    systems, and is not the better for it. A system that has none at all has no mean, and takes nothing from the others.
    """
    having: dict[str, set[str]] = {}
    for row in rows:
        if not row.error and (metric is None or row.metrics.get(metric) is not None):
            having.setdefault(row.system, set()).add(row.clip)
    everywhere = set.intersection(*having.values()) if having else set()
    return [clip for clip in dict.fromkeys(row.clip for row in rows) if clip in everywhere]


def summarise(
    rows: Sequence[Row], metrics: Sequence[str], baseline: str, embeddings: dict[str, list[np.ndarray]]
) -> Summary:
    """baseline: the system the others are compared with, clip by clip. embeddings: of `common_clips`."""
    systems = tuple(dict.fromkeys(row.system for row in rows))
    table = {system: {row.clip: row for row in rows if row.system == system and not row.error} for system in systems}
    clips = {metric: common_clips(rows, metric) for metric in metrics}

    def values(system: str, metric: str) -> list[float]:
        """Of all those clips, or none at all."""
        found = [row.metrics.get(metric) for clip in clips[metric] if (row := table[system].get(clip))]
        return [value for value in found if value is not None]

    def difference(system: str, metric: str) -> Estimate | None:
        ours, theirs = values(system, metric), values(baseline, metric)
        return paired_difference(ours, theirs) if ours and theirs else None

    means = {s: {m: mean_with_interval(values(s, m)) for m in metrics} for s in systems}
    against = {s: {m: difference(s, m) for m in metrics} for s in systems if s != baseline}
    speed, memory, fingerprints, common = {}, {}, {}, common_clips(rows)
    for system in systems:
        timed = [table[system][clip] for clip in common if clip in table[system]]
        cost = sum(row.compute_seconds for row in timed)
        speed[system] = sum(row.seconds for row in timed) / cost if cost else None
        memory[system] = max((row.peak_bytes for row in table[system].values() if row.peak_bytes), default=None)
        hashes = "".join(sorted(row.sha256 for row in table[system].values()))
        fingerprints[system] = hashlib.sha256(hashes.encode()).hexdigest()
    reasons = {name: why for name, d in SET_DISTANCES.items() if (why := EMBEDDINGS[d.embedding].why_not())}
    return Summary(
        systems,
        tuple(metrics),
        baseline,
        len({row.clip for row in rows}),
        {metric: len(found) for metric, found in clips.items()},
        means,
        against,
        {system: {name: _distance(system, name, embeddings) for name in SET_DISTANCES} for system in systems},
        {name: sum(map(len, embeddings.get(f"{name}/{REFERENCE}", []))) for name in EMBEDDINGS},
        speed,
        memory,
        fingerprints,
        reasons,
    )


def _distance(system: str, name: str, embeddings: dict[str, list[np.ndarray]]) -> float | None:
    """None where the sets are not matched, because a clip failed, or too small."""
    distance = SET_DISTANCES[name]
    pair = [embeddings.get(f"{distance.embedding}/{whose}") for whose in (REFERENCE, system)]
    if not all(pair):
        return None
    reference, estimate = map(np.concatenate, pair)
    return distance.compute(reference, estimate) if len(reference) == len(estimate) > 1 else None
