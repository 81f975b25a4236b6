"""What a comparison of many clips comes to: means with intervals, paired differences, distances between whole sets."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from eval.batch import REFERENCE, Row
from eval.embeddings import EMBEDDINGS, SET_DISTANCES
from eval.statistics import Estimate, mean_with_interval, paired_difference


@dataclass(frozen=True)
class Summary:
    """`means[system][metric]` and `against[system][metric]` = system - baseline, over the clips both have.

    `sets[system][name]` are distances of whole sets, over `embeddings[embedding]` windows each; `reasons` says what could not
    be computed.
    """

    systems: tuple[str, ...]
    metrics: tuple[str, ...]
    baseline: str
    means: dict[str, dict[str, Estimate | None]]
    against: dict[str, dict[str, Estimate | None]]
    sets: dict[str, dict[str, float | None]]
    embeddings: dict[str, int]
    speed: dict[str, float | None]  # times real time, over all clips
    memory: dict[str, int | None]  # bytes the process held at most, over all clips
    fingerprints: dict[str, str]  # SHA-256 over the hashes of all takes
    reasons: dict[str, str] = field(default_factory=dict)


def summarise(
    rows: Sequence[Row], metrics: Sequence[str], baseline: str, embeddings: dict[str, list[np.ndarray]]
) -> Summary:
    """baseline: the system the others are compared with, clip by clip."""
    systems = tuple(dict.fromkeys(row.system for row in rows))
    table = {system: {row.clip: row for row in rows if row.system == system and not row.error} for system in systems}

    def values(system: str, metric: str, others: str | None = None) -> list[float]:
        """Of the clips where it is defined, for both systems when another is named; in order of clips."""
        chosen = table[system].items()
        return [
            row.metrics[metric]
            for clip, row in chosen
            if row.metrics.get(metric) is not None
            and (others is None or (clip in table[others] and table[others][clip].metrics.get(metric) is not None))
        ]

    means = {s: {m: mean_with_interval(values(s, m)) for m in metrics} for s in systems}
    against = {
        s: {m: paired_difference(values(s, m, baseline), values(baseline, m, s)) for m in metrics}
        for s in systems
        if s != baseline
    }
    speed, memory, fingerprints = {}, {}, {}
    for system in systems:
        cost = sum(row.compute_seconds for row in table[system].values())
        speed[system] = sum(row.seconds for row in table[system].values()) / cost if cost else None
        memory[system] = max((row.peak_bytes for row in table[system].values() if row.peak_bytes), default=None)
        hashes = "".join(sorted(row.sha256 for row in table[system].values()))
        fingerprints[system] = hashlib.sha256(hashes.encode()).hexdigest()
    reasons = {name: why for name, d in SET_DISTANCES.items() if (why := EMBEDDINGS[d.embedding].why_not())}
    sets = {system: {name: _distance(system, name, embeddings) for name in SET_DISTANCES} for system in systems}
    counts = {name: sum(map(len, embeddings.get(f"{name}/{REFERENCE}", []))) for name in EMBEDDINGS}
    return Summary(
        systems, tuple(metrics), baseline, means, against, sets, counts, speed, memory, fingerprints, reasons
    )


def _distance(system: str, name: str, embeddings: dict[str, list[np.ndarray]]) -> float | None:
    """None where the sets are not matched, because a clip failed, or too small."""
    distance = SET_DISTANCES[name]
    pair = [embeddings.get(f"{distance.embedding}/{whose}") for whose in (REFERENCE, system)]
    if not all(pair):
        return None
    reference, estimate = map(np.concatenate, pair)
    return distance.compute(reference, estimate) if len(reference) == len(estimate) > 1 else None
