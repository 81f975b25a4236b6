"""A metric is declared beside its formula: `@metric(name, ...)` above a function of (reference, estimate)."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vocoders.audio import SAMPLE_RATE

Better = Literal["lower", "higher", "nearest 0"]
Formula = Callable[
    [np.ndarray, np.ndarray], float
]  # (reference, estimate), see `eval.metrics.spectral` for conventions
Curve = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, float]]  # -> error per frame, frames per second

SPECTRAL, PITCH, STABILITY, LEVEL, OPINION = GROUPS = (
    "spectral fidelity",
    "pitch and periodicity",
    "stability of held notes",
    "level and time",
    "predicted opinion",
)


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Metric:
    """curve: the error along the recording, where the metric has a place in it."""

    name: str
    unit: str
    about: str
    group: str
    compute: Formula
    why_not: Callable[[], str | None] = _nothing  # reason it cannot be computed here
    better: Better = "lower"
    quick: bool = False  # shown on the page with its output: far faster than real time, and few
    on_request: bool = False  # computed only where it is asked for by name: slow, or one more view of the same
    in_place: bool = False  # of an estimate as it lies, never aligned with its reference
    any_rate: bool = False  # its windows are so many samples, so it can also be computed at a rate that is asked for
    curve: Curve | None = None

    def rate(self, asked: int) -> int:
        """Hz at which it is computed where a rate is asked for."""
        return asked if self.any_rate else SAMPLE_RATE

    def value(self, reference: np.ndarray, estimate: np.ndarray) -> float | None:
        """The result of `compute`; None where it cannot be computed here or is undefined."""
        if self.why_not():
            return None
        value = self.compute(reference, estimate)
        return value if math.isfinite(value) else None


DECLARED: dict[str, Metric] = {}  # filled as the modules of `eval.metrics` are imported, see `eval.metrics.registry`


def metric(
    name: str,
    about: str,
    *,
    group: str,
    unit: str = "",
    better: Better = "lower",
    requires: Callable[[], str | None] = _nothing,
    quick: bool = False,
    on_request: bool = False,
    in_place: bool = False,
    any_rate: bool = False,
    curve: Curve | None = None,
) -> Callable[[Formula], Formula]:
    """Declares the function below as a metric, and leaves it as it is. requires: see `package`.

    Errors: ValueError for a name that another metric has.
    """

    def declare(compute: Formula) -> Formula:
        if name in DECLARED:
            raise ValueError(f"two metrics are called {name}")
        DECLARED[name] = Metric(
            name, unit, about, group, compute, requires, better, quick, on_request, in_place, any_rate, curve
        )
        return compute

    return declare


def package(module: str, distribution: str, note: str = "") -> Callable[[], str | None]:
    """A check whether a module can be imported: None, or the reason. distribution: the name under which it is installed."""

    def missing() -> str | None:
        return None if importlib.util.find_spec(module) else f"the package {distribution}{note} is not installed"

    return missing
