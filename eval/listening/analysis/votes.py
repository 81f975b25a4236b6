"""The input of the statistics: one object per answer to one question. Answers are correlated within `rater` and `item`.

Each kind of vote has three properties. `condition` is what it judges, whatever the order heard; `given` the answer as it was
entered, None for "no difference"; `meant` the answer whatever the order heard, which a repeat is compared with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict, TypeVar

LETTERS = "ABCDEFGHIJKLMNOP"  # of the slots of a trial, as listeners see them
REFERENCE = "reference"  # the recording itself, hidden among the systems
ANCHOR = "anchor"  # the recording below 3.5 kHz (ITU-R BS.1534)
MID_ANCHOR = "anchor-7k"  # the recording below 7 kHz (the same, from its third version on)


@dataclass(frozen=True)
class Rating:
    """One score: 1 to 5 of an ACR study (ITU-T P.800), 0 to 100 of MUSHRA (ITU-R BS.1534)."""

    rater: str
    item: str
    system: str
    score: float
    trial: int  # its place in the session, from 0
    slot: int = 0  # its place in the trial, from 0
    repeat: bool = False  # the same question once more, for the rater's consistency; no vote of its own

    @property
    def condition(self) -> str:
        """The system."""
        return self.system

    @property
    def given(self) -> float | None:
        """The score."""
        return self.score

    @property
    def meant(self) -> float:
        """The score, which no order changes."""
        return self.score


@dataclass(frozen=True)
class Preference:
    """One comparison of two systems, in the order heard; `choice` is 0 for the first, 1 for the second, None for no
    difference."""

    rater: str
    item: str
    systems: tuple[str, str]
    choice: int | None
    trial: int
    repeat: bool = False

    @property
    def condition(self) -> tuple[str, str]:
        """The pair, by name."""
        return _by_name(self.systems)

    @property
    def given(self) -> int | None:
        """0 for the first, 1 for the second, None for no difference."""
        return self.choice

    @property
    def meant(self) -> str | None:
        """The system that was preferred, None for no difference."""
        return None if self.choice is None else self.systems[self.choice]


@dataclass(frozen=True)
class AbxResponse:
    """One ABX trial. x, answer: indices into `systems`, 0 or 1: the true one and the answered one."""

    rater: str
    item: str
    systems: tuple[str, str]
    x: int
    answer: int
    trial: int
    repeat: bool = False

    @property
    def right(self) -> bool:
        """Whether X was identified."""
        return self.x == self.answer

    @property
    def condition(self) -> tuple[str, str]:
        """The pair, by name."""
        return _by_name(self.systems)

    @property
    def given(self) -> int:
        """0 for the first, 1 for the second."""
        return self.answer

    @property
    def meant(self) -> bool:
        """Whether X was identified."""
        return self.right


@dataclass(frozen=True)
class Extremes:
    """The best and the worst of a set. best, worst: different indices into `systems`, which are in the order of their slots."""

    rater: str
    item: str
    systems: tuple[str, ...]
    best: int
    worst: int
    trial: int
    repeat: bool = False

    @property
    def condition(self) -> tuple[str, ...]:
        """The set, by name."""
        return tuple(sorted(self.systems))

    @property
    def given(self) -> tuple[int, int]:
        """The slots of the best and of the worst."""
        return self.best, self.worst

    @property
    def meant(self) -> tuple[str, str]:
        """The best and the worst system."""
        return self.systems[self.best], self.systems[self.worst]


Vote = Rating | Preference | AbxResponse | Extremes
V = TypeVar("V", bound=Vote)


class Origin(TypedDict):
    """The fields that all kinds of votes share: whose a vote is, and where in the session it was given."""

    rater: str
    item: str
    trial: int
    repeat: bool


def _by_name(systems: tuple[str, str]) -> tuple[str, str]:
    first, second = sorted(systems)
    return first, second
