"""MUSHRA without a reference: all outputs of a clip, from 0 to 100, where no recording says how it should sound."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np

from eval.listening.analysis.precision import Spread
from eval.listening.analysis.screening import Rule, flat_scores
from eval.listening.analysis.votes import Rating
from eval.listening.tasks.material import Material
from eval.listening.tasks.scores.mushra import Mushra
from eval.listening.trial import Trial


class MushraWithoutReference(Mushra):
    """No open reference, no anchor, and no hidden reference to recognise: the recording, where there is one, is an output like the
    others. Raters are screened by the checks and the rules of ratings."""

    id = "mushranr"
    title = "MUSHRA without reference, 0 to 100"
    about = "Rate all outputs of a clip from 0 to 100, without a reference, after ITU-R BS.1534."
    seconds_per_trial = 60
    is_reference_free = True
    needs = "two systems"
    anchors = MappingProxyType({})
    extra_anchors = MappingProxyType({})
    # standard deviations of 8, 8 and 13 points: nothing but the outputs themselves anchors the scale
    spread = Spread(2 * 8**2, 2 * 8**2, 2 * 13**2)

    def units(self, material: Material) -> Sequence[tuple[str, ...]]:
        return [unit for unit in super().units(material) if len(unit) > 1]

    def slots(self, trial: Trial) -> list[tuple[str, str]]:
        return [("take", condition) for condition in trial.shown]

    def respond(self, trial: Trial, levels: Sequence[float], rng: np.random.Generator) -> list[int]:
        return [self.score(level, rng) for level in levels]

    @property
    def rules(self) -> tuple[Rule[Rating], ...]:
        return (flat_scores, *self.rating_rules)
