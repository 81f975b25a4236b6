"""Tasks whose answers are scores of single conditions: their screening, statistics, planning and report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from eval.listening.analysis.estimates import ClusteredEstimate
from eval.listening.analysis.precision import Precision, Spread, points_precision
from eval.listening.analysis.ratings import (
    means,
    means_by_item,
    paired_difference,
    paired_differences,
    scores_by_system,
)
from eval.listening.analysis.reliability import Level, consistency, order_effect, rating_alpha
from eval.listening.analysis.screening import Rule, against_the_panel, inconsistent_scores, same_answer
from eval.listening.analysis.votes import Rating
from eval.listening.tasks.outcome import (
    NONE_LEFT,
    Block,
    Heading,
    IntervalCell,
    Paragraph,
    PCell,
    StackedBars,
    Strip,
    StripPlot,
    Systems,
    Table,
    better_first,
    reliability_blocks,
    shown_votes,
)
from eval.listening.tasks.task import Task, is_whole
from eval.listening.trial import Trial

_INTERVALS = (
    "In brackets 95 % intervals for new raters and new clips (t, clustered two ways). Votes taken one by one would "
    "give intervals far too narrow. They end where the scale ends. Do not compare scores with those of another study."
)
_ADJUSTED = (
    "The first interval is each pair's alone. The adjusted ones hold together, for everything tested in 95 % of the studies (Bonferroni, and "
    "zero as the end where Holm's test, which p is of, has decided the direction)."
)


class RatingTask(Task[Rating]):
    """`edges` divide the scores into categories, the worst first; `spread` is assumed, not measured. An answer is one score, unless
    a class says otherwise."""

    measurement: ClassVar[Level]
    bounds: ClassVar[tuple[int, int]]  # of a score, both possible
    edges: ClassVar[tuple[float, ...]]  # one more than there are categories
    categories: ClassVar[tuple[str, ...]]
    points: ClassVar[str]  # unit of scores
    digits: ClassVar[int]  # of scores in reports
    planned: ClassVar[str]  # format of a half-width, with its unit
    # mean between a score and its repeat, in points; beyond it a rater is flagged
    max_repeat_difference: ClassVar[float]

    def allowed(self, trial: Trial) -> str:
        low, high = self.bounds
        return f"a whole number from {low} to {high}"

    def is_answer(self, trial: Trial, answer: object) -> bool:
        return is_whole(answer, *self.bounds)

    def answers(self, trial: Trial) -> Iterable[Any]:
        low, high = self.bounds
        return range(low, high + 1)

    @property
    def rules(self) -> tuple[Rule[Rating], ...]:
        return self.rating_rules

    @property
    def rating_rules(self) -> tuple[Rule[Rating], ...]:
        """The rules of all ratings."""
        return (same_answer, against_the_panel, partial(inconsistent_scores, bound=self.max_repeat_difference))

    def alpha(self, votes: Sequence[Rating]) -> float:
        return rating_alpha(votes, self.measurement)

    def analyse(self, votes: Sequence[Rating]) -> dict:
        found = means(votes)
        scores = scores_by_system(votes)
        return {
            "means": dict(sorted(found.items(), key=lambda pair: -pair[1].mean)),
            "distributions": {
                system: np.histogram(list(values.values()), bins=self.edges)[0].tolist()
                for system, values in scores.items()
            },
            "by_item": {system: means_by_item(values) for system, values in scores.items()},
            "differences": paired_differences(votes),
            "alpha": self.alpha(votes),
            "consistency": consistency(votes),
            "order_effect": order_effect(votes),
        }

    def precision(self, raters: int, items: int, spread: Spread | None = None) -> Precision:
        return points_precision(raters, items, spread or self.spread, self.planned)

    def levels(self, difference: float) -> tuple[float, float]:
        middle = sum(self.bounds) / 2
        return middle - difference / 2, middle + difference / 2

    def respond(self, trial: Trial, levels: Sequence[float], rng: np.random.Generator) -> Any:
        return self.score(levels[-1], rng)

    def score(self, level: float, rng: np.random.Generator) -> int:
        """A simulated listener's score of a condition of that level, with the noise of one vote."""
        low, high = self.bounds
        return min(max(round(level + rng.normal(0, sqrt(self.spread.residual / 2))), low), high)

    def effect(self, votes: Sequence[Rating], first: str, second: str) -> ClusteredEstimate:
        return paired_difference(votes, second, first)

    def label(self, system: str) -> Systems:
        """How a report names that which votes are of."""
        return Systems((system,))

    def outcome(self, results: Mapping) -> list[Block]:
        after, which = shown_votes(results)
        strips = [
            Strip(self.label(system), after["by_item"][system], content) for system, content in after["means"].items()
        ]
        bars = [(self.label(system), after["distributions"][system]) for system in after["means"]]
        tones = tuple(np.linspace(0, 1, len(self.categories)).tolist())
        return [
            StripPlot(f"Mean score in {self.points}; a dot is a clip's mean", strips),
            self._means(results),
            Paragraph(_INTERVALS, note=True),
            Heading("All scores"),
            StackedBars(f"Votes per category, {which}", bars, self.categories, tones),
            *self._differences(after),
            *reliability_blocks(after, self.digits),
        ]

    def _means(self, results: Mapping) -> Table:
        before, after = results["before"]["means"], results["after"].get("means", {})
        head = ("System", "mean after screening", "before", "raters", "clips", "votes")
        order = [*after, *(system for system in before if system not in after)]
        rows = [
            (
                self.label(system),
                IntervalCell(after[system], self.digits) if system in after else NONE_LEFT,
                IntervalCell(before[system], self.digits),
                *(after[system][count] if system in after else 0 for count in ("raters", "items", "n")),
            )
            for system in order
        ]
        return Table(head, rows)

    def _differences(self, after: Mapping) -> list[Block]:
        """None of a study of one system without its recording, which has nothing to differ from."""
        if not after["differences"]:
            return []
        oriented = sorted(map(better_first, after["differences"]), key=lambda pair: -(pair["difference"]["mean"] or 0))
        rows = [
            (
                Systems((pair["first"], pair["second"]), " − "),
                IntervalCell(pair["difference"], self.digits, signed=True),
                IntervalCell(pair["adjusted"], self.digits, signed=True),
                PCell(pair["p_holm"]),
                pair["difference"]["n"],
            )
            for pair in oriented
        ]
        return [
            Heading("Differences"),
            Paragraph("Between outputs of the same clip by the same rater: tastes and difficulties cancel."),
            Table(("Pair", f"difference, {self.points}", "adjusted", "p, Holm", "pairs of votes"), rows),
            Paragraph(_ADJUSTED, note=True),
        ]
