"""MUSHRA, ITU-R BS.1534: all conditions of a clip against the open reference, from 0 to 100."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from eval.listening.analysis.reliability import slot_effect
from eval.listening.analysis.screening import Rule, hidden_reference
from eval.listening.analysis.votes import ANCHOR, MID_ANCHOR, REFERENCE, Rating
from eval.listening.orders import slot_order
from eval.listening.tasks.material import Material
from eval.listening.tasks.scores.hundred import MAX_BEEPS_SCORE, MIN_REFERENCE_SCORE, HundredTask
from eval.listening.tasks.task import is_whole, origin
from eval.listening.trial import Trial

if TYPE_CHECKING:
    from eval.listening.study import Study


class Mushra(HundredTask):
    """One unit per clip, with the hidden reference and the anchors. An answer is a score for each output."""

    id = "mushra"
    title = "MUSHRA, 0 to 100"
    about = "Rate all outputs of a clip against the recording from 0 to 100, ITU-R BS.1534."
    seconds_per_trial = 75
    anchors = MappingProxyType({ANCHOR: 3500.0})
    extra_anchors = MappingProxyType({MID_ANCHOR: 7000.0})

    def units(self, material: Material) -> Sequence[tuple[str, ...]]:
        return [self.conditions(material)]

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
        return all(is_whole(score, *self.bounds) for score in answer)

    def answers(self, trial: Trial) -> Iterable[list[int]]:
        return map(list, product(self.bounds, repeat=len(trial.shown)))

    def passes(self, trial: Trial, answer: list[int]) -> bool:
        """The check's sound against the recording; whatever the other outputs of its trial were given."""
        bad, good = answer[trial.checked_slot], answer[trial.shown.index(REFERENCE)]
        return bad < good if trial.kind == "gold" else bad <= MAX_BEEPS_SCORE and good >= MIN_REFERENCE_SCORE

    def votes(self, row: Mapping) -> list[Rating]:
        return [
            Rating(system=system, score=score, slot=slot, **origin(row))
            for slot, (system, score) in enumerate(zip(row["shown"], row["answer"]))
        ]

    def answer_about(self, answer: list[int], slot: int) -> int:
        return answer[slot]

    def respond(self, trial: Trial, levels: Sequence[float], rng: np.random.Generator) -> list[int]:
        """The hidden reference is recognised."""
        pairs = zip(trial.shown, levels)
        return [100 if condition == REFERENCE else self.score(level, rng) for condition, level in pairs]

    @property
    def rules(self) -> tuple[Rule[Rating], ...]:
        return (hidden_reference, *self.rating_rules)

    def analyse(self, votes: Sequence[Rating]) -> dict:
        return super().analyse(votes) | {"slot_effect": slot_effect(votes)}
