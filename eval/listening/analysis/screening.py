"""Post-screening: rules that flag raters whose votes suggest that they did not listen. Flags delete nothing; results are shown
with and without the flagged raters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from eval.listening.analysis.ratings import scores_by_system
from eval.listening.analysis.votes import REFERENCE, Extremes, Preference, Rating, V, Vote


@dataclass(frozen=True)
class Flag:
    """A reason to doubt a rater, by a rule whose version changes with its bounds."""

    rater: str
    rule: str
    version: int
    detail: str  # one sentence, for people


Rule = Callable[[Sequence[V]], list[Flag]]


def by_rater(votes: Iterable[V]) -> dict[str, list[V]]:
    """The votes of every rater, in their order; raters by name."""
    raters = defaultdict(list)
    for vote in votes:
        raters[vote.rater].append(vote)
    return {rater: raters[rater] for rater in sorted(raters)}


MIN_REFERENCE_POINTS = 90  # of the hidden reference, on a scale of 100
MAX_UNRECOGNISED_SHARE = 0.15  # of the items on which it scores lower


def hidden_reference(ratings: Sequence[Rating]) -> list[Flag]:
    """Post-screening of ITU-R BS.1534-3: the hidden reference below 90 on more than 15 % of the items."""
    flags = []
    for rater, own in by_rater(ratings).items():
        scores = list(scores_by_system(own).get(REFERENCE, {}).values())
        missed = sum(score < MIN_REFERENCE_POINTS for score in scores)
        if scores and missed > MAX_UNRECOGNISED_SHARE * len(scores):
            detail = f"The hidden reference got less than {MIN_REFERENCE_POINTS} on {missed} of {len(scores)} clips."
            flags.append(Flag(rater, "hidden-reference", 1, detail))
    return flags


MIN_SCORE_RANGE = 5.0  # between the best and the worst output of a clip, on a scale of 100
MAX_FLAT_SHARE = 0.75  # of a rater's clips
MIN_FLAT_CLIPS = 4  # before a rater is flagged
MIN_MEDIAN_RANGE = 15.0  # of the median rater's clips; below it the outputs sound alike, and flat scores may be true


def flat_scores(ratings: Sequence[Rating]) -> list[Flag]:
    """All outputs of a clip within five points on more than three quarters of the clips, while the median rater spreads them over
    fifteen or more: for tests without a reference, where no hidden one shows who does not listen."""
    ranges = {rater: _ranges(own) for rater, own in by_rater(ratings).items()}
    typical = [median(spans) for spans in ranges.values() if spans]
    if not typical or median(typical) < MIN_MEDIAN_RANGE:
        return []
    flags = []
    for rater, spans in ranges.items():
        flat = sum(span < MIN_SCORE_RANGE for span in spans)
        if len(spans) >= MIN_FLAT_CLIPS and flat > MAX_FLAT_SHARE * len(spans):
            detail = f"On {flat} of {len(spans)} clips all scores lie within {MIN_SCORE_RANGE:g} points."
            flags.append(Flag(rater, "flat-scores", 1, detail))
    return flags


def _ranges(ratings: Sequence[Rating]) -> list[float]:
    """Of the scores of each trial."""
    trials = defaultdict(list)
    for rating in ratings:
        if not rating.repeat:
            trials[rating.trial].append(rating.score)
    return [max(scores) - min(scores) for scores in trials.values()]


MIN_EQUAL_ANSWERS = 8  # before a rater is flagged; random choices between two are all equal once in 128 sessions


def same_answer(votes: Sequence[Vote]) -> list[Flag]:
    """Eight answers or more, and all the same: one score, always the first, or always the second. "No difference" throughout
    is not flagged: it may be true."""
    flags = []
    for rater, own in by_rater(votes).items():
        answers = [vote.given for vote in own]
        if len(answers) >= MIN_EQUAL_ANSWERS and len(set(answers)) == 1 and answers[0] is not None:
            flags.append(Flag(rater, "same-answer", 1, f"All {len(answers)} answers are the same."))
    return flags


MIN_AGREEMENT = 0.2  # rank correlation of a rater with the mean of the others
MIN_MEDIAN_AGREEMENT = 0.5  # the same of the median rater; below it the systems sound too alike for agreement
MIN_COMMON_SCORES = 8  # of cells scored by the rater and by others, for a correlation


def against_the_panel(ratings: Sequence[Rating]) -> list[Flag]:
    """Spearman's correlation of a rater's scores with the mean of the others', over systems and items, below 0.2.

    Only where the median rater reaches 0.5: among systems that sound alike, honest raters do not agree either. In
    simulated ACR studies of 12 x 8 and 24 x 12 that finds nine of ten who guess, and at most 3 in 100 of the others.
    """
    scores = {
        (rater, item, system): score
        for system, cells in scores_by_system(ratings).items()
        for (rater, item), score in cells.items()
    }
    found = {rater: _agreement(rater, scores) for rater in sorted({rater for rater, _, _ in scores})}
    found = {rater: value for rater, value in found.items() if not np.isnan(value)}
    if len(found) < 3 or median(found.values()) < MIN_MEDIAN_AGREEMENT:
        return []
    return [
        Flag(rater, "against-the-panel", 1, f"Rank correlation with the other raters is {value:.2f}.")
        for rater, value in found.items()
        if value < MIN_AGREEMENT
    ]


def _agreement(rater: str, scores: dict[tuple[str, str, str], float]) -> float:
    """NaN with fewer than MIN_COMMON_SCORES, or where either side does not vary."""
    from scipy.stats import spearmanr

    others = defaultdict(list)
    for (other, *cell), score in scores.items():
        if other != rater:
            others[tuple(cell)].append(score)
    own = {(item, system): score for (who, item, system), score in scores.items() if who == rater}
    pairs = [(score, np.mean(others[cell])) for cell, score in own.items() if cell in others]
    if len(pairs) < MIN_COMMON_SCORES or min(np.ptp(np.asarray(pairs), axis=0)) == 0:
        return float("nan")
    return float(spearmanr(*zip(*pairs)).statistic)


MIN_REPEATED_SCORES = 2  # before a rater is flagged


def inconsistent_scores(ratings: Sequence[Rating], bound: float) -> list[Flag]:
    """Two or more repeats that differ from the first score by more than `bound` points on average."""
    flags = []
    for rater, own in by_rater(ratings).items():
        pairs = repeats(own)
        drift = float(np.mean([abs(first - again) for first, again in pairs])) if pairs else 0.0
        if len(pairs) >= MIN_REPEATED_SCORES and drift > bound:
            detail = f"{len(pairs)} repeated clips differ by {drift:.1f} points on average."
            flags.append(Flag(rater, "inconsistent", 1, detail))
    return flags


MAX_REVERSED_SHARE = 0.75  # of the repeats
MIN_REPEATED_CHOICES = 3  # before a rater is flagged; random choices reverse all three once in eight sessions


def inconsistent_choices(votes: Sequence[Preference]) -> list[Flag]:
    """Three or more repeats, of which more than three quarters prefer the other system than before.

    Random choices reverse half of them, and are legitimate where no difference is audible. "No difference" is never a reversal.
    """
    flags = []
    for rater, own in by_rater(votes).items():
        pairs = repeats(own)
        turned = sum(first != again for first, again in pairs if None not in (first, again))
        if len(pairs) >= MIN_REPEATED_CHOICES and turned > MAX_REVERSED_SHARE * len(pairs):
            detail = f"{turned} of {len(pairs)} repeated comparisons came out the other way round."
            flags.append(Flag(rater, "inconsistent", 1, detail))
    return flags


MAX_REVERSED_SETS_SHARE = 0.5  # of the repeats: its best was called the worst, or the other way round


def reversed_extremes(votes: Sequence[Extremes]) -> list[Flag]:
    """Three or more repeats of a set, of which more than half call the former best the worst, or the former worst the best."""
    flags = []
    for rater, own in by_rater(votes).items():
        pairs = repeats(own)
        turned = sum(first[0] == again[1] or first[1] == again[0] for first, again in pairs)
        if len(pairs) >= MIN_REPEATED_CHOICES and turned > MAX_REVERSED_SETS_SHARE * len(pairs):
            detail = f"{turned} of {len(pairs)} repeated sets came out the other way round."
            flags.append(Flag(rater, "inconsistent", 1, detail))
    return flags


def repeats(votes: Sequence[V]) -> list[tuple[Any, Any]]:
    """(answer, answer to the same question again) for every repeat: scores, or the systems preferred."""
    first: dict[tuple, Any] = {}
    for vote in sorted(votes, key=lambda vote: vote.trial):
        if not vote.repeat:
            first.setdefault(_question(vote), vote.meant)
    return [(first[_question(vote)], vote.meant) for vote in votes if vote.repeat and _question(vote) in first]


def _question(vote: Vote) -> tuple:
    return vote.rater, vote.item, vote.condition


def included(votes: Sequence[V], flags: Iterable[Flag], rules: Collection[str]) -> list[V]:
    """The votes of the raters that none of these rules flagged."""
    out = {flag.rater for flag in flags if flag.rule in rules}
    return [vote for vote in votes if vote.rater not in out]
