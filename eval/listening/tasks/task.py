"""The interface of a kind of listening test: all that a study, its sessions, its analysis, its report and its planner ask of it.

A task is a class without state, registered once in `registry.py` by the id that studies store as their `mode`. Its browser
side is a module of the same name in assets/listening/tasks/.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Generic

import numpy as np

from eval.listening.analysis.estimates import ClusteredEstimate
from eval.listening.analysis.precision import Precision, Spread
from eval.listening.analysis.screening import Flag, Rule, same_answer
from eval.listening.analysis.votes import REFERENCE, Origin, V
from eval.listening.tasks.material import Material
from eval.listening.tasks.outcome import Block
from eval.listening.trial import DEGRADED, Trial

if TYPE_CHECKING:
    from eval.listening.study import Study

FIRST_SYSTEM, SECOND_SYSTEM = "first", "second"  # of a simulated plan


class Task(ABC, Generic[V]):
    """V: the kind of vote that an answer becomes. A *unit* is one question about one clip: the conditions that a trial plays for it, before their order is drawn."""

    id: ClassVar[str]
    title: ClassVar[str]  # in the form that makes a study
    about: ClassVar[str]  # one sentence, at the head of a report
    seconds_per_trial: ClassVar[float]  # about, listening and answering
    needs: ClassVar[str] = "a system"  # the fewest systems that give a unit, in words
    min_systems: ClassVar[int] = 1  # the same as a number
    # {condition: cut-off of the low-passed recording, Hz}
    anchors: ClassVar[Mapping[str, float]] = MappingProxyType({})
    extra_anchors: ClassVar[Mapping[str, float]] = MappingProxyType({})  # those that a study may add
    points: ClassVar[str] = ""  # unit of differences, in reports; none for shares
    digits: ClassVar[int] = 2  # of differences in reports
    gold: ClassVar[tuple[str, ...]] = (REFERENCE, DEGRADED)  # what the check with the degraded anchor plays
    is_reference_free: ClassVar[bool] = False  # whether it can be asked about outputs without any recording
    has_x: ClassVar[bool] = False  # whether a trial also plays X, which repeats one of its outputs
    is_sequential: ClassVar[bool] = False  # whether answers decide which of the planned trials are asked

    # ------------------------------------------------ design

    def conditions(self, material: Material) -> tuple[str, ...]:
        """All conditions of a study, attention checks aside."""
        return (*material.systems, *((REFERENCE,) if material.reference else ()), *material.anchors)

    @abstractmethod
    def units(self, material: Material) -> Sequence[tuple[str, ...]]:
        """The units of one clip, all different."""

    def rounds(self, items: int) -> int:
        """How often a session asks every unit of every clip at most."""
        return 1

    @abstractmethod
    def trial(self, study: Study, row: int, item: int, unit: int) -> Trial:
        """The trial of the rater with that design row. item, unit: indices into `study.items` and `study.clip_units`."""

    @abstractmethod
    def training(self, study: Study) -> list[Trial]:
        """Good and bad outputs, so that the whole scale is known before it counts; the same for everybody."""

    def trap(self, one: str, other: str) -> tuple[str, ...]:
        """The sounds of the check with beeps. one, other: two of `BEEPS`, of different counts."""
        return (one, REFERENCE)

    # ------------------------------------------------ session

    def slots(self, trial: Trial) -> list[tuple[str, str]]:
        """(role, condition) of every sound of a trial: role "take" under a letter, "reference" and "x" openly."""
        return [("take", condition) for condition in trial.shown]

    @abstractmethod
    def allowed(self, trial: Trial) -> str:
        """The possible answers to a trial in words, as the end of "the answer is"."""

    @abstractmethod
    def is_answer(self, trial: Trial, answer: object) -> bool:
        """Whether the answer, JSON of the page, is one of the possible ones."""

    @abstractmethod
    def passes(self, trial: Trial, answer: Any) -> bool:
        """Whether the answer to an attention check (kind gold or trap) is the right one. answer: a possible one."""

    def next_trial(self, plan: Sequence[Trial], answers: Mapping[int, Any]) -> int | None:
        """The number of the trial that is asked next, None at the end. answers: {number: answer} of those asked so far."""
        return len(answers) if len(answers) < len(plan) else None

    # ------------------------------------------------ analysis

    @abstractmethod
    def votes(self, row: Mapping) -> list[V]:
        """The votes of a stored answer to a trial or a repeat. row: of `Store.answers`; `origin` gives their common fields."""

    def answer_about(self, answer: Any, slot: int) -> object:
        """The part of an answer that is about the output in that slot, for the export."""
        return answer

    @property
    def rules(self) -> tuple[Rule[V], ...]:
        """The rules of post-screening."""
        return (same_answer,)

    def screen(self, votes: Sequence[V]) -> list[Flag]:
        """All flags of a study's votes."""
        return [flag for rule in self.rules for flag in rule(votes)]

    def alpha(self, votes: Sequence[V]) -> float:
        """Krippendorff's alpha between raters. Errors: ValueError where answers have no agreement to speak of."""
        raise ValueError(f"no agreement between raters is defined for {self.id!r}")

    @abstractmethod
    def analyse(self, votes: Sequence[V]) -> dict:
        """The statistics of one vote or more, repeats among them: dataclasses, mappings, lists and numbers."""

    @abstractmethod
    def precision(self, raters: int, items: int, spread: Spread | None = None) -> Precision:
        """The precision of a design. items: that every rater hears of each unit; spread: of a study, where one is known."""

    # ------------------------------------------------ report

    @abstractmethod
    def outcome(self, results: Mapping) -> list[Block]:
        """The outcome as a report shows it. results: of `eval.listening.analysis.results.analyse`, with votes in it."""

    # ------------------------------------------------ simulated listeners and the planner

    spread: ClassVar[Spread]  # assumed, not measured; in squared units of `scale`
    # where the answers of a simulated listener come from: the level of the worst condition there is, and that of the best
    scale: ClassVar[tuple[float, float]]
    contrast: ClassVar[tuple[str, str]] = (
        FIRST_SYSTEM,
        SECOND_SYSTEM,
    )  # the two conditions that a simulated plan compares
    difference: ClassVar[float]  # between them, which a plan looks for unless it is told another one
    differences: ClassVar[tuple[float, float]]  # that a plan may look for: above the first, up to the second
    effect_unit: ClassVar[str]  # of `difference`, in words
    null: ClassVar[float] = 0.0  # the effect where there is no difference

    def level_at(self, share: float) -> float:
        """The level that far from the worst (0) to the best (1)."""
        worst, best = self.scale
        return worst + share * (best - worst)

    @abstractmethod
    def levels(self, difference: float) -> tuple[float, float]:
        """The levels of both conditions of `contrast`, which are that difference apart."""

    @abstractmethod
    def respond(self, trial: Trial, levels: Sequence[float], rng: np.random.Generator) -> Any:
        """The answer of a listener, with the noise of one answer. levels: of `trial.shown` on `scale`, as this listener judges
        them for this clip on average."""

    @abstractmethod
    def answers(self, trial: Trial) -> Iterable[Any]:
        """Possible answers to a trial: all of them, or the ends of scales that have too many."""

    def right(self, trial: Trial) -> Any:
        """An answer that passes an attention check."""
        return next(answer for answer in self.answers(trial) if self.passes(trial, answer))

    @abstractmethod
    def effect(self, votes: Sequence[V], first: str, second: str) -> ClusteredEstimate:
        """How `second` stands against `first`, with the clustered interval that the report gives."""

    def finds(self, votes: Sequence[V], first: str, second: str) -> bool:
        """Whether a study of these votes finds that `second` is the better one (with `has_x`: another one)."""
        low = self.effect(votes, first, second).low
        return low is not None and low > self.null


def origin(row: Mapping) -> Origin:
    """The common fields of an answer's votes. row: of `Store.answers`."""
    return Origin(rater=row["rater"], item=row["item"], trial=row["number"], repeat=row["kind"] == "repeat")


def is_whole(value: object, low: int, high: int) -> bool:
    """Whether it is an integer, and no bool, in the closed interval."""
    return type(value) is int and low <= value <= high
