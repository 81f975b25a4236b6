"""A rehearsal of every trial there is: all that a listener may be asked, without the wait until everything was heard."""

from __future__ import annotations

from collections.abc import Sequence

from eval.listening.design import plan_session
from eval.listening.session.rehearsal import Rehearsal
from eval.listening.storage.records import Rater, StoredStudy
from eval.listening.study import Study
from eval.listening.trial import Trial


class EveryTrial(Rehearsal):
    """Nobody is turned away, and a sequential test does not end early: whatever is answered, all trials come."""

    prefix = "trials."
    turns_away = False

    @staticmethod
    def plan(study: Study) -> Sequence[Trial]:
        """The session of the first rater, checks and repeats in it, and then whatever questions others are asked."""
        first = plan_session(study, 0)
        asked = {(trial.item, frozenset(trial.shown)) for trial in first if trial.counted}
        units = [(item, unit) for item in range(len(study.items)) for unit in range(len(study.clip_units))]
        others = [study.task.trial(study, 0, item, unit) for item, unit in units]
        return (*first, *(trial for trial in others if (trial.item, frozenset(trial.shown)) not in asked))

    def _welcome(self, stored: StoredStudy, is_preview: bool = False) -> dict:
        welcome = super()._welcome(stored, is_preview)
        counted = [trial for trial in self.plan(stored.study) if trial.kind != "training"]
        return welcome | {"study": welcome["study"] | {"trials": len(counted)}}

    def _next_number(self, stored: StoredStudy, rater: Rater, answered: int) -> int | None:
        return answered if answered < len(rater.plan) else None

    def _needed(self, seconds: float) -> float:
        return 0.0
