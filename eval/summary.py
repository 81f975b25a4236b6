"""What a comparison of many clips comes to: means with intervals, paired differences, distances between whole sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from eval.batch import REFERENCE, Row
from eval.distributions import frechet_distance, kernel_distance
from eval.statistics import Estimate, mean_with_interval, paired_difference

SETS = {  # of embeddings: name, unit, what it is
    "FAD-distillmos": "Fréchet distance of Distill-MOS embeddings between the recordings and the takes, matched clips",
    "KAD-distillmos": "Kernel distance of the same embeddings, x 100; unbiased, so it does not depend on their number",
}


@dataclass(frozen=True)
class Summary:
    """`means[system][metric]` and `against[system][metric]` = system - baseline, over the clips both have.

    `sets[system][name]` are distances of whole sets over `embeddings` windows; `reasons` says what could not be computed.
    """

    systems: tuple[str, ...]
    metrics: tuple[str, ...]
    baseline: str
    means: dict[str, dict[str, Estimate | None]]
    against: dict[str, dict[str, Estimate | None]]
    sets: dict[str, dict[str, float | None]]
    embeddings: int
    speed: dict[str, float | None]  # times real time, over all clips
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
    speed = {}
    for system in systems:
        cost = sum(row.compute_seconds for row in table[system].values())
        speed[system] = sum(row.seconds for row in table[system].values()) / cost if cost else None
    sets, count, reason = _sets(systems, embeddings)
    reasons = dict.fromkeys(SETS, reason) if reason else {}
    reasons["FAD"] = "VGGish's weights come with no package; FAD-distillmos stands in under its own name"
    return Summary(systems, tuple(metrics), baseline, means, against, sets, count, speed, reasons)


def _sets(systems: Sequence[str], embeddings: dict[str, list[np.ndarray]]) -> tuple[dict, int, str]:
    """Distances, the number of embeddings of each set, and why there are none."""
    nothing = {system: dict.fromkeys(SETS) for system in systems}
    if REFERENCE not in embeddings:
        return nothing, 0, "the package distillmos is not installed"
    reference = np.concatenate(embeddings[REFERENCE])
    found = {}
    for system in systems:
        estimate = np.concatenate(embeddings.get(system) or [reference[:0]])
        if len(estimate) != len(reference) or len(reference) < 2:  # a clip failed: the sets would not be matched
            found[system] = dict.fromkeys(SETS)
            continue
        distances = frechet_distance(reference, estimate), kernel_distance(reference, estimate)
        found[system] = dict(zip(SETS, distances))
    return found, len(reference), ""
