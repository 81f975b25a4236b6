"""Similarity of two outputs, from 1 (completely different) to 5 (the same)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from eval.listening.analysis.estimates import ClusteredEstimate
from eval.listening.analysis.precision import Spread
from eval.listening.analysis.ratings import paired_difference
from eval.listening.analysis.votes import Rating
from eval.listening.tasks.scores.comparison import ComparisonTask
from eval.listening.tasks.task import FIRST_SYSTEM, SECOND_SYSTEM, origin
from eval.listening.trial import Trial

MAX_DEGRADED_SCORE = 3  # of the recording against its degraded form, which sounds like it and not nearly the same


class Similarity(ComparisonTask):
    """A score is of a system against the recording, or of a pair that the study names. No order gives it a sign."""

    id = "similarity"
    title = "Similarity of two, 1 to 5"
    about = "How similar are the two sounds, from 1 (completely different) to 5 (the same)?"
    seconds_per_trial = 14
    is_reference_free = True
    measurement = "ordinal"
    bounds = (1, 5)
    edges = (0.5, 1.5, 2.5, 3.5, 4.5, 5.5)
    categories = ("1 completely different", "2 different", "3 similar", "4 nearly the same", "5 the same")
    points = "points of similarity"
    digits = 2
    planned = "{:.2f} points of similarity"
    spread = Spread(2 * 0.25**2, 2 * 0.25**2, 2 * 0.7**2)  # standard deviations of 0.25, 0.25 and 0.7 points
    scale = (1.0, 5.0)
    contrast = (FIRST_SYSTEM, SECOND_SYSTEM)
    difference, differences, effect_unit = 0.3, (0.0, 2.0), "points of similarity"
    max_repeat_difference = 1.0  # one category

    def passes(self, trial: Trial, answer: int) -> bool:
        """The degraded recording is not called nearly the same as the recording, and beeps are nothing like it."""
        return answer <= (MAX_DEGRADED_SCORE if trial.kind == "gold" else min(self.bounds))

    def votes(self, row: Mapping) -> list[Rating]:
        return [Rating(system=self.pair_name(row["shown"]), score=row["answer"], **origin(row))]

    def respond(self, trial: Trial, levels: Sequence[float], rng: np.random.Generator) -> int:
        """A level is that of the similarity to the recording."""
        return self.score(min(levels), rng)

    def effect(self, votes: Sequence[Rating], first: str, second: str) -> ClusteredEstimate:
        return paired_difference(votes, second, first)
