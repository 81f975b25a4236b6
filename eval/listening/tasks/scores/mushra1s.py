"""MUSHRA 1S (Lechler & Balic 2025, arXiv 2509.19219): one condition at a time against the open reference and fixed open anchors."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np

from eval.listening.analysis.precision import Spread
from eval.listening.analysis.screening import Rule, hidden_reference
from eval.listening.analysis.votes import ANCHOR, MID_ANCHOR, REFERENCE, Rating
from eval.listening.tasks.material import Material
from eval.listening.tasks.scores.hundred import MAX_BEEPS_SCORE, HundredTask
from eval.listening.tasks.scores.single import SingleTask
from eval.listening.trial import Trial

MAX_DEGRADED_POINTS = 50  # of the degraded anchor


class Mushra1S(HundredTask, SingleTask):
    """A unit is one condition; the recording is hidden among them. The context of every score is the same, whatever the other
    systems are, and a system can be added later."""

    id = "mushra1s"
    title = "MUSHRA 1S: one output against reference and anchors, 0 to 100"
    about = "Rate one output at a time against the recording, beside fixed anchors, from 0 to 100 (MUSHRA 1S, arXiv 2509.19219)."
    seconds_per_trial = 20
    anchors = MappingProxyType({ANCHOR: 3500.0, MID_ANCHOR: 7000.0})
    # standard deviations of 7, 6 and 13 points: the other systems are not there to compare with
    spread = Spread(2 * 7**2, 2 * 6**2, 2 * 13**2)

    def conditions(self, material: Material) -> tuple[str, ...]:
        return (*material.systems, REFERENCE)

    def slots(self, trial: Trial) -> list[tuple[str, str]]:
        return [("reference", REFERENCE), ("low", ANCHOR), ("mid", MID_ANCHOR), *super().slots(trial)]

    def passes(self, trial: Trial, answer: int) -> bool:
        return answer <= (MAX_DEGRADED_POINTS if trial.kind == "gold" else MAX_BEEPS_SCORE)

    def respond(self, trial: Trial, levels: Sequence[float], rng: np.random.Generator) -> int:
        """The hidden recording, beside the open one, is recognised."""
        return 100 if trial.shown[-1] == REFERENCE else super().respond(trial, levels, rng)

    @property
    def rules(self) -> tuple[Rule[Rating], ...]:
        return (hidden_reference, *self.rating_rules)
