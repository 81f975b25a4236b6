"""Ratings: the mean score of each system, and paired differences between systems, by rater and clip."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from eval.listening.analysis.estimates import ClusteredEstimate, clustered_interval, holm
from eval.listening.analysis.votes import Rating

Scores = dict[tuple[str, str], float]  # by (rater, item)


def scores_by_system(ratings: Sequence[Rating]) -> dict[str, Scores]:
    """One score per rater, item and system: their mean where there are several. Repeats have no vote."""
    collected: dict[str, dict[tuple[str, str], list[float]]] = defaultdict(lambda: defaultdict(list))
    for rating in ratings:
        if not rating.repeat:
            collected[rating.system][rating.rater, rating.item].append(rating.score)
    return {
        system: {cell: sum(scores) / len(scores) for cell, scores in sorted(collected[system].items())}
        for system in sorted(collected)
    }


def means_by_item(scores: Scores) -> dict[str, float]:
    """The mean over raters of one system's scores of each item."""
    groups = defaultdict(list)
    for (_, item), score in scores.items():
        groups[item].append(score)
    return {item: float(np.mean(values)) for item, values in groups.items()}


def means(ratings: Sequence[Rating]) -> dict[str, ClusteredEstimate]:
    """The mean score of every system, by name."""
    return {system: _interval(scores) for system, scores in scores_by_system(ratings).items()}


@dataclass(frozen=True)
class PairedDifference:
    """Of ratings: score of `first` minus that of `second` by the same rater on the same clip, in points of the scale. Of choices in
    best-worst sets: difference of utilities."""

    first: str
    second: str
    difference: ClusteredEstimate
    p_holm: float | None  # over all pairs of systems


def paired_differences(ratings: Sequence[Rating]) -> list[PairedDifference]:
    """Every pair of systems. A rater's and a clip's general level cancel, so these are more precise than differences of means."""
    by_system = scores_by_system(ratings)
    return of_all_pairs(
        list(by_system),
        lambda first, second: _interval(_difference(by_system[first], by_system[second]), null=0.0),
    )


def of_all_pairs(systems: Sequence[str], difference: Callable[[str, str], ClusteredEstimate]) -> list[PairedDifference]:
    """Every pair of systems, in their order, with Holm's correction over all of them. difference: of a first and a second system."""
    pairs = list(combinations(systems, 2))
    found = [difference(*pair) for pair in pairs]
    adjusted = holm([estimate.p for estimate in found])
    return [PairedDifference(*pair, estimate, p) for pair, estimate, p in zip(pairs, found, adjusted)]


def paired_difference(ratings: Sequence[Rating], first: str, second: str) -> ClusteredEstimate:
    """The same of one pair: `first` minus `second`."""
    scores = scores_by_system(ratings)
    return _interval(_difference(scores.get(first, {}), scores.get(second, {})), null=0.0)


@dataclass(frozen=True)
class MeanAgainst:
    """The mean score of a system, whose `p` tests one value of the scale."""

    system: str
    mean: ClusteredEstimate
    p_holm: float | None  # over all systems, unless a task tests more together


def means_against(ratings: Sequence[Rating], null: float) -> list[MeanAgainst]:
    """Every system, the best first. null: the mean that is tested."""
    found = {system: _interval(scores, null) for system, scores in scores_by_system(ratings).items()}
    adjusted = holm([estimate.p for estimate in found.values()])
    rows = [MeanAgainst(system, estimate, p) for (system, estimate), p in zip(found.items(), adjusted)]
    return sorted(rows, key=lambda row: -row.mean.mean)


def mean_of(ratings: Sequence[Rating], system: str, null: float | None = None) -> ClusteredEstimate:
    """The mean score of one system. null: the mean that `p` tests."""
    return _interval(scores_by_system(ratings).get(system, {}), null)


def _difference(ours: Scores, theirs: Scores) -> Scores:
    return {cell: score - theirs[cell] for cell, score in ours.items() if cell in theirs}


def _interval(scores: Scores, null: float | None = None) -> ClusteredEstimate:
    raters, items = zip(*scores) if scores else ((), ())
    return clustered_interval(list(scores.values()), raters, items, null)
