"""Best-worst scaling: the best and the worst of a set of three to five outputs of a clip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations
from math import log
from typing import TYPE_CHECKING

import numpy as np

from eval.listening.analysis.best_worst import best_worst_table, utilities, utility_differences
from eval.listening.analysis.estimates import ClusteredEstimate
from eval.listening.analysis.precision import Precision, Spread, points_precision
from eval.listening.analysis.reliability import agreement_of_extremes
from eval.listening.analysis.screening import Rule, reversed_extremes, same_answer
from eval.listening.analysis.votes import REFERENCE, Extremes
from eval.listening.blocks import MIN_SYSTEMS, balanced_sets
from eval.listening.orders import slot_order
from eval.listening.tasks.material import Material
from eval.listening.tasks.outcome import (
    BAD,
    GOOD,
    NEUTRAL,
    Block,
    Heading,
    IntervalCell,
    NumberCell,
    Paragraph,
    PCell,
    StackedBars,
    Strip,
    StripPlot,
    Systems,
    Table,
    better_first,
    shown_votes,
)
from eval.listening.tasks.task import Task, is_whole, origin
from eval.listening.trial import DEGRADED, Trial

if TYPE_CHECKING:
    from eval.listening.study import Study

THREE_ALIKE = 2.0  # variance of a difference of utilities from one set of three systems that are alike: of the model's information
BEST, WORST = range(2)  # places in an answer
_NOTE = (
    "Utilities of the maximum-difference model, against the mean of all: twice a difference is the natural logarithm of the odds with which "
    "the best and the worst of a set are these two in this order. Scores: how often best minus how often worst, by how often shown. In brackets 95 % intervals for new raters and new clips."
)


class BestWorst(Task[Extremes]):
    """A unit is a set of systems. The sets are balanced: every system and every pair of systems comes equally often. The recording
    is none of them. An answer is the slots of the best and of the worst."""

    id = "bws"
    title = "Best and worst of a set, for many systems"
    about = "Which of these outputs is the best, and which the worst (best-worst scaling)?"
    seconds_per_trial = 35
    is_reference_free = True
    needs = "three systems"
    min_systems = MIN_SYSTEMS
    points = "points of utility"
    spread = Spread(2 * 0.3**2, 2 * 0.3**2, 0.0)  # of utilities; choices are drawn from the model
    scale = (-3.0, 3.0)
    difference, differences, effect_unit = 0.7, (0.5, 0.95), "of the sets with both as best and worst"

    def conditions(self, material: Material) -> tuple[str, ...]:
        return tuple(material.systems)

    def units(self, material: Material) -> Sequence[tuple[str, ...]]:
        return balanced_sets(material.systems)

    def trial(self, study: Study, row: int, item: int, unit: int) -> Trial:
        return Trial("trial", study.items[item], slot_order(study.clip_units[unit], study.seed, row + item + unit))

    def training(self, study: Study) -> list[Trial]:
        return [Trial("training", study.check_item, (DEGRADED, REFERENCE))]

    def allowed(self, trial: Trial) -> str:
        return f"the places of the best and of the worst, two different whole numbers from 0 to {len(trial.shown) - 1}"

    def is_answer(self, trial: Trial, answer: object) -> bool:
        if not isinstance(answer, list) or len(answer) != 2 or answer[BEST] == answer[WORST]:
            return False
        return all(is_whole(slot, 0, len(trial.shown) - 1) for slot in answer)

    def answers(self, trial: Trial) -> Iterable[list[int]]:
        return map(list, permutations(range(len(trial.shown)), 2))

    def passes(self, trial: Trial, answer: list[int]) -> bool:
        """The degraded output is the worst, and so is the one with beeps."""
        return answer[WORST] == trial.checked_slot

    def votes(self, row: Mapping) -> list[Extremes]:
        best, worst = row["answer"]
        return [Extremes(systems=tuple(row["shown"]), best=best, worst=worst, **origin(row))]

    def answer_about(self, answer: list[int], slot: int) -> str:
        return "best" if slot == answer[BEST] else "worst" if slot == answer[WORST] else ""

    @property
    def rules(self) -> tuple[Rule[Extremes], ...]:
        return (same_answer, reversed_extremes)

    def alpha(self, votes: Sequence[Extremes]) -> float:
        return agreement_of_extremes(votes)

    def analyse(self, votes: Sequence[Extremes]) -> dict:
        return {
            "systems": best_worst_table(votes),
            "differences": utility_differences(votes),
            "alpha": self.alpha(votes),
        }

    def precision(self, raters: int, items: int, spread: Spread | None = None) -> Precision:
        """Of three systems; of more of them a clip has more sets, and the noise of answers counts for less."""
        found = spread or Spread(self.spread.rater, self.spread.item, THREE_ALIKE)
        return points_precision(raters, items, found, "{:.2f} points of utility")

    def outcome(self, results: Mapping) -> list[Block]:
        after, which = shown_votes(results)
        systems = after["systems"]
        strips = [Strip(Systems((row["system"],)), {}, row["utility"]) for row in systems]
        bars = [
            (Systems((row["system"],)), (row["best"], row["shown"] - row["best"] - row["worst"], row["worst"]))
            for row in systems
        ]
        rows = [
            (
                Systems((row["system"],)),
                IntervalCell(row["utility"], signed=True),
                IntervalCell(row["score"], signed=True),
                row["best"],
                row["worst"],
                row["shown"],
            )
            for row in systems
        ]
        return [
            StripPlot("Utility (maximum-difference model), natural logarithm", strips, marked=0.0),
            Table(("System", "utility", "best minus worst", "best", "worst", "shown"), rows),
            Paragraph(_NOTE, note=True),
            StackedBars(f"How often best and worst, {which}", bars, ("best", "neither", "worst"), (GOOD, NEUTRAL, BAD)),
            Heading("Differences"),
            _differences(after["differences"]),
            Heading("How steady the answers are"),
            Table(
                ("", "", ""),
                [("Krippendorff's alpha between raters", NumberCell(after["alpha"]), "1: agreement, 0: chance")],
            ),
        ]

    def levels(self, difference: float) -> tuple[float, float]:
        return 0.0, log(difference / (1 - difference)) / 2

    def respond(self, trial: Trial, levels: Sequence[float], rng: np.random.Generator) -> list[int]:
        pairs = list(self.answers(trial))
        logs = np.array([levels[best] - levels[worst] for best, worst in pairs])
        return pairs[rng.choice(len(pairs), p=np.exp(logs - np.logaddexp.reduce(logs)))]

    def effect(self, votes: Sequence[Extremes], first: str, second: str) -> ClusteredEstimate:
        return utilities(votes).difference(second, first)


def _differences(differences: Sequence[Mapping]) -> Table:
    oriented = sorted(map(better_first, differences), key=lambda pair: -pair["difference"]["mean"])
    rows = [
        (
            Systems((pair["first"], pair["second"]), " − "),
            IntervalCell(pair["difference"], signed=True),
            IntervalCell(pair["adjusted"], signed=True),
            PCell(pair["p_holm"]),
        )
        for pair in oriented
    ]
    return Table(("Pair", "difference of utilities", "adjusted", "p, Holm"), rows)
