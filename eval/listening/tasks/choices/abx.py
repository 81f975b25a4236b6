"""ABX: whether X is A or B, which shows whether a difference is audible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from math import exp, inf, log

import numpy as np

from eval.listening.analysis.estimates import ClusteredEstimate, holm
from eval.listening.analysis.identification import (
    CHANCE,
    clustered_right,
    identified,
    identified_by_rater,
    sensitivity,
    share_right,
)
from eval.listening.analysis.precision import Precision, Spread, design_words, detectable_share
from eval.listening.analysis.votes import REFERENCE, AbxResponse
from eval.listening.tasks.choices.pair import FIRST, SECOND, SIDES, PairTask
from eval.listening.tasks.outcome import (
    Block,
    IntervalCell,
    Paragraph,
    PCell,
    ShareCell,
    Strip,
    StripPlot,
    Systems,
    Table,
    shown_votes,
)
from eval.listening.tasks.task import SECOND_SYSTEM, origin
from eval.listening.trial import Trial

MAX_SIMULATED_D_PRIME = 6.0  # from the recording
_NOTE = (
    "One-sided exact binomial tests of more than half, which assume that all trials are independent; the last three columns do "
    "not. d′ by independent observations (Macmillan & Creelman). Of twenty raters who guess, one looks able."
)


class Abx(PairTask[AbxResponse]):
    """Each system against the recording. No rule of screening beyond the same answer throughout: a listener who hears no
    difference must guess, and results without guessers would show any difference as audible."""

    id = "abx"
    title = "ABX: is it audible"
    about = "Is X the same as A or as B?"
    seconds_per_trial = 25
    has_x = True
    spread = Spread(
        2 * 0.3**2, 2 * 0.3**2, 0.0
    )  # of log d'; answers are drawn from the model of independent observations
    contrast = (REFERENCE, SECOND_SYSTEM)
    difference, differences, effect_unit = 0.65, (0.5, 0.99), "of the answers right"
    null = CHANCE

    def pairs(self, systems: Sequence[str]) -> Sequence[tuple[str, str]]:
        return tuple((REFERENCE, system) for system in systems)

    def trap(self, one: str, other: str) -> tuple[str, ...]:
        return (one, other)

    def slots(self, trial: Trial) -> list[tuple[str, str]]:
        return [*super().slots(trial), ("x", trial.shown[_x(trial)])]

    def allowed(self, trial: Trial) -> str:
        return "a or b"

    def is_answer(self, trial: Trial, answer: object) -> bool:
        return isinstance(answer, str) and answer in tuple(SIDES)

    def answers(self, trial: Trial) -> Iterable[str]:
        return SIDES

    def passes(self, trial: Trial, answer: str) -> bool:
        return answer == SIDES[_x(trial)]

    def votes(self, row: Mapping) -> list[AbxResponse]:
        answer = SIDES.index(row["answer"])
        return [AbxResponse(systems=tuple(row["shown"]), x=row["x"], answer=answer, **origin(row))]

    def analyse(self, votes: Sequence[AbxResponse]) -> dict:
        pairs = identified(votes)
        adjusted = holm([pair.share.p for pair in pairs])
        return {
            "pairs": [asdict(pair) | {"p_holm": p} for pair, p in zip(pairs, adjusted)],
            "by_rater": identified_by_rater(votes),
        }

    def precision(self, raters: int, items: int, spread: Spread | None = None) -> Precision:
        share, design = detectable_share(raters * items, one_sided=True), design_words(raters, items)
        if share is None:
            return Precision(f"{design} are too few votes to show anything")
        d_prime = sensitivity(share)
        right = f"{share:.0%} of the time (d' {d_prime:.2g})"
        verdict = f"{design} find listeners who are right {right} four times out of five at best"
        return Precision(verdict, share=share, d_prime=d_prime)

    def level_at(self, share: float) -> float:
        return log(MAX_SIMULATED_D_PRIME * (1 - share)) if share < 1 else -inf

    def levels(self, difference: float) -> tuple[float, float]:
        d_prime = sensitivity(difference)
        return -inf, log(d_prime) if d_prime else -inf

    def respond(self, trial: Trial, levels: Sequence[float], rng: np.random.Generator) -> str:
        x, d_prime = _x(trial), abs(exp(levels[FIRST]) - exp(levels[SECOND]))
        return SIDES[x if rng.random() < share_right(d_prime) else 1 - x]

    def effect(self, votes: Sequence[AbxResponse], first: str, second: str) -> ClusteredEstimate:
        return clustered_right([vote for vote in votes if set(vote.systems) == {first, second}])

    def outcome(self, results: Mapping) -> list[Block]:
        after, which = shown_votes(results)
        before = {tuple(pair["systems"]): pair for pair in results["before"]["pairs"]}
        dots: dict[tuple[str, ...], dict[str, float]] = {tuple(pair["systems"]): {} for pair in after["pairs"]}
        for number, found in enumerate(after["by_rater"].values(), start=1):
            for pair in found:
                dots[tuple(pair["systems"])][f"rater {number}"] = pair["share"]["mean"]
        labels = [Systems(tuple(pair["systems"])) for pair in after["pairs"]]
        strips = [Strip(label, dots[label.ids], pair["share"]) for label, pair in zip(labels, after["pairs"])]
        rows = [
            (
                label,
                _right(pair),
                _right(before[label.ids]),
                ShareCell(pair["share"]),
                ShareCell(pair["adjusted"]),
                PCell(pair["p_holm"]),
                IntervalCell(pair["d_prime"]),
                ShareCell(pair["clustered"]),
                ShareCell(pair["by_rater"]),
                PCell(pair["by_rater"]["p"]),
            )
            for label, pair in zip(labels, after["pairs"])
        ]
        head = (
            "Pair",
            "right",
            "before screening",
            "share",
            "adjusted, one-sided",
            "p, exact, Holm",
            "d′",
            "share, for new raters and clips",
            "mean of the raters' shares",
            "p over raters",
        )
        return [
            StripPlot(f"Right answers, 0 to 1, {which}; a dot is a rater, the line is chance", strips, marked=CHANCE),
            Table(head, rows),
            Paragraph(_NOTE, note=True),
        ]


def _right(pair: Mapping) -> str:
    return f"{pair['share']['count']} of {pair['share']['n']}"


def _x(trial: Trial) -> int:
    """The slot that X repeats. Errors: ValueError for a trial of another task."""
    if trial.x is None:
        raise ValueError(f"a trial without X is no ABX trial: {trial}")
    return trial.x
