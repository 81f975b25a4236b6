"""Who may not have listened. Rules look at votes and return flags; nothing is ever deleted, and results are shown with
and without the raters that a flag names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

import numpy as np

from eval.listening.analysis.preferences import winner
from eval.listening.analysis.ratings import scores_by_system
from eval.listening.analysis.votes import REFERENCE, Preference, Rating, Vote


@dataclass(frozen=True)
class Flag:
    """A reason to doubt a rater, by a rule whose version changes with its bounds."""

    rater: str
    rule: str
    version: int
    detail: str  # one sentence, for people


def by_rater(votes: Iterable[Vote]) -> dict[str, list[Vote]]:
    raters = defaultdict(list)
    for vote in votes:
        raters[vote.rater].append(vote)
    return {rater: raters[rater] for rater in sorted(raters)}


RECOGNISED = 90  # points that the hidden reference deserves
UNRECOGNISED = 0.15  # share of the items on which it may get fewer


def hidden_reference(ratings: Sequence[Rating]) -> list[Flag]:
    """Post-screening of ITU-R BS.1534-3: the hidden reference below 90 on more than 15 % of the items."""
    flags = []
    for rater, own in by_rater(ratings).items():
        scores = list(scores_by_system(own).get(REFERENCE, {}).values())
        missed = sum(score < RECOGNISED for score in scores)
        if scores and missed > UNRECOGNISED * len(scores):
            detail = f"The hidden reference got less than {RECOGNISED} on {missed} of {len(scores)} clips."
            flags.append(Flag(rater, "hidden-reference", 1, detail))
    return flags


SAME = 8  # answers; guessing between two makes that many alike once in 128 sessions


def same_answer(votes: Sequence[Vote]) -> list[Flag]:
    """One answer to everything, eight times or more: one score, or always the first, or always the second. To hear no
    difference anywhere may be true."""
    flags = []
    for rater, own in by_rater(votes).items():
        answers = [_answer(vote) for vote in own]
        if len(answers) >= SAME and len(set(answers)) == 1 and answers[0] is not None:
            flags.append(Flag(rater, "same-answer", 1, f"All {len(answers)} answers are the same."))
    return flags


def _answer(vote: Vote) -> float | None:
    if isinstance(vote, Rating):
        return vote.score
    return vote.choice if isinstance(vote, Preference) else vote.answer


AGREEMENT = 0.2  # rank correlation with the others, of which a rater should show some
COMMON_GROUND = 0.5  # the same of the median rater, below which there is nothing to agree on
SHARED = 8  # scores that rater and others need in common


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
    if len(found) < 3 or median(found.values()) < COMMON_GROUND:
        return []
    return [
        Flag(rater, "against-the-panel", 1, f"Rank correlation with the other raters is {value:.2f}.")
        for rater, value in found.items()
        if value < AGREEMENT
    ]


def _agreement(rater: str, scores: dict[tuple[str, str, str], float]) -> float:
    """nan where there is too little in common, or no variation."""
    from scipy.stats import spearmanr

    others = defaultdict(list)
    for (other, *cell), score in scores.items():
        if other != rater:
            others[tuple(cell)].append(score)
    own = {(item, system): score for (who, item, system), score in scores.items() if who == rater}
    pairs = [(score, np.mean(others[cell])) for cell, score in own.items() if cell in others]
    if len(pairs) < SHARED or min(np.ptp(pairs, axis=0)) == 0:
        return float("nan")
    return float(spearmanr(*zip(*pairs)).statistic)


DRIFT = {"acr": 1.0, "mushra": 25.0}  # points: one category of ACR, a quarter of MUSHRA's scale
FEWEST_REPEATS = 2


def inconsistent_scores(ratings: Sequence[Rating], bound: float) -> list[Flag]:
    """Two or more repeats that differ from the first score by more than `bound` points on average."""
    flags = []
    for rater, own in by_rater(ratings).items():
        pairs = repeats(own)
        drift = float(np.mean([abs(first - again) for first, again in pairs])) if pairs else 0.0
        if len(pairs) >= FEWEST_REPEATS and drift > bound:
            detail = f"{len(pairs)} repeated clips differ by {drift:.1f} points on average."
            flags.append(Flag(rater, "inconsistent", 1, detail))
    return flags


TURNED = 0.75  # share of the repeats
FEWEST_TURNS = 3  # repeats; whoever guesses turns all three around once in eight sessions


def inconsistent_choices(votes: Sequence[Preference]) -> list[Flag]:
    """Three or more repeats, and more than three quarters of them prefer the other system than before.

    Guessing turns half of them around, and is honest where nothing is to be heard. No difference contradicts nothing.
    """
    flags = []
    for rater, own in by_rater(votes).items():
        pairs = repeats(own)
        turned = sum(first != again for first, again in pairs if None not in (first, again))
        if len(pairs) >= FEWEST_TURNS and turned > TURNED * len(pairs):
            detail = f"{turned} of {len(pairs)} repeated comparisons came out the other way round."
            flags.append(Flag(rater, "inconsistent", 1, detail))
    return flags


def repeats(votes: Sequence[Rating] | Sequence[Preference]) -> list[tuple]:
    """(answer, answer to the same question again) for every repeat: scores, or the systems preferred."""
    first = {}
    for vote in sorted(votes, key=lambda vote: vote.trial):
        if not vote.repeat:
            first.setdefault(_question(vote), _meant(vote))
    return [(first[_question(vote)], _meant(vote)) for vote in votes if vote.repeat and _question(vote) in first]


def _question(vote: Vote) -> tuple:
    about = (vote.system,) if isinstance(vote, Rating) else tuple(sorted(vote.systems))
    return vote.rater, vote.item, *about


def _meant(vote: Rating | Preference) -> float | str | None:
    return vote.score if isinstance(vote, Rating) else winner(vote)


# No rule on ABX beyond the same answer throughout: whoever hears no difference guesses, and to leave guessers out would
# make any difference audible.
RULES: dict[str, tuple[Callable[[Sequence[Vote]], list[Flag]], ...]] = {
    "acr": (same_answer, against_the_panel, partial(inconsistent_scores, bound=DRIFT["acr"])),
    "mushra": (hidden_reference, same_answer, against_the_panel, partial(inconsistent_scores, bound=DRIFT["mushra"])),
    "ab": (same_answer, inconsistent_choices),
    "abx": (same_answer,),
}


def screen(mode: str, votes: Sequence[Vote]) -> list[Flag]:
    """All flags of a study. Errors: ValueError for an unknown mode."""
    if mode not in RULES:
        raise ValueError(f"no mode {mode!r}; there are {', '.join(RULES)}")
    return [flag for rule in RULES[mode] for flag in rule(votes)]


def included(votes: Sequence[Vote], flags: Iterable[Flag], rules: Collection[str]) -> list[Vote]:
    """The votes of raters whom none of these rules flagged."""
    out = {flag.rater for flag in flags if flag.rule in rules}
    return [vote for vote in votes if vote.rater not in out]
