"""Absolute category rating, ITU-T P.800: one output at a time, from 1 (bad) to 5 (excellent)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from eval.listening.analysis.precision import Spread
from eval.listening.analysis.votes import REFERENCE, Rating
from eval.listening.tasks.rating import RatingTask
from eval.listening.tasks.task import is_whole, origin
from eval.listening.trial import BEEPS, DEGRADED, Trial

if TYPE_CHECKING:
    from eval.listening.study import Study

MAX_DEGRADED_SCORE = 2  # of the degraded anchor


class Acr(RatingTask):
    """A unit is one condition; the recording is hidden among them. The check with beeps is answered with their number."""

    id = "acr"
    title = "Rate outputs, 1 to 5"
    about = "Rate one output at a time from 1 (bad) to 5 (excellent), ITU-T P.800."
    seconds_per_trial = 8
    is_reference_free = True
    gold = (DEGRADED,)
    measurement = "ordinal"
    edges = (0.5, 1.5, 2.5, 3.5, 4.5, 5.5)
    categories = ("1 bad", "2 poor", "3 fair", "4 good", "5 excellent")
    points = "points of 5"
    digits = 2
    planned = "{:.2f} points of MOS"
    spread = Spread(2 * 0.2**2, 2 * 0.2**2, 2 * 0.7**2)  # standard deviations of 0.2, 0.2 and 0.7 points
    max_repeat_difference = 1.0  # one category

    def units(self, systems: Sequence[str], pairs: Sequence[tuple[str, str]] = ()) -> Sequence[tuple[str, ...]]:
        return [(condition,) for condition in self.conditions(systems)]

    def trial(self, study: Study, row: int, item: int, unit: int) -> Trial:
        return Trial("trial", study.items[item], study.clip_units[unit])

    def training(self, study: Study) -> list[Trial]:
        return [Trial("training", study.check_item, (condition,)) for condition in (REFERENCE, DEGRADED)]

    def trap(self, one: str, other: str) -> tuple[str, ...]:
        return (one,)

    def allowed(self, trial: Trial) -> str:
        return "a whole number from 1 to 5"

    def is_answer(self, trial: Trial, answer: object) -> bool:
        return is_whole(answer, 1, 5)

    def passes(self, trial: Trial, answer: int) -> bool:
        return answer <= MAX_DEGRADED_SCORE if trial.kind == "gold" else answer == BEEPS.index(trial.shown[0]) + 1

    def votes(self, row: Mapping) -> list[Rating]:
        return [Rating(system=row["shown"][0], score=row["answer"], **origin(row))]
