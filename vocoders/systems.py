"""A *system* is a front end composed with a vocoder, plus one honest sentence about the pair.

    samples -> step -> step -> Features -> vocoder -> samples [ -> refinement on the hw2 mel -> samples ]

The front end is a tuple of the steps of `vocoders.features`; comparing systems is comparing such tuples. The systems
that exist are listed in `vocoders.catalogue`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from vocoders.audio import fit_length
from vocoders.features import FeatureMismatch, Features, Kind, hw2_mel
from vocoders.mel import HW2
from vocoders.refine import Refinement, refine

Progress = Callable[[float], None]  # called with the fraction done, 0 to 1


class Unavailable(RuntimeError):
    """A system that cannot run here; the message says why and what would help."""


class Vocoder(Protocol):
    expects: Kind

    def __call__(self, features: Features, on_progress: Progress) -> np.ndarray: ...


@dataclass(frozen=True)
class Card:
    """Where a vocoder comes from. `parameters` counts learned numbers; 0 for signal processing.

    `training` is what a checkpoint says of how it was made: free text by key, see `train.export`.
    """

    parameters: int
    licence: str
    source: str
    training: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class System:
    id: str
    title: str
    about: str  # one honest sentence
    steps: tuple[Callable, ...]  # the first takes samples (n,), the others Features
    load: Callable[[], Vocoder]  # cached by whoever defines it; raises Unavailable. Equal for equal vocoders
    describe: Callable[[], Card]  # cheap: loads no weights
    why_not: Callable[[], str | None] = lambda: None  # reason it cannot run, found without loading anything
    refinement: Refinement | None = None  # applied to the vocoder's output, on the recording's hw2 mel

    @property
    def takes_hw2_mel(self) -> bool:
        """Whether an hw2 mel alone is enough, without the recording."""
        return self.steps[0] is hw2_mel

    @property
    def mel(self) -> str:
        """Name of the mel recipe the front end starts from, or "none"."""
        return {"hw2_mel": "hw2", "log_hifigan_mel": "hifigan"}.get(self.steps[0].__name__, "none")


class Analysis:
    """One recording on its way through systems; whatever systems share is computed once.

    Keys are the path so far: steps of a front end, then the vocoder, then the refinement.
    """

    def __init__(self, samples: np.ndarray) -> None:
        self.length: int | None = len(samples)
        self._known: dict[tuple[Hashable, ...], Any] = {(): samples}
        self._cost: dict[tuple[Hashable, ...], float] = {}

    @classmethod
    def of_hw2_mel(cls, mel: Features) -> Analysis:
        """When there is no recording, only its hw2 mel."""
        analysis = cls(np.zeros(0, dtype=np.float32))
        analysis.length, analysis._known = None, {(hw2_mel,): mel}
        return analysis

    def features(self, steps: tuple[Callable, ...]) -> Features:
        if len(steps) == 1 and steps not in self._known and () not in self._known:
            raise FeatureMismatch("this system needs the recording itself; an hw2 mel is not enough")
        return self._once(steps, lambda: steps[-1](self.features(steps[:-1]) if steps[1:] else self._known[()]))

    def waveform(self, system: System, on_progress: Progress) -> np.ndarray:
        """The vocoder's output, refined where the system says so; (frames * 256,) float32."""
        features, vocoder = self.features(system.steps), system.load()
        plain = self._once((*system.steps, system.load), lambda: vocoder(features, on_progress))
        if system.refinement is None:
            return plain
        mel = self.features((hw2_mel,)).values
        return self._once(
            (*system.steps, system.load, system.refinement),
            lambda: refine(plain, mel, HW2, system.refinement, on_progress),
        )

    def seconds(self, system: System) -> float:
        """What the system cost to compute, with every part counted that another system had computed already."""
        path = (*system.steps, system.load, system.refinement)
        used = {path[:count] for count in range(1, len(path) + 1)} | ({(hw2_mel,)} if system.refinement else set())
        return sum(self._cost.get(key, 0.0) for key in used)

    def _once(self, key: tuple[Hashable, ...], make: Callable[[], Any]) -> Any:
        if key not in self._known:
            before = sum(self._cost.values())
            start = time.perf_counter()
            self._known[key] = make()
            inner = sum(self._cost.values()) - before  # parts that were made, and counted, on the way
            self._cost[key] = time.perf_counter() - start - inner
        return self._known[key]


def synthesize(system: System, analysis: Analysis, on_progress: Progress = lambda fraction: None) -> np.ndarray:
    """What `system` makes of a recording: float32 samples, as long as the recording (or as its mel, 256 per frame).

    Errors: `Unavailable`; `FeatureMismatch` when the system needs more than the analysis holds.
    """
    samples = analysis.waveform(system, on_progress)
    return samples if analysis.length is None else fit_length(samples, analysis.length)
