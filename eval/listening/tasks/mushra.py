"""MUSHRA, ITU-R BS.1534: all conditions of a clip against the open reference, from 0 to 100."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from eval.listening.analysis.precision import Spread
from eval.listening.analysis.reliability import slot_effect
from eval.listening.analysis.screening import Rule, hidden_reference
from eval.listening.analysis.votes import ANCHOR, REFERENCE, Rating
from eval.listening.orders import slot_order
from eval.listening.tasks.rating import RatingTask
from eval.listening.tasks.task import is_whole, origin
from eval.listening.trial import Trial

if TYPE_CHECKING:
    from eval.listening.study import Study

MAX_BEEPS_SCORE, MIN_REFERENCE_SCORE = 5, 95  # of the check with beeps, which asks for 0 and 100


class Mushra(RatingTask):
    """One unit per clip, with the hidden reference and the anchor. An answer is a score for each output."""

    id = "mushra"
    title = "MUSHRA, 0 to 100"
    about = "Rate all outputs of a clip against the recording from 0 to 100, ITU-R BS.1534."
    seconds_per_trial = 75
    anchors = MappingProxyType({ANCHOR: 3500.0})
    measurement = "interval"
    edges = (0, 20, 40, 60, 80, 100)
    categories = ("0 to 20, bad", "20 to 40, poor", "40 to 60, fair", "60 to 80, good", "80 to 100, excellent")
    points = "points of 100"
    digits = 1
    planned = "{:.1f} points of 100"
    # standard deviations of 6, 6 and 12 points; the open reference reduces the spread
    spread = Spread(2 * 6**2, 2 * 6**2, 2 * 12**2)
    max_repeat_difference = 25.0  # a quarter of the scale

    def units(self, systems: Sequence[str], pairs: Sequence[tuple[str, str]] = ()) -> Sequence[tuple[str, ...]]:
        return [self.conditions(systems)]

    def trial(self, study: Study, row: int, item: int, unit: int) -> Trial:
        return Trial("trial", study.items[item], slot_order(study.clip_units[unit], study.seed, row + item))

    def training(self, study: Study) -> list[Trial]:
        return [Trial("training", study.check_item, slot_order(study.conditions, study.seed, 0))]

    def slots(self, trial: Trial) -> list[tuple[str, str]]:
        return [("reference", REFERENCE), *super().slots(trial)]

    def allowed(self, trial: Trial) -> str:
        return f"{len(trial.shown)} whole numbers from 0 to 100"

    def is_answer(self, trial: Trial, answer: object) -> bool:
        if not isinstance(answer, list) or len(answer) != len(trial.shown):
            return False
        return all(is_whole(score, 0, 100) for score in answer)

    def passes(self, trial: Trial, answer: list[int]) -> bool:
        bad, good = answer[trial.checked_slot], answer[1 - trial.checked_slot]
        return bad < good if trial.kind == "gold" else bad <= MAX_BEEPS_SCORE and good >= MIN_REFERENCE_SCORE

    def votes(self, row: Mapping) -> list[Rating]:
        return [
            Rating(system=system, score=score, slot=slot, **origin(row))
            for slot, (system, score) in enumerate(zip(row["shown"], row["answer"]))
        ]

    def answer_about(self, answer: list[int], slot: int) -> int:
        return answer[slot]

    @property
    def rules(self) -> tuple[Rule[Rating], ...]:
        return (hidden_reference, *super().rules)

    def analyse(self, votes: Sequence[Rating]) -> dict:
        return super().analyse(votes) | {"slot_effect": slot_effect(votes)}
