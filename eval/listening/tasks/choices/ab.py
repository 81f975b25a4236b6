"""AB: which of two outputs is preferred, or neither."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from math import log

import numpy as np

from eval.listening.analysis.estimates import ClusteredEstimate
from eval.listening.analysis.precision import Precision, Spread, design_words, detectable_share
from eval.listening.analysis.preferences import net_preference, pair_table, rank
from eval.listening.analysis.reliability import consistency, first_preferred, preference_alpha
from eval.listening.analysis.screening import Rule, inconsistent_choices, same_answer
from eval.listening.analysis.votes import Preference
from eval.listening.tasks.choices.pair import FIRST, SECOND, SIDES, PairTask
from eval.listening.tasks.outcome import (
    BAD,
    GOOD,
    NEUTRAL,
    Block,
    Heading,
    IntervalCell,
    Paragraph,
    PCell,
    ShareCell,
    StackedBars,
    Strip,
    StripPlot,
    Systems,
    Table,
    reliability_blocks,
    shown_votes,
)
from eval.listening.tasks.task import origin
from eval.listening.trial import Trial

SIMULATED_NU = 0.5  # of Davidson's model: equals tie every fifth time
CHOICES = {"a": FIRST, "b": SECOND, "same": None}


_HEAD = (
    "Pair",
    "wins : ties : losses",
    "before screening",
    "share of wins, ties left out",
    "wins minus losses",
    "adjusted",
    "p, Holm",
)
_NOTE = (
    "Wins minus losses, as shares of all votes, have intervals for new raters and new clips, and p is of zero. The interval of the "
    "share of wins takes all votes as independent, and is too narrow for that: tastes differ."
)


class Ab(PairTask[Preference]):
    """All pairs of systems, ranked by Bradley and Terry's model with ties."""

    id = "ab"
    title = "AB: which is better"
    about = "Which of two outputs do you prefer, or is there no difference?"
    seconds_per_trial = 20
    is_reference_free = True
    needs = "two systems"
    spread = Spread(
        2 * 0.3**2, 2 * 0.3**2, 0.0
    )  # of the log of Bradley and Terry's strength; votes are drawn from the model
    scale = (-3.0, 3.0)
    difference, differences, effect_unit = 0.65, (0.5, 0.95), "of the votes that are no tie"

    def pairs(self, systems: Sequence[str]) -> Sequence[tuple[str, str]]:
        return tuple(itertools.combinations(systems, 2))

    def allowed(self, trial: Trial) -> str:
        return "a, b or same"

    def is_answer(self, trial: Trial, answer: object) -> bool:
        return isinstance(answer, str) and answer in CHOICES

    def answers(self, trial: Trial) -> Iterable[str]:
        return CHOICES

    def passes(self, trial: Trial, answer: str) -> bool:
        """The output that beeps is preferred, and the degraded one is not."""
        target = trial.checked_slot
        return answer == SIDES[target if trial.kind == "trap" else 1 - target]

    def votes(self, row: Mapping) -> list[Preference]:
        return [Preference(systems=tuple(row["shown"]), choice=CHOICES[row["answer"]], **origin(row))]

    @property
    def rules(self) -> tuple[Rule[Preference], ...]:
        return (same_answer, inconsistent_choices)

    def alpha(self, votes: Sequence[Preference]) -> float:
        return preference_alpha(votes)

    def analyse(self, votes: Sequence[Preference]) -> dict:
        try:
            ranking, why = rank(votes), ""
        except ValueError as error:
            ranking, why = None, str(error)
        return {
            "ranking": ranking,
            "no_ranking": why,
            "pairs": pair_table(votes),
            "alpha": self.alpha(votes),
            "consistency": consistency(votes),
            "first_preferred": first_preferred(votes),
        }

    def precision(self, raters: int, items: int, spread: Spread | None = None) -> Precision:
        share, design = detectable_share(raters * items, one_sided=False), design_words(raters, items)
        if share is None:
            return Precision(f"{design} are too few votes to show anything")
        verdict = f"{design} find a preference of {share:.0%} or more four times out of five at best, ties aside"
        return Precision(verdict, share=share)

    def levels(self, difference: float) -> tuple[float, float]:
        return 0.0, log(difference / (1 - difference))

    def respond(self, trial: Trial, levels: Sequence[float], rng: np.random.Generator) -> str:
        strengths = np.exp(np.asarray(levels) - np.mean(levels))
        weights = np.array([strengths[FIRST], SIMULATED_NU, strengths[SECOND]])
        return ("a", "same", "b")[int((rng.random() > np.cumsum(weights / weights.sum())[:2]).sum())]

    def effect(self, votes: Sequence[Preference], first: str, second: str) -> ClusteredEstimate:
        return net_preference([vote for vote in votes if set(vote.systems) == {first, second}], second)

    def outcome(self, results: Mapping) -> list[Block]:
        after, which = shown_votes(results)
        before = {(pair["first"], pair["second"]): pair for pair in results["before"]["pairs"]}
        bars = [
            (Systems((pair["first"], pair["second"])), (pair["wins"], pair["ties"], pair["losses"]))
            for pair in after["pairs"]
        ]
        rows = [
            (
                Systems((pair["first"], pair["second"]), " against "),
                _counts(pair),
                _counts(before[pair["first"], pair["second"]]),
                ShareCell(pair["share"]),
                IntervalCell(pair["net"], signed=True),
                IntervalCell(pair["adjusted"], signed=True),
                PCell(pair["p_holm"]),
            )
            for pair in after["pairs"]
        ]
        names = ("the first", "no difference", "the second")
        return [
            StackedBars(f"Preferences of each pair, {which}", bars, names, (GOOD, NEUTRAL, BAD)),
            Table(_HEAD, rows),
            Paragraph(_NOTE, note=True),
            *_ranking(after),
            *reliability_blocks(after, digits=2),
        ]


def _counts(pair: Mapping) -> str:
    return f"{pair['wins']} : {pair['ties']} : {pair['losses']}"


def _ranking(after: Mapping) -> list[Block]:
    ranking = after["ranking"]
    if ranking is None:
        return [Paragraph(f"No ranking: {after['no_ranking']}.", note=True)]
    strips = [Strip(Systems((place["system"],)), {}, place["strength"]) for place in ranking["systems"]]
    rows = [
        (Systems((place["system"],)), IntervalCell(place["strength"], signed=True), ShareCell(place["share"]))
        for place in ranking["systems"]
    ]
    note = (
        f"{ranking['votes']} votes of {ranking['raters']} raters; ties as in Davidson 1970, ν = {ranking['tie']:.2f}; "
        "intervals by drawing raters again, so for new raters and these clips."
    )
    return [
        Heading("Ranking"),
        StripPlot("Strength (Bradley-Terry with ties), natural logarithm", strips, marked=0.0),
        Table(("System", "strength", "expected share of wins against the others"), rows),
        Paragraph(note, note=True),
    ]
