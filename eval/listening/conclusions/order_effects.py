"""Whether answers depend on when and where they were given: on the position in the session, and on the slot in the trial.

Orders are balanced over raters, so such effects cancel in the results; a large one is still a reason to look at the test.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.listening.analysis.estimates import ClusteredEstimate, clustered_interval, holm
from eval.listening.analysis.reliability import residuals, slot_effect
from eval.listening.analysis.votes import LETTERS, AbxResponse, Extremes, Preference, Rating, Vote

MIN_ANSWERS = 4  # of a rater, for a trend over the session


@dataclass(frozen=True)
class OrderEffect:
    """about: one line; unit: of `size`, "points" or "share"; p_holm: over the rows of one study."""

    about: str
    unit: str
    size: ClusteredEstimate  # mean over raters, each one counting once but for slots of ratings
    p_holm: float | None


def order_effects(votes: Sequence[Vote]) -> list[OrderEffect]:
    """Of ratings, preferences, ABX answers or choices of extremes, all of one kind."""
    counted = [vote for vote in votes if not vote.repeat]
    ratings = [vote for vote in counted if isinstance(vote, Rating)]
    preferences = [vote for vote in counted if isinstance(vote, Preference)]
    identified = [vote for vote in counted if isinstance(vote, AbxResponse)]
    extremes = [vote for vote in counted if isinstance(vote, Extremes)]
    rows: list[tuple[str, str, ClusteredEstimate]] = []
    if ratings:
        rated = {rater: [(vote.trial, value) for vote, value in own] for rater, own in residuals(ratings).items()}
        rows.append(("Scores at the end of the session against its beginning", "points", _trend(rated)))
        slots = slot_effect(ratings)
        if len(slots) > 1:
            rows += [(f"Slot {LETTERS[slot]} against the others' mean", "points", size) for slot, size in slots.items()]
    if preferences:
        ties = _by_rater(preferences, lambda vote: float(vote.choice is None))
        rows.append(("“No difference” at the end of the session against its beginning", "share", _trend(ties)))
        decided = [vote for vote in preferences if vote.choice is not None]
        rows.append(
            ("The output heard first preferred, above one half", "share", _above_half(decided, lambda v: v.choice == 0))
        )
    if identified:
        right = _by_rater(identified, lambda vote: float(vote.right))
        rows.append(("Right answers at the end of the session against its beginning", "share", _trend(right)))
        rows.append(
            ("“X is A” answered, above one half", "share", _above_half(identified, lambda vote: vote.answer == 0))
        )
    for slot in range(min((len(vote.systems) for vote in extremes), default=0)):
        about = f"Slot {LETTERS[slot]}: how often best minus how often worst"
        rows.append((about, "share", _mean(extremes, lambda v, slot=slot: (v.best == slot) - (v.worst == slot))))
    adjusted = holm([size.p for _, _, size in rows])
    return [OrderEffect(*row, p) for row, p in zip(rows, adjusted)]


def _by_rater(votes: Sequence, value: Callable) -> dict[str, list[tuple[int, float]]]:
    rows = defaultdict(list)
    for vote in votes:
        rows[vote.rater].append((vote.trial, value(vote)))
    return dict(rows)


def _trend(answers: Mapping[str, Sequence[tuple[int, float]]]) -> ClusteredEstimate:
    """Mean over raters of the least-squares slope, as the change from the first to the last of their trials."""
    slopes = {}
    for rater, own in answers.items():
        place, value = np.asarray(own, dtype=float).T
        if len(own) >= MIN_ANSWERS and np.ptp(place):
            slopes[rater] = float(np.polyfit((place - place.min()) / np.ptp(place), value, 1)[0])
    return clustered_interval(list(slopes.values()), list(slopes), null=0.0)


def _above_half(votes: Sequence, is_first: Callable) -> ClusteredEstimate:
    return _mean(votes, lambda vote: is_first(vote) - 0.5)


def _mean(votes: Sequence, value: Callable) -> ClusteredEstimate:
    """Over raters, of each one's mean."""
    means = {rater: float(np.mean([found for _, found in own])) for rater, own in _by_rater(votes, value).items()}
    return clustered_interval(list(means.values()), list(means), null=0.0)
