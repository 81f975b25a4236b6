"""Comparison category rating, ITU-T P.800 annex E: how much better or worse the second output sounds than the first, -3 to 3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eval.listening.analysis.estimates import holm
from eval.listening.analysis.precision import Spread
from eval.listening.analysis.ratings import means_against
from eval.listening.analysis.votes import REFERENCE, Rating
from eval.listening.tasks.choices.pair import FIRST, SECOND
from eval.listening.tasks.outcome import Block, IntervalCell, Paragraph, PCell, Table, shown_votes
from eval.listening.tasks.scores.comparison import BETWEEN, ComparisonTask
from eval.listening.tasks.task import origin
from eval.listening.trial import BEEPS, DEGRADED, Trial

_SIGN = (
    "CMOS: positive where the system is the better one of the two; of two systems, the second one named. The sign of an answer is "
    "turned round where that one was heard first. p: of a mean of zero."
)


@dataclass(frozen=True)
class ComparedRating(Rating):
    """A score whose sign the order heard no longer affects. slot: of the system that it is about."""

    @property
    def given(self) -> float | None:
        """As it was entered: of the second output against the first. None for "about the same", which may be true throughout."""
        return (self.score if self.slot == SECOND else -self.score) or None


class Ccr(ComparisonTask):
    """Both orders of a pair are balanced over raters. A score is of the system against the recording, or of the second system of
    a pair, by name, against the first."""

    id = "ccr"
    title = "CCR: compare two, -3 to 3"
    about = "How much better or worse is one output than the other, from -3 (much worse) to 3 (much better), ITU-T P.800 annex E?"
    seconds_per_trial = 16
    is_reference_free = True
    measurement = "ordinal"
    bounds = (-3, 3)
    edges = (-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5)
    categories = ("much worse", "worse", "slightly worse", "the same", "slightly better", "better", "much better")
    points = "points of CMOS"
    digits = 2
    planned = "{:.2f} points of CMOS"
    spread = Spread(
        2 * 0.25**2, 2 * 0.25**2, 2 * 0.6**2
    )  # standard deviations of 0.25, 0.25 and 0.6 points of each output
    scale = (-3.0, 0.0)
    difference, differences, effect_unit = 0.3, (0.0, 2.0), "points of CMOS"
    max_repeat_difference = 1.5

    def passes(self, trial: Trial, answer: int) -> bool:
        """The degraded output is the worse one, and the one with beeps is called much better."""
        checked = next(slot for slot, condition in enumerate(trial.shown) if condition in (DEGRADED, *BEEPS))
        score = answer if checked == SECOND else -answer
        return score < 0 if trial.kind == "gold" else score == max(self.bounds)

    def votes(self, row: Mapping) -> list[Rating]:
        shown = row["shown"]
        others = [condition for condition in shown if condition != REFERENCE]
        slot = list(shown).index(max(others))
        score = row["answer"] if slot == SECOND else -row["answer"]
        return [ComparedRating(system=self.pair_name(shown), score=score, slot=slot, **origin(row))]

    def levels(self, difference: float) -> tuple[float, float]:
        return 0.0, difference

    def respond(self, trial: Trial, levels: Sequence[float], rng: np.random.Generator) -> int:
        noise = rng.normal(0, np.sqrt(self.spread.residual))
        low, high = self.bounds
        return min(max(round(levels[SECOND] - levels[FIRST] + noise), low), high)

    def analyse(self, votes: Sequence[Rating]) -> dict:
        """Means against zero and differences between systems are tested together. Between two named pairs there is no difference to
        speak of."""
        found = super().analyse(votes)
        against = means_against(votes, self.null)
        differences = [pair for pair in found["differences"] if BETWEEN not in pair.first + pair.second]
        adjusted = iter(holm([row.mean.p for row in against] + [pair.difference.p for pair in differences]))
        return found | {
            "against_zero": [replace(row, p_holm=next(adjusted)) for row in against],
            "differences": [replace(pair, p_holm=next(adjusted)) for pair in differences],
        }

    def outcome(self, results: Mapping) -> list[Block]:
        rows = [
            (
                self.label(found["system"]),
                IntervalCell(found["mean"], self.digits, signed=True),
                IntervalCell(found["adjusted"], self.digits, signed=True),
                PCell(found["p_holm"]),
                found["mean"]["n"],
            )
            for found in shown_votes(results)[0]["against_zero"]
        ]
        table = Table(("System", "CMOS", "adjusted", "p, Holm", "votes"), rows)
        return [table, Paragraph(_SIGN, note=True), *super().outcome(results)]
