"""One family of generators, as far as reading its files goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vocoders.checkpoints.contents import Contents


@dataclass(frozen=True)
class Family:
    """what: with its article, for sentences; "" where the reader's own sentences say enough. knows: whether the names of a state
    dict are this family's. read: the file's path, its state and the path of its configuration (None: the one beside it) ->
    `Contents`; raises `CheckpointError`."""

    what: str
    knows: Callable[[Mapping], bool]
    read: Callable[[Path, Mapping, Path | None], Contents]


def starts(state: Mapping, *beginnings: str) -> bool:
    """Whether for each beginning there is a name with it."""
    return all(any(str(name).startswith(beginning) for name in state) for beginning in beginnings)
