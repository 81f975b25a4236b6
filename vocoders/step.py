"""A step of a front end: what it takes and gives, and the names under which results and the page know it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from vocoders.audio import SAMPLE_RATE


@dataclass(frozen=True)
class Step:
    """name: in results.json and in the keys of caches, so it never changes. label: on the page. takes, gives: kinds of
    `vocoders.features.Features`, or "recording" for samples (n,). apply: a function of a module, or a value that is called; one
    with an attribute `rate` takes a recording at any rate, as a second argument, to which 22 050 Hz is the default."""

    name: str
    label: str
    takes: str
    gives: str
    apply: Callable[..., Any]

    @property
    def rate(self) -> int:
        """Hz at which the step analyses a recording."""
        return getattr(self.apply, "rate", SAMPLE_RATE)

    def __call__(self, given: Any) -> Any:
        """Applies the step: samples or features -> features."""
        return self.apply(given)

    def __reduce__(self) -> tuple:
        if isinstance(self.apply, FunctionType):
            # The function's name in its module leads to the step, so the function itself could not be found there
            return step_at, (self.apply.__module__, self.apply.__qualname__)
        return Step, (self.name, self.label, self.takes, self.gives, self.apply)


def step(name: str, label: str, takes: str, gives: str) -> Callable[[Callable], Step]:
    """Makes the function of a module below a step."""
    return lambda apply: Step(name, label, takes, gives, apply)


def step_at(module: str, name: str) -> Step:
    """The step of this name in the module; what pickle calls. Errors: `ImportError`, `AttributeError`."""
    return getattr(importlib.import_module(module), name)
