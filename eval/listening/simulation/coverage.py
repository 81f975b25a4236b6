"""How often the interval of a task's effect covers the truth, in simulated studies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eval.listening.analysis.precision import Spread
from eval.listening.simulation.planned import planned_study, population_votes, simulated_votes
from eval.listening.study import Study

POPULATION = 4000  # listeners whose votes give the truth


@dataclass(frozen=True)
class Coverage:
    """Of `studies` simulated studies, each with new listeners and clips. share: whose interval holds `truth`; found: that find the
    difference, which for no difference are the false alarms."""

    studies: int
    truth: float
    share: float
    found: float


def coverage(
    mode: str,
    raters: int,
    items: int,
    difference: float | None = None,
    studies: int = 500,
    seed: int = 0,
    spread: Spread | None = None,
) -> Coverage:
    """difference: as a plan's; None: the task's own. Errors: ValueError for an unknown mode."""
    study = planned_study(mode, items)
    task, rng = study.task, np.random.default_rng([seed, raters, items])
    difference = task.difference if difference is None else difference
    truth = truth_of(study, difference, rng, spread)
    covered = found = 0
    for _ in range(studies):
        votes = [vote for own in simulated_votes(study, difference, raters, rng, spread) for vote in own]
        effect = task.effect(votes, *task.contrast)
        if effect.low is not None and effect.high is not None:
            covered += effect.low <= truth <= effect.high
        found += task.finds(votes, *task.contrast)
    return Coverage(studies, truth, covered / studies, found / studies)


def truth_of(study: Study, difference: float, rng: np.random.Generator, spread: Spread | None = None) -> float:
    """The effect over all listeners and clips: that in the votes of very many, each of whom hears clips of their own."""
    population = population_votes(study, difference, POPULATION, rng, spread)
    return study.task.effect(population, *study.task.contrast).mean
