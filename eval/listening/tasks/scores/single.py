"""Tasks that ask for the category of one output at a time, from 1 to 5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from eval.listening.analysis.votes import REFERENCE, Rating
from eval.listening.tasks.material import Material
from eval.listening.tasks.scores.rating import RatingTask
from eval.listening.tasks.task import origin
from eval.listening.trial import BEEPS, DEGRADED, Trial

if TYPE_CHECKING:
    from eval.listening.study import Study

MAX_DEGRADED_SCORE = 2  # of the degraded anchor


class SingleTask(RatingTask):
    """A unit is one condition; the recording is one of them. The check with beeps is answered with their number."""

    gold = (DEGRADED,)

    def units(self, material: Material) -> Sequence[tuple[str, ...]]:
        return [(condition,) for condition in self.conditions(material)]

    def trial(self, study: Study, row: int, item: int, unit: int) -> Trial:
        return Trial("trial", study.items[item], study.clip_units[unit])

    def training(self, study: Study) -> list[Trial]:
        return [Trial("training", study.check_item, (condition,)) for condition in (REFERENCE, DEGRADED)]

    def trap(self, one: str, other: str) -> tuple[str, ...]:
        return (one,)

    def passes(self, trial: Trial, answer: int) -> bool:
        return answer <= MAX_DEGRADED_SCORE if trial.kind == "gold" else answer == BEEPS.index(trial.shown[0]) + 1

    def votes(self, row: Mapping) -> list[Rating]:
        return [Rating(system=row["shown"][0], score=row["answer"], **origin(row))]
