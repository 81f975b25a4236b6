"""Tasks that score a pair of outputs, heard under A and B in balanced orders."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from eval.listening.analysis.estimates import ClusteredEstimate
from eval.listening.analysis.ratings import mean_of
from eval.listening.analysis.votes import REFERENCE, Rating
from eval.listening.tasks.choices.pair import PairTask
from eval.listening.tasks.material import Material
from eval.listening.tasks.outcome import Systems
from eval.listening.tasks.scores.rating import RatingTask
from eval.listening.tasks.task import SECOND_SYSTEM

BETWEEN = " / "  # the two names of a pair without the recording, as the one name of its votes


class ComparisonTask(PairTask[Rating], RatingTask):
    """A unit is the recording and a system, or a pair that the study names; without recordings it is every pair of systems. Votes
    are of the pair: under the system's name where the other one is the recording."""

    contrast = (REFERENCE, SECOND_SYSTEM)

    def pairs(self, systems: Sequence[str]) -> Sequence[tuple[str, str]]:
        return tuple((REFERENCE, system) for system in systems)

    def units(self, material: Material) -> Sequence[tuple[str, ...]]:
        return super().units(material) or tuple(combinations(material.systems, 2))

    @staticmethod
    def pair_name(shown: Sequence[str]) -> str:
        """Of a pair, whatever the order heard."""
        first, second = shown
        if REFERENCE in (first, second):
            return second if first == REFERENCE else first
        return BETWEEN.join(sorted((first, second)))

    def label(self, system: str) -> Systems:
        return Systems(tuple(system.split(BETWEEN, 1)), BETWEEN)

    def effect(self, votes: Sequence[Rating], first: str, second: str) -> ClusteredEstimate:
        return mean_of(votes, self.pair_name((first, second)), self.null)
