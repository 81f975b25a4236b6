"""The interface of a kind of listening test: all that a study, its sessions, its analysis and its report ask of it.

A task is a class without state, registered once in `registry.py` by the id that studies store as their `mode`. Its browser
side is a module of the same name in assets/listening/tasks/.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from eval.listening.analysis.precision import Precision, Spread
from eval.listening.analysis.screening import Flag, Rule, same_answer
from eval.listening.analysis.votes import REFERENCE, Origin, V
from eval.listening.tasks.outcome import Block
from eval.listening.trial import DEGRADED, Trial

if TYPE_CHECKING:
    from eval.listening.study import Study


class Task(ABC, Generic[V]):
    """V: the kind of vote that an answer becomes. A *unit* is one question about one clip: the conditions that a trial plays for it, before their order is drawn."""

    id: ClassVar[str]
    title: ClassVar[str]  # in the form that makes a study
    about: ClassVar[str]  # one sentence, at the head of a report
    seconds_per_trial: ClassVar[float]  # about, listening and answering
    needs: ClassVar[str] = "a system"  # the fewest systems that give a unit, in words
    # {condition: cut-off of the low-passed recording, Hz}
    anchors: ClassVar[Mapping[str, float]] = MappingProxyType({})
    gold: ClassVar[tuple[str, ...]] = (REFERENCE, DEGRADED)  # what the check with the degraded anchor plays
    is_reference_free: ClassVar[bool] = False  # whether it can be asked about outputs without any recording
    has_x: ClassVar[bool] = False  # whether a trial also plays X, which repeats one of its outputs

    # ------------------------------------------------ design

    def conditions(self, systems: Sequence[str]) -> tuple[str, ...]:
        """All conditions of a study, attention checks aside."""
        return (*systems, REFERENCE, *self.anchors)

    @abstractmethod
    def units(self, systems: Sequence[str], pairs: Sequence[tuple[str, str]] = ()) -> Sequence[tuple[str, ...]]:
        """The units of one clip. pairs: those that the study names itself, for tasks that compare pairs."""

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


def origin(row: Mapping) -> Origin:
    """The common fields of an answer's votes. row: of `Store.answers`."""
    return Origin(rater=row["rater"], item=row["item"], trial=row["number"], repeat=row["kind"] == "repeat")


def is_whole(value: object, low: int, high: int) -> bool:
    """Whether it is an integer, and no bool, in the closed interval."""
    return type(value) is int and low <= value <= high
