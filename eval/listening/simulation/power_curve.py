"""Power of a planned study by simulation: how often so many raters find a difference that is there.

Every simulated study draws new listeners and clips, answers through the study's own plan and is analysed as a real one. Studies of more
raters go on from those of fewer, so that the points of a curve differ by the raters that were added and not by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from eval.listening.analysis.precision import POWER, Spread
from eval.listening.simulation.planned import planned_study, simulated_votes
from eval.listening.study import session_minutes
from eval.listening.tasks.registry import task_of

RATERS = (4, 6, 8, 12, 16, 24, 32, 48, 64)
MIN_RATERS, MAX_RATERS = 2, 200  # of a point
STUDIES, MIN_STUDIES, MAX_STUDIES = 200, 20, 5000
PILOT_STUDIES = 20  # after which points beyond two that always find the difference are left out


@dataclass(frozen=True)
class Point:
    """power: share of the simulated studies that find the difference; error: its standard error."""

    raters: int
    power: float
    error: float


@dataclass(frozen=True)
class Curve:
    """minutes: of one rater's session, without checks; at most, where a session ends early. spread: as assumed."""

    mode: str
    difference: float
    items: int
    systems: int
    studies: int
    seed: int
    minutes: int
    spread: Spread
    points: tuple[Point, ...]

    @property
    def needed(self) -> int | None:
        """The fewest raters of the points with a power of 0.8, after isotonic regression, since more raters find no less; None if
        there are none."""
        from scipy.optimize import isotonic_regression

        rising = isotonic_regression([point.power for point in self.points]).x
        return next((point.raters for point, power in zip(self.points, rising) if power >= POWER), None)

    @property
    def verdict(self) -> str:
        """One sentence."""
        task, clips = task_of(self.mode), f"{self.items} {'clip' if self.items == 1 else 'clips'}"
        what = f"a difference of {self.difference:g} {task.effect_unit}"
        if self.needed is None:
            return f"With {clips}, {self.points[-1].raters} raters do not find {what} four times out of five: use more clips."
        hours = self.needed * self.minutes / 60
        return (
            f"{self.needed} raters x {clips}, {self.minutes} minutes each and {hours:.1f} hours together, "
            f"find {what} four times out of five or more."
        )

    @property
    def assumed(self) -> str:
        """What listeners are assumed to be like, in one sentence."""
        rater, item, noise = (sqrt(part / 2) for part in (self.spread.rater, self.spread.item, self.spread.residual))
        drawn = f", of one answer {noise:.3g}" if noise else ", answers drawn from the model of the analysis"
        return (
            f"Assumed standard deviations of one condition: between listeners {rater:.3g}, between clips {item:.3g}{drawn}; "
            f"{self.studies} simulated studies, seed {self.seed}."
        )


def power_curve(
    mode: str,
    items: int,
    difference: float | None = None,
    systems: int | None = None,
    raters: Sequence[int] = RATERS,
    studies: int = STUDIES,
    seed: int = 0,
    spread: Spread | None = None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Curve:
    """items: clips that everybody hears. difference: in the unit of `Task.effect_unit`; None: the task's own. systems: of the study,
    for the length of a session and its sets; None: as few as there can be. report: called with (studies done, in all).

    Errors: ValueError for an unknown mode, a difference or numbers outside of what is possible; `StudyError` for sizes of no study.
    """
    task = task_of(mode)
    difference = task.difference if difference is None else difference
    low, high = task.differences
    if not low < difference <= high:
        raise ValueError(
            f"difference: {difference:g} is not possible; allowed: above {low:g}, up to {high:g} {task.effect_unit}"
        )
    counts = sorted(set(raters))
    if not counts or counts[0] < MIN_RATERS or counts[-1] > MAX_RATERS:
        raise ValueError(f"raters: {list(raters)} are not possible; allowed: {MIN_RATERS} to {MAX_RATERS}")
    if not MIN_STUDIES <= studies <= MAX_STUDIES:
        raise ValueError(f"studies: {studies} is not possible; allowed: {MIN_STUDIES} to {MAX_STUDIES}")
    study, rng = planned_study(mode, items, systems), np.random.default_rng([seed, items])
    found = dict.fromkeys(counts, 0)
    for number in range(studies):
        report(number, studies)
        own = simulated_votes(study, difference, max(found), rng, spread)
        for count in found:
            found[count] += task.finds([vote for votes in own[:count] for vote in votes], *task.contrast)
        if number + 1 == PILOT_STUDIES:
            found = _without_certain(found)
    report(studies, studies)
    points = (
        Point(n, hits / studies, sqrt(hits / studies * (1 - hits / studies) / studies)) for n, hits in found.items()
    )
    minutes = session_minutes(mode, study.planned)
    return Curve(
        mode, difference, items, len(study.systems), studies, seed, minutes, spread or task.spread, tuple(points)
    )


def _without_certain(found: dict[int, int]) -> dict[int, int]:
    """Up to the second point at which every pilot study found the difference."""
    certain = [count for count, hits in found.items() if hits == PILOT_STUDIES]
    return {count: hits for count, hits in found.items() if len(certain) < 2 or count <= certain[1]}
