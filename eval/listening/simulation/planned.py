"""The study that a simulated plan runs: two conditions a known difference apart, and, on request, others between them."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np

from eval.listening.analysis.precision import Spread
from eval.listening.analysis.results import votes_of
from eval.listening.analysis.votes import REFERENCE, Vote
from eval.listening.design import plan_session
from eval.listening.simulation.listeners import Opinions, session_rows, with_spread
from eval.listening.study import MAX_TRIALS, Study
from eval.listening.tasks.material import Material
from eval.listening.tasks.registry import task_of
from eval.listening.trial import Trial


def planned_study(mode: str, items: int, systems: int | None = None, seed: int = 0) -> Study:
    """Without checks and repeats. systems: how many there are; None: as few as the plan needs.

    Errors: ValueError for an unknown mode; `StudyError` for sizes that no study has.
    """
    task = task_of(mode)
    compared = [condition for condition in task.contrast if condition != REFERENCE]
    others = [f"other-{number}" for number in range(1, max(systems or 0, task.min_systems) - len(compared) + 1)]
    names = tuple(f"clip-{number}" for number in range(1, items + 1))
    systems_of_plan = (*compared, *others)
    everything = len(task.units(Material(systems_of_plan))) * items
    most = MAX_TRIALS // task.rounds(max(items, 1))
    trials = most if everything > most else None  # everybody then has a share of the questions, as such a study must
    return Study("plan", mode, names, systems_of_plan, trials=trials, repeats=0, golds=0, traps=0, seed=seed)


@functools.lru_cache(maxsize=4096)
def session_of(study: Study, row: int) -> tuple[Trial, ...]:
    """As `plan_session`, without training: the design is the same in every simulated study."""
    return tuple(trial for trial in plan_session(study, row) if trial.kind != "training")


def qualities(study: Study, difference: float) -> Mapping[str, float]:
    """{condition: level}: the compared ones apart by the difference, all others half way between them."""
    first, second = study.task.levels(difference)
    levels = dict.fromkeys(study.systems, (first + second) / 2)
    return levels | dict(zip(study.task.contrast, (first, second)))


def simulated_votes(
    study: Study, difference: float, raters: int, rng: np.random.Generator, spread: Spread | None = None
) -> list[list[Vote]]:
    """The votes of each rater of one simulated study."""
    opinions = Opinions(with_spread(study.task, spread), qualities(study, difference), rng)
    names = [f"rater-{row}" for row in range(raters)]
    return [
        votes_of(study, session_rows(study, session_of(study, row), name, opinions)) for row, name in enumerate(names)
    ]


def population_votes(
    study: Study, difference: float, raters: int, rng: np.random.Generator, spread: Spread | None = None
) -> Sequence[Vote]:
    """Votes of so many raters, each of whom hears clips of their own: the effect in these is the truth about all raters and clips."""
    opinions = Opinions(with_spread(study.task, spread), qualities(study, difference), rng)
    votes: list[Vote] = []
    for number in range(raters):
        plan = session_of(study, number % 64)
        own = [Trial(trial.kind, f"{trial.item}-{number}", trial.shown, trial.x) for trial in plan]
        votes += votes_of(study, session_rows(study, own, f"rater-{number}", opinions))
    return votes
