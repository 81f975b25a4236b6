"""Reliability of votes: agreement between raters, consistency within raters, and effects of slot and time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from eval.listening.analysis.estimates import ClusteredEstimate, Share, clustered_interval, exact_share
from eval.listening.analysis.ratings import scores_by_system
from eval.listening.analysis.screening import repeats
from eval.listening.analysis.votes import Extremes, Preference, Rating

Level = Literal["nominal", "ordinal", "interval"]  # of measurement


def rating_alpha(ratings: Sequence[Rating], level: Level) -> float:
    """Krippendorff's alpha over raters: 1 is agreement, 0 what chance would give, below it systematic disagreement.

    A unit is a clip of a system. level: ordinal or interval. nan where no unit has two raters or all
    answers are the same.
    """
    return _alpha(_scores(ratings), level)


def preference_alpha(votes: Sequence[Preference]) -> float:
    """The same of choices: a unit is a clip of a pair, its answer the system preferred, whatever the order heard."""
    return _alpha(_choices(votes), "nominal")


def agreement_of_extremes(votes: Sequence[Extremes]) -> float:
    """The same of sets: a unit is a system in a set of a clip, its answer worst, neither or best."""
    answers: dict[tuple[str, tuple], float] = {}
    for vote in sorted(votes, key=lambda vote: vote.trial):
        best, worst = vote.meant
        for system in () if vote.repeat else vote.systems:
            unit = (vote.item, *vote.condition, system)
            answers.setdefault((vote.rater, unit), (system == best) - (system == worst))
    return _alpha(answers, "ordinal")


def _alpha(answers: dict[tuple[str, tuple], float], level: Level) -> float:
    """answers: by rater and unit."""
    import krippendorff

    raters, units = ({key: k for k, key in enumerate(sorted({cell[side] for cell in answers}))} for side in (0, 1))
    table = np.full((len(raters), len(units)), np.nan)
    for (rater, unit), answer in answers.items():
        table[raters[rater], units[unit]] = answer
    table = table[:, (~np.isnan(table)).sum(axis=0) > 1]
    values = np.unique(table[~np.isnan(table)])
    if len(values) < 2:
        return float("nan")
    return float(krippendorff.alpha(table, level_of_measurement=level))


def _scores(ratings: Sequence[Rating]) -> dict[tuple[str, tuple], float]:
    """By rater and unit."""
    return {
        (rater, (item, system)): score
        for system, scores in scores_by_system(ratings).items()
        for (rater, item), score in scores.items()
    }


def _choices(votes: Sequence[Preference]) -> dict[tuple[str, tuple], float]:
    """0 and 1: the first and second system by name, 2: neither; of several answers to one question, the first."""
    answers: dict[tuple[str, tuple], float] = {}
    for vote in sorted(votes, key=lambda vote: vote.trial):
        if not vote.repeat:
            code = 2 if vote.choice is None else vote.condition.index(vote.meant)
            answers.setdefault((vote.rater, (vote.item, *vote.condition)), code)
    return answers


@dataclass(frozen=True)
class Consistency:
    """Answers to repeated trials against the first ones. NaN without repeats."""

    repeats: int
    identical: float  # share of the repeats, 0 to 1
    difference: float  # mean absolute, in points; nan for choices


def consistency(votes: Sequence[Rating] | Sequence[Preference]) -> Consistency:
    """Over all repeats of all raters."""
    pairs = repeats(votes)
    if not pairs:
        return Consistency(0, float("nan"), float("nan"))
    identical = float(np.mean([first == again for first, again in pairs]))
    scored = isinstance(votes[0], Rating)
    return Consistency(
        len(pairs), identical, float(np.mean([abs(a - b) for a, b in pairs])) if scored else float("nan")
    )


def order_effect(ratings: Sequence[Rating]) -> ClusteredEstimate:
    """Mean score in the second half of a session minus that in the first, in points, mean over raters; `p` tests zero.

    Each score is taken relative to the other raters' scores of the same clip and system, so orders must differ between raters.
    """
    drifts = {}
    for rater, rows in residuals(ratings).items():
        middle = np.median([rating.trial for rating, _ in rows])
        halves = [[value for rating, value in rows if (rating.trial > middle) == late] for late in (False, True)]
        if all(halves):
            drifts[rater] = float(np.mean(halves[1]) - np.mean(halves[0]))
    return clustered_interval(list(drifts.values()), list(drifts), null=0.0)


def slot_effect(ratings: Sequence[Rating]) -> dict[int, ClusteredEstimate]:
    """{slot of a MUSHRA trial: score minus the other raters' mean score of the same stimulus, in points}."""
    values, raters = defaultdict(list), defaultdict(list)
    for rater, rows in residuals(ratings).items():
        for rating, value in rows:
            values[rating.slot].append(value)
            raters[rating.slot].append(rater)
    return {slot: clustered_interval(values[slot], raters[slot], null=0.0) for slot in sorted(values)}


def residuals(ratings: Sequence[Rating]) -> dict[str, list[tuple[Rating, float]]]:
    """Each vote minus the mean of the others' votes on the same clip of the same system, by rater. A rater's
    own vote would pull that mean along and hide part of the effect."""
    cells = defaultdict(list)
    votes = [rating for rating in ratings if not rating.repeat]
    for rating in votes:
        cells[rating.item, rating.system].append(rating)
    rows = defaultdict(list)
    for rating in votes:
        others = [other.score for other in cells[rating.item, rating.system] if other.rater != rating.rater]
        if others:
            rows[rating.rater].append((rating, rating.score - float(np.mean(others))))
    return {rater: rows[rater] for rater in sorted(rows)}


def first_preferred(votes: Sequence[Preference]) -> Share:
    """Share of votes for the output heard first, ties left out: one half without an effect of order."""
    choices = [vote.choice for vote in votes if not vote.repeat and vote.choice is not None]
    return exact_share(choices.count(0), len(choices))
