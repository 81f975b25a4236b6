"""Each rater of a study: how far they came, how long they took, why screening leaves them out, and how they answered each clip."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from eval.listening.analysis.screening import Flag
from eval.listening.analysis.votes import AbxResponse, Extremes, Preference, Rating, Vote
from eval.listening.storage.records import DECIDED


@dataclass(frozen=True)
class RaterLine:
    """number: of the rater in order of arrival, from 1; no id. minutes: from the first showing of a trial to the last answer.
    flags: rules; left_out: those of them that exclude."""

    number: int
    finished: bool
    votes: int
    minutes: float | None
    median_seconds: float | None  # of the trials that count
    flags: tuple[str, ...]
    left_out: tuple[str, ...]


def rater_lines(
    rows: Sequence[Mapping], raters: Sequence[Mapping], flags: Sequence[Flag], excluding: Collection[str]
) -> list[RaterLine]:
    """Everybody who started. rows, raters: as the store gives them."""
    own_rows: dict[str, list[Mapping]] = defaultdict(list)
    for row in rows:
        own_rows[row["rater"]].append(row)
    rules: dict[str, set[str]] = defaultdict(set)
    for flag in flags:
        rules[flag.rater].add(flag.rule)
    lines = []
    for number, rater in enumerate(raters, start=1):
        own, mine = own_rows[rater["rater"]], sorted(rules[rater["rater"]])
        counted = [row for row in own if row["kind"] == "trial"]
        span = max(r["answered_at"] for r in own) - min(r["shown_at"] for r in own) if own else None
        lines.append(
            RaterLine(
                number,
                rater["trials"] > 0 and (rater["trials"] <= len(own) or DECIDED in rater["events"]),
                len(counted),
                None if span is None else span / 60,
                median(row["dwell_ms"] for row in counted) / 1000 if counted else None,
                tuple(mine),
                tuple(rule for rule in mine if rule in excluding),
            )
        )
    return lines


@dataclass(frozen=True)
class RaterMatrix:
    """values: (raters, items), None where a rater has no vote on a clip. numbers: of the raters, as of `RaterLine`."""

    about: str
    items: tuple[str, ...]
    numbers: tuple[int, ...]
    values: tuple[tuple[float | None, ...], ...]


_ABOUT = {
    Rating: "Mean score of each rater for each clip, over all systems",
    AbxResponse: "Share of right answers of each rater for each clip",
    Preference: "Share of each rater's votes that agree with most raters, for each clip",
    Extremes: "Share of each rater's sets whose best and worst agree with most raters, for each clip",
}


def rater_matrix(votes: Sequence[Vote], items: Sequence[str], raters: Sequence[Mapping]) -> RaterMatrix | None:
    """Raters by clips: mean score, share of right answers, or share of votes with the majority. None without votes."""
    counted = [vote for vote in votes if not vote.repeat]
    if not counted:
        return None
    majorities = _majorities([vote for vote in counted if isinstance(vote, Preference | Extremes)])
    cells: dict[tuple[str, str], list[float]] = defaultdict(list)
    for vote in counted:
        cells[vote.rater, vote.item].append(_value(vote, majorities))
    about = next(words for kind, words in _ABOUT.items() if isinstance(counted[0], kind))
    numbered = [(number, rater["rater"]) for number, rater in enumerate(raters, start=1)]
    present = [(number, rater) for number, rater in numbered if any((rater, item) in cells for item in items)]
    values = tuple(
        tuple(float(np.mean(cells[rater, item])) if (rater, item) in cells else None for item in items)
        for _, rater in present
    )
    return RaterMatrix(about, tuple(items), tuple(number for number, _ in present), values)


def _majorities(votes: Sequence[Preference | Extremes]) -> dict[tuple, object]:
    """The most frequent answer to each question; None stands for no difference."""
    answers: dict[tuple, Counter] = defaultdict(Counter)
    for vote in votes:
        answers[vote.item, vote.condition][vote.meant] += 1
    return {question: counts.most_common(1)[0][0] for question, counts in answers.items()}


def _value(vote: Vote, majorities: Mapping[tuple, object]) -> float:
    if isinstance(vote, Rating):
        return vote.score
    if isinstance(vote, AbxResponse):
        return float(vote.right)
    return float(vote.meant == majorities[vote.item, vote.condition])
