"""A *system* is a front end composed with a vocoder, plus one honest sentence about the pair.

    samples -> step -> step -> Features -> vocoder -> samples [ -> refinement on the hw2 mel -> samples ]

The front end is a tuple of the steps of `vocoders.features`; comparing systems is comparing such tuples. The systems
that exist are listed in `vocoders.catalogue`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from common.unavailable import Unavailable as Unavailable
from vocoders.audio import MAX_NATIVE_RATE, SAMPLE_RATE
from vocoders.bridges import bridge
from vocoders.features import Features, Kind, LogMelOf
from vocoders.phase.refine import Refinement
from vocoders.step import Step

Progress = Callable[[float], None]  # called with the fraction done, 0 to 1


@runtime_checkable
class SoundProgress(Protocol):
    """A `Progress` that also takes what there is of the output, from vocoders that make it block by block."""

    def __call__(self, fraction: float) -> None:
        """fraction: done, 0 to 1."""

    def made(self, samples: np.ndarray) -> None:
        """samples: (k,) float32, the first of the output, more than at the call before. They are a view that will be written on
        behind its end."""


class Vocoder(Protocol):
    """Features -> samples at `System.rate`. `expects` is the kind of features that it takes."""

    expects: Kind

    def __call__(self, features: Features, on_progress: Progress) -> np.ndarray:
        """Features of the kind `expects` -> (hop * frames,) float32. Errors: `FeatureMismatch`; what `on_progress` raises."""


@dataclass(frozen=True)
class Call:
    """A function with its arguments, to be called later. Unlike `functools.partial` it equals another of the same, in other
    processes too."""

    function: Callable
    arguments: tuple = ()

    def __call__(self) -> Any:
        """The function's result for the stored arguments."""
        return self.function(*self.arguments)


@dataclass(frozen=True)
class Card:
    """Where a vocoder comes from. `parameters` counts learned numbers; 0 for signal processing, None where that is not known.

    `training` is what a checkpoint says of how it was made: free text by key, see `train.export`.
    """

    parameters: int | None
    licence: str
    source: str
    training: Mapping[str, str] = field(default_factory=dict)


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class System:
    """A value: with functions of modules, or `Call`s of such, it equals itself after a trip to another process."""

    id: str
    title: str
    about: str  # one honest sentence
    steps: tuple[Step, ...]  # each takes what the one before gives, the first a recording
    load: Callable[[], Vocoder]  # cached where it is defined; raises Unavailable
    describe: Callable[[], Card]  # cheap: loads no weights
    why_not: Callable[[], str | None] = _nothing  # reason it cannot run, found without loading anything
    refinement: Refinement | None = None  # applied to the vocoder's output, on the recording's hw2 mel
    rate: int = SAMPLE_RATE  # Hz, of the vocoder's output; for metrics it is resampled to 22 050 Hz

    @property
    def takes_hw2_mel(self) -> bool:
        """Whether an hw2 mel alone is enough, without the recording: where the system starts from another, through a bridge."""
        return bridge(self.steps[0]) is not None

    @property
    def native_rate(self) -> int:
        """Hz, of the output that is played: the vocoder's, up to `MAX_NATIVE_RATE`; a refined one is at 22 050 Hz."""
        return SAMPLE_RATE if self.refinement else min(self.rate, MAX_NATIVE_RATE)

    @property
    def mel(self) -> str:
        """Name of the mel recipe the front end starts from, or "none"."""
        if isinstance(self.steps[0].apply, LogMelOf):
            return self.steps[0].apply.recipe.name
        return {"hw2 mel": "hw2", "log hifigan mel": "hifigan"}.get(self.steps[0].gives, "none")
