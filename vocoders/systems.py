"""A *system* is a front end composed with a vocoder, plus one honest sentence about the pair.

    samples -> step -> step -> Features -> vocoder -> samples

The front end is a tuple of the steps of `vocoders.features`; comparing systems is comparing such tuples. The systems
that exist are listed in `vocoders.catalogue`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vocoders.audio import fit_length
from vocoders.features import FeatureMismatch, Features, Kind, hw2_mel

Progress = Callable[[float], None]  # called with the fraction done, 0 to 1


class Unavailable(RuntimeError):
    """A system that cannot run here; the message says why and what would help."""


class Vocoder(Protocol):
    expects: Kind

    def __call__(self, features: Features, on_progress: Progress) -> np.ndarray: ...


@dataclass(frozen=True)
class Card:
    """Where a vocoder comes from. `parameters` counts learned numbers; 0 for signal processing."""

    parameters: int
    licence: str
    source: str


@dataclass(frozen=True)
class System:
    id: str
    title: str
    about: str  # one honest sentence
    steps: tuple[Callable, ...]  # the first takes samples (n,), the others Features
    load: Callable[[], Vocoder]  # cached by whoever defines it; raises Unavailable
    describe: Callable[[], Card]  # cheap: loads no weights
    why_not: Callable[[], str | None] = lambda: None  # reason it cannot run, found without loading anything

    @property
    def takes_hw2_mel(self) -> bool:
        """Whether an hw2 mel alone is enough, without the recording."""
        return self.steps[0] is hw2_mel

    @property
    def mel(self) -> str:
        """Name of the mel recipe the front end starts from, or "none"."""
        return {"hw2_mel": "hw2", "log_hifigan_mel": "hifigan"}.get(self.steps[0].__name__, "none")


class Analysis:
    """Features of one recording; a step is done once, however many systems share it."""

    def __init__(self, samples: np.ndarray) -> None:
        self.length: int | None = len(samples)
        self._known: dict[tuple[Callable, ...], np.ndarray | Features] = {(): samples}
        self._cost: dict[tuple[Callable, ...], float] = {}

    @classmethod
    def of_hw2_mel(cls, mel: Features) -> Analysis:
        """When there is no recording, only its hw2 mel."""
        analysis = cls(np.zeros(0, dtype=np.float32))
        analysis.length, analysis._known = None, {(hw2_mel,): mel}
        return analysis

    def features(self, steps: tuple[Callable, ...]) -> Features:
        if steps not in self._known:
            if not steps or (len(steps) == 1 and () not in self._known):
                raise FeatureMismatch("this system needs the recording itself; an hw2 mel is not enough")
            before = self.features(steps[:-1]) if len(steps) > 1 else self._known[()]
            start = time.perf_counter()
            self._known[steps] = steps[-1](before)
            self._cost[steps] = time.perf_counter() - start
        return self._known[steps]

    def seconds(self, steps: tuple[Callable, ...]) -> float:
        """What these features cost to compute, also where another system had them computed already."""
        return sum(self._cost.get(steps[: count + 1], 0.0) for count in range(len(steps)))


def synthesize(system: System, analysis: Analysis, on_progress: Progress = lambda fraction: None) -> np.ndarray:
    """What `system` makes of a recording: float32 samples, as long as the recording (or as its mel, 256 per frame).

    Errors: `Unavailable`; `FeatureMismatch` when the system needs more than the analysis holds.
    """
    features = analysis.features(system.steps)
    samples = system.load()(features, on_progress)
    return samples if analysis.length is None else fit_length(samples, analysis.length)
