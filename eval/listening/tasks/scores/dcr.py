"""Degradation category rating, ITU-T P.800 annex D: the recording openly, then the output, from 1 (very annoying) to 5 (inaudible)."""

from __future__ import annotations

from collections.abc import Sequence

from eval.listening.analysis.precision import Spread
from eval.listening.analysis.screening import Flag, Rule, by_rater
from eval.listening.analysis.votes import REFERENCE, Rating
from eval.listening.tasks.scores.single import SingleTask
from eval.listening.trial import Trial

MIN_NULL_SCORE = 4  # of a null pair: audible at most, and not annoying
MAX_MISSED_NULL_SHARE = 0.5  # of the null pairs, that score lower


class Dcr(SingleTask):
    """A unit is one condition against the open recording. The recording against itself, the annex's null pair, is among them."""

    id = "dcr"
    title = "DCR: degradation against the recording, 1 to 5"
    about = "How annoying is the degradation of the output against the recording, from 1 (very annoying) to 5 (inaudible), ITU-T P.800 annex D?"
    seconds_per_trial = 13
    measurement = "ordinal"
    bounds = (1, 5)
    edges = (0.5, 1.5, 2.5, 3.5, 4.5, 5.5)
    categories = ("1 very annoying", "2 annoying", "3 slightly annoying", "4 audible, not annoying", "5 inaudible")
    points = "points of DMOS"
    digits = 2
    planned = "{:.2f} points of DMOS"
    # standard deviations of 0.2, 0.2 and 0.65 points: the open recording reduces the spread of a vote
    spread = Spread(2 * 0.2**2, 2 * 0.2**2, 2 * 0.65**2)
    scale = (1.2, 4.9)
    difference, differences, effect_unit = 0.3, (0.0, 2.0), "points of DMOS"
    max_repeat_difference = 1.0  # one category

    def slots(self, trial: Trial) -> list[tuple[str, str]]:
        return [("reference", REFERENCE), *super().slots(trial)]

    @property
    def rules(self) -> tuple[Rule[Rating], ...]:
        return (null_pair, *super().rules)


def null_pair(ratings: Sequence[Rating]) -> list[Flag]:
    """The recording called annoying against itself in more than half of its pairs."""
    flags = []
    for rater, own in by_rater(ratings).items():
        scores = [rating.score for rating in own if rating.system == REFERENCE and not rating.repeat]
        missed = sum(score < MIN_NULL_SCORE for score in scores)
        if missed > MAX_MISSED_NULL_SHARE * len(scores):
            detail = f"The recording was called annoying against itself in {missed} of {len(scores)} pairs."
            flags.append(Flag(rater, "null-pair", 1, detail))
    return flags
