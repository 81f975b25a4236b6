"""One trial of a session: the conditions that it plays, and the stimuli of attention checks."""

from __future__ import annotations

from dataclasses import dataclass

DEGRADED = "degraded"  # the degraded anchor of attention checks
BEEPS = tuple(f"beeps-{count}" for count in range(1, 6))  # stimuli of attention checks: the count is the right answer


@dataclass(frozen=True)
class Trial:
    """`shown` are conditions in the order of their slots; `x`, of an ABX trial, says which of the two X is."""

    kind: str  # training, trial, repeat, gold, trap
    item: str
    shown: tuple[str, ...]
    x: int | None = None

    @property
    def counted(self) -> bool:
        """Whether its answers are votes."""
        return self.kind == "trial"

    @property
    def checked_slot(self) -> int:
        """The slot that an attention check is about: the first one with the degraded anchor or beeps."""
        return next(slot for slot, condition in enumerate(self.shown) if condition in (DEGRADED, *BEEPS))
