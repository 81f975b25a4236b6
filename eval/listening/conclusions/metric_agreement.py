"""Which metric would have predicted what the listeners said: rank correlations over clips and systems."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import factorial
from typing import Any

import numpy as np

from eval.listening.analysis.estimates import ALPHA
from eval.listening.analysis.votes import REFERENCE, AbxResponse, Extremes, Preference, Rating, Vote
from eval.listening.storage.records import Stimulus

MIN_CORRELATION_POINTS = 5  # of scores with a metric
MIN_CLIPS = 5  # for an interval, which is for new clips
RESAMPLES = 500
FEW_SYSTEMS = 6  # below it the order of the systems is often right by chance


def human_scores(votes: Sequence[Vote]) -> dict[tuple[str, str], float]:
    """{(item, system): the higher, the better}: the mean score, the share of wins, how often best minus how often worst by how often
    shown, or the share of wrong ABX answers. Scores of pairs of systems are of neither."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for vote in (vote for vote in votes if not vote.repeat):
        if isinstance(vote, Rating):
            found[vote.item, vote.system].append(vote.score)
        elif isinstance(vote, Preference):
            for slot, system in enumerate(vote.systems):
                found[vote.item, system].append(0.5 if vote.choice is None else float(vote.choice == slot))
        elif isinstance(vote, Extremes):
            best, worst = vote.meant
            for system in vote.systems:
                found[vote.item, system].append(float(system == best) - float(system == worst))
        elif isinstance(vote, AbxResponse) and REFERENCE in vote.systems:
            (system,) = set(vote.systems) - {REFERENCE}
            found[vote.item, system].append(float(not vote.right))
    return {cell: float(np.mean(values)) for cell, values in found.items()}


def agreement_with_metrics(votes: Sequence[Vote], stimuli: Sequence[Stimulus]) -> dict[str, dict]:
    """{metric: points of (item, system, value, score), with rank correlations over outputs and over systems}."""
    human = human_scores(votes)
    found: dict[str, dict] = {}
    for name in dict.fromkeys(name for stimulus in stimuli for name in stimulus.metrics):
        points: list[dict[str, Any]] = [
            {"item": s.item, "system": s.condition, "value": value, "score": human[s.item, s.condition]}
            for s in stimuli
            if (value := s.metrics.get(name)) is not None and (s.item, s.condition) in human
        ]
        if points:
            systems = [
                [float(np.mean([p[key] for p in points if p["system"] == system])) for key in ("value", "score")]
                for system in dict.fromkeys(point["system"] for point in points)
            ]
            found[name] = {
                "points": points,
                "takes": _correlation([(p["value"], p["score"]) for p in points]) | _interval(points),
                "systems": _correlation(systems),
            }
    return found


def warning_for_few(systems: int, metrics: int) -> str:
    """Two sentences where there are too few systems for their order to say much; empty otherwise."""
    if systems >= FEW_SYSTEMS or systems < 2 or not metrics:
        return ""
    chance = factorial(systems)
    return (
        f"With {systems} systems, a metric that knows nothing puts them into the listeners' order once in {chance} cases; of "
        f"{metrics} such metrics {metrics / chance:.2g} do so on average. The interval is for new clips of these systems, and says "
        "nothing about others."
    )


def _correlation(pairs: Sequence[Sequence[float]]) -> dict:
    """Spearman's; None with too few points, or where one side does not vary."""
    return {"n": len(pairs), "spearman": _spearman(np.asarray(pairs, float))}


def _spearman(pairs: np.ndarray) -> float | None:
    from scipy.stats import rankdata

    if len(pairs) < MIN_CORRELATION_POINTS or min(np.ptp(pairs, axis=0)) == 0:
        return None
    return float(np.corrcoef(rankdata(pairs, axis=0).T)[0, 1])


def _interval(points: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """Percentiles over clips drawn again, each with all of its outputs: those of one clip are not independent."""
    clips = [
        np.asarray([(p["value"], p["score"]) for p in points if p["item"] == item], float)
        for item in dict.fromkeys(point["item"] for point in points)
    ]
    if len(clips) < MIN_CLIPS or _spearman(np.concatenate(clips)) is None:
        return {"low": None, "high": None}
    rng = np.random.default_rng(0)
    drawn = [
        _spearman(np.concatenate([clips[k] for k in rng.integers(len(clips), size=len(clips))]))
        for _ in range(RESAMPLES)
    ]
    ends = np.quantile([value for value in drawn if value is not None], [ALPHA / 2, 1 - ALPHA / 2])
    return {"low": float(ends[0]), "high": float(ends[1])}
