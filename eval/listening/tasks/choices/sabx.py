"""Sequential ABX: the trials of a pair end for a listener as soon as it is decided whether this listener hears a difference."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from eval.listening.analysis.estimates import ClusteredEstimate, holm
from eval.listening.analysis.identification import clustered_right
from eval.listening.analysis.precision import Precision, Spread, design_words
from eval.listening.analysis.sequential import (
    ABLE,
    ALPHA,
    BETA,
    MAX_TRIALS,
    MIN_DECIDED_TRIALS,
    Verdict,
    decided,
    log_evidence,
    operating,
    p_value,
    pooled_log_evidence,
)
from eval.listening.analysis.votes import AbxResponse
from eval.listening.tasks.choices.abx import Abx
from eval.listening.tasks.outcome import (
    BAD,
    GOOD,
    NEUTRAL,
    Block,
    NumberCell,
    Paragraph,
    PCell,
    ShareCell,
    StackedBars,
    Systems,
    Table,
    shown_votes,
)
from eval.listening.trial import Trial

Pair = tuple[str, str]  # by name
VERDICTS: tuple[Verdict, ...] = ("hears", "undecided", "does not")
_NOTE = (
    f"A listener hears a difference where the evidence against guessing reaches {1 / ALPHA:g} to 1, and does not where that against "
    f"being right {ABLE:.0%} of the time or more reaches {1 / BETA:g} to 1; each error has a probability of {ALPHA:.0%} at most, "
    "whenever a session ends. p: of everybody guessing, from the product of bets. The share of right answers is that of the first "
    f"{MIN_DECIDED_TRIALS} trials, which every listener has: stopping when it is decided makes the share of all trials too extreme."
)


class SequentialAbx(Abx):
    """The plan holds the greatest number of trials, in rounds through the clips; the session leaves out those of decided pairs.
    Checks are always asked."""

    id = "sabx"
    title = "Sequential ABX: stops when decided"
    about = "Is X the same as A or as B? Asked until it is decided whether a listener hears the difference."
    is_sequential = True

    def rounds(self, items: int) -> int:
        return max(1, round(MAX_TRIALS / items))

    def next_trial(self, plan: Sequence[Trial], answers: Mapping[int, Any]) -> int | None:
        right = defaultdict(list)
        for number, answer in sorted(answers.items()):
            if plan[number].kind == "trial":
                right[_pair(plan[number].shown)].append(self.passes(plan[number], answer))
        done = {pair for pair, own in right.items() if decided(own)[0] != "undecided"}
        return next(
            (
                number
                for number, trial in enumerate(plan)
                if number not in answers and (trial.kind not in ("trial", "repeat") or _pair(trial.shown) not in done)
            ),
            None,
        )

    def analyse(self, votes: Sequence[AbxResponse]) -> dict:
        listeners = _listeners(votes)
        pairs = sorted({pair for pair, _ in listeners})
        found = [
            _of_pair(pair, votes, {key[1]: own for key, own in listeners.items() if key[0] == pair}) for pair in pairs
        ]
        adjusted = holm([pair["p"] for pair in found])
        by_rater = defaultdict(list)
        for (pair, rater), own in sorted(listeners.items()):
            verdict, trials = decided(own)
            by_rater[rater].append({"systems": pair, "verdict": verdict, "trials": trials, "right": sum(own[:trials])})
        return {
            "listeners": [pair | {"p_holm": p} for pair, p in zip(found, adjusted)],
            "by_rater": dict(by_rater),
        }

    def precision(self, raters: int, items: int, spread: Spread | None = None) -> Precision:
        chances, mean = operating(ABLE, self.rounds(items) * items)
        verdict = (
            f"{design_words(raters, items)}: a listener who is right {ABLE:.0%} of the time is found with a probability of "
            f"{chances['hears']:.0%} within {self.rounds(items) * items} trials of a pair, {mean:.0f} on average"
        )
        return Precision(verdict)

    def effect(self, votes: Sequence[AbxResponse], first: str, second: str) -> ClusteredEstimate:
        return _first_trials([vote for vote in votes if set(vote.systems) == {first, second}])

    def finds(self, votes: Sequence[AbxResponse], first: str, second: str) -> bool:
        listeners = _listeners([vote for vote in votes if set(vote.systems) == {first, second}])
        return bool(listeners) and p_value(_pooled(listeners.values())) <= ALPHA

    def outcome(self, results: Mapping) -> list[Block]:
        shown, which = shown_votes(results)
        pairs = shown["listeners"]
        bars = [
            (Systems(tuple(pair["systems"])), [pair["verdicts"][verdict] for verdict in VERDICTS]) for pair in pairs
        ]
        rows = [
            (
                Systems(tuple(pair["systems"])),
                *(pair["verdicts"][verdict] for verdict in VERDICTS),
                NumberCell(pair["trials"]),
                PCell(pair["p_holm"]),
                ShareCell(pair["share"]),
            )
            for pair in pairs
        ]
        head = (
            "Pair",
            "listeners who hear it",
            "undecided",
            "who do not",
            "trials, mean",
            "p, Holm",
            "right, first trials",
        )
        return [
            StackedBars(
                f"Listeners who hear the difference, {which}",
                bars,
                ("hear it", "undecided", "do not"),
                (GOOD, NEUTRAL, BAD),
            ),
            Table(head, rows),
            Paragraph(_NOTE, note=True),
        ]


def _pair(shown: Sequence[str]) -> Pair:
    first, second = sorted(shown)
    return first, second


def _listeners(votes: Sequence[AbxResponse]) -> dict[tuple[Pair, str], list[bool]]:
    """{(pair, rater): whether each answer was right, in their order}."""
    found = defaultdict(list)
    for vote in sorted(votes, key=lambda vote: vote.trial):
        if not vote.repeat:
            found[vote.condition, vote.rater].append(vote.right)
    return dict(found)


def _pooled(listeners) -> float:
    """Natural logarithm of the e-value of all listeners, each at the end of their own test."""
    ended = [own[: decided(own)[1]] for own in listeners]
    return pooled_log_evidence([log_evidence(sum(own), len(own) - sum(own)) for own in ended])


def _of_pair(pair: Pair, votes: Sequence[AbxResponse], listeners: Mapping[str, list[bool]]) -> dict:
    ends = [decided(own) for own in listeners.values()]
    counted = Counter(verdict for verdict, _ in ends)
    log_e = _pooled(listeners.values())
    return {
        "systems": pair,
        "verdicts": {verdict: counted[verdict] for verdict in VERDICTS},
        "trials": sum(trials for _, trials in ends) / len(ends),
        "log_e": log_e,
        "p": p_value(log_e),
        "share": _first_trials([vote for vote in votes if vote.condition == pair]),
    }


def _first_trials(votes: Sequence[AbxResponse]) -> ClusteredEstimate:
    """The share of right answers in the trials before anybody can have stopped."""
    taken: Counter[str] = Counter()
    first = []
    for vote in sorted(votes, key=lambda vote: vote.trial):
        if not vote.repeat and taken[vote.rater] < MIN_DECIDED_TRIALS:
            taken[vote.rater] += 1
            first.append(vote)
    return clustered_right(first)
