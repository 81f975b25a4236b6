"""A step of a front end: what it takes and gives, and the names under which results and the page know it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_STEPS: dict[str, Step] = {}


@dataclass(frozen=True)
class Step:
    """name: in results.json and in the keys of caches, so it never changes. label: on the page. takes, gives: kinds of
    `vocoders.features.Features`, or "recording" for samples (n,)."""

    name: str
    label: str
    takes: str
    gives: str
    apply: Callable[[Any], Any]

    def __call__(self, given: Any) -> Any:
        return self.apply(given)

    def __reduce__(self) -> tuple:
        # By name: where it is unpickled the module's function is a Step as well, so it would not be found as a function
        return step_named, (self.name,)


def step(name: str, label: str, takes: str, gives: str) -> Callable[[Callable], Step]:
    """Makes the function below a step. Errors: ValueError for a name that another step has."""

    def declare(apply: Callable) -> Step:
        if name in _STEPS:
            raise ValueError(f"two steps are called {name}")
        _STEPS[name] = Step(name, label, takes, gives, apply)
        return _STEPS[name]

    return declare


def step_named(name: str) -> Step:
    """A step of `vocoders.features`. Errors: KeyError."""
    import vocoders.features  # noqa: F401  (declares them, also in a process that has just begun)

    return _STEPS[name]
