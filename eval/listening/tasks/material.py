"""What a study compares, as far as its kind of test asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Material:
    """pairs: those that the study names itself, for tasks that compare pairs. reference: whether the recording is one of the
    conditions. anchors: {condition: cut-off of the low-passed recording, Hz}."""

    systems: Sequence[str]
    pairs: Sequence[tuple[str, str]] = ()
    reference: bool = True
    anchors: Mapping[str, float] = field(default_factory=dict)
