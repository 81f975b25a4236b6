"""Simulated listeners, whose opinions are known and whose answers pass through a study's own plan, votes and analysis.

A listener's level of a condition for a clip is

    quality(condition) + severity(listener) + taste(listener, condition) + level(clip) + fit(clip, condition)

all normal around the quality, with the standard deviations of `Task.spread`; the noise of one answer is `Task.respond`'s. A level
common to all conditions cancels wherever conditions are compared.
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np

from eval.listening.analysis.precision import Spread
from eval.listening.analysis.votes import ANCHOR, MID_ANCHOR, REFERENCE
from eval.listening.study import Study
from eval.listening.tasks.task import Task
from eval.listening.trial import DEGRADED, Trial

SHARES = {DEGRADED: 0.0, ANCHOR: 0.2, MID_ANCHOR: 0.5, REFERENCE: 1.0}  # of the way from the worst level to the best


class Opinions:
    """Levels of conditions, drawn when they are first asked for. The order of the questions decides what is drawn, so a seed
    gives the same opinions to the same study."""

    def __init__(self, task: Task, quality: Mapping[str, float], rng: np.random.Generator) -> None:
        """quality: {condition: level on `task.scale`}; the recording, the anchors and the degraded output have levels of their own,
        unless they are given."""
        self.quality = {condition: task.level_at(share) for condition, share in SHARES.items()} | dict(quality)
        self.task, self.rng = task, rng
        self._rater, self._item = (sqrt(variance / 2) for variance in (task.spread.rater, task.spread.item))
        self._drawn: dict[Hashable, float] = {}

    def level(self, rater: str, item: str, condition: str) -> float:
        """Of a condition, for one listener and clip."""
        own = self._draw(("rater", rater), self._rater) + self._draw(("taste", rater, condition), self._rater)
        clip = self._draw(("item", item), self._item) + self._draw(("fit", item, condition), self._item)
        return self.quality[condition] + own + clip

    def answer(self, rater: str, trial: Trial) -> Any:
        """The answer to a trial; checks are passed."""
        if trial.kind in ("gold", "trap"):
            return self.task.right(trial)
        levels = [self.level(rater, trial.item, condition) for condition in trial.shown]
        return self.task.respond(trial, levels, self.rng)

    def _draw(self, key: Hashable, deviation: float) -> float:
        found = self._drawn.get(key)
        if found is None:
            found = self._drawn[key] = float(self.rng.normal(0, deviation))
        return found


def session_rows(study: Study, plan: Sequence[Trial], rater: str, opinions: Opinions) -> list[dict]:
    """The answers of one listener to a whole session, in the fields of `Store.answers` that votes are read from."""
    answers: dict[int, Any] = {}
    rows = []
    while (number := study.task.next_trial(plan, answers)) is not None:
        trial = plan[number]
        answers[number] = opinions.answer(rater, trial)
        place = {"rater": rater, "number": number, "kind": trial.kind, "item": trial.item}
        rows.append({**place, "shown": list(trial.shown), "x": trial.x, "answer": answers[number]})
    return rows


def with_spread(task: Task, spread: Spread | None) -> Task:
    """The task with other variances of its simulated listeners."""
    if spread is None:
        return task
    other = copy.copy(task)
    other.spread = spread  # type: ignore[misc]
    return other
