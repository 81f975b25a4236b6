"""Tasks that play two outputs of a clip under A and B: their design."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from eval.listening.analysis.votes import REFERENCE, V
from eval.listening.orders import side_order
from eval.listening.tasks.material import Material
from eval.listening.tasks.task import Task
from eval.listening.trial import DEGRADED, Trial

if TYPE_CHECKING:
    from eval.listening.study import Study

SIDES = "ab"  # as answers name them
FIRST, SECOND = range(2)


class PairTask(Task[V]):
    """A unit is a pair of conditions, whose sides are balanced over raters."""

    @abstractmethod
    def pairs(self, systems: Sequence[str]) -> Sequence[tuple[str, str]]:
        """The pairs of a study that names none."""

    def units(self, material: Material) -> Sequence[tuple[str, ...]]:
        found = material.pairs or self.pairs(material.systems)
        return [pair for pair in found if material.reference or REFERENCE not in pair]

    def trial(self, study: Study, row: int, item: int, unit: int) -> Trial:
        is_turned, x = side_order(study.seed, row, item, unit)
        first, second = study.clip_units[unit]
        shown = (second, first) if is_turned else (first, second)
        return Trial("trial", study.items[item], shown, x if self.has_x else None)

    def training(self, study: Study) -> list[Trial]:
        return [Trial("training", study.check_item, (DEGRADED, REFERENCE), SECOND if self.has_x else None)]
