"""Systems written in Python elsewhere: `module:function`, and the entry points of packages in the group `vocoder_lab.systems`.

A function is called with a recording, (n,) float32, and its rate: 22 050 Hz, or that of the function's attribute `rate`. One that
has an attribute `recipe`, the name of a mel recipe, its file or a `MelRecipe`, is called with that log mel, (bands, frames) float32,
instead. Either returns samples (n,), or samples and their rate; without a rate they are at the rate of what was given. The output
is kept at that rate. Longer or shorter than the recording is allowed.

This imports and runs code, so names come from a command line or from what somebody installed, never from a page or a file.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

import numpy as np

from vocoders.audio import MAX_NATIVE_RATE, SAMPLE_RATE, check_mono, resample
from vocoders.features import Features, front_end
from vocoders.recipes.configs import read_recipe
from vocoders.recipes.named import with_its_name
from vocoders.recipes.recipe import MelRecipe
from vocoders.step import Step, step
from vocoders.systems import Call, Card, Progress, System

GROUP = "vocoder_lab.systems"
_PATH = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*"


def is_path(item: str) -> bool:
    """Whether this is written as `module:function`."""
    return re.fullmatch(_PATH, item) is not None


def installed() -> dict[str, EntryPoint]:
    """The entry points of installed packages, by name; nothing is imported."""
    return {point.name: point for point in entry_points(group=GROUP)}


def function_system(name: str, path: str) -> System:
    """The function at `module:function` as a system. Errors: ValueError where there is none, or its recipe is none."""
    function = _function(path)
    recipe = _recipe_of(function, path)
    lines = (function.__doc__ or "").strip().splitlines()
    about = lines[0] if lines else f"A Python function, {path}."
    rate = _rate_of(function, recipe, path)
    steps = (_waveform_step(rate),) if recipe is None else front_end(recipe)
    load, describe = Call(_vocoder, (path,)), Call(_card, (path,))
    return System(name, getattr(function, "title", name), about, steps, load, describe, rate=rate)


@step("waveform", "waveform", takes="recording", gives="waveform")
def waveform(samples: np.ndarray) -> Features:
    """(n,) samples as they are, for a function that takes no mel."""
    return Features("waveform", samples[None])


@dataclass(frozen=True)
class WaveformAt:
    """The function of the step for a function that takes no mel, and a recording at its own rate, Hz."""

    rate: int

    def __call__(self, samples: np.ndarray, rate: int = SAMPLE_RATE) -> Features:
        """(n,) float32 at `rate` Hz -> (1, m) at the step's."""
        return Features("waveform", resample(samples, rate, self.rate)[None])


def _waveform_step(rate: int) -> Step:
    if rate == SAMPLE_RATE:
        return waveform
    return Step(f"waveform_{rate}", f"waveform at {rate / 1000:g} kHz", "recording", "waveform", WaveformAt(rate))


class FunctionVocoder:
    """Errors of the call: ValueError for a result that is no audio; what the function itself raises."""

    def __init__(self, function: Callable, recipe: MelRecipe | None, rate: int, path: str) -> None:
        self.expects = recipe.log_kind if recipe else "waveform"
        self._function, self._path = function, path
        self.rate = rate  # Hz, of the output
        self._takes_mel = recipe is not None

    def __call__(self, features: Features, on_progress: Progress = lambda fraction: None) -> np.ndarray:
        """The function's samples, (n,) float32 at `rate`."""
        values = features.require(self.expects, by=self._path)
        given = (values.copy(),) if self._takes_mel else (values[0].copy(), self.rate)
        on_progress(0.0)
        result = self._function(*given)
        samples, rate = result if isinstance(result, tuple) else (result, self.rate)
        samples = np.asarray(samples)
        check_mono(samples, f"what {self._path} returns")
        if not isinstance(rate, int) or not 8000 <= rate <= 192_000:
            raise ValueError(f"{self._path} returns a rate of {rate!r}; allowed: whole numbers from 8000 to 192000")
        on_progress(1.0)
        return resample(samples.astype(np.float32), rate, self.rate)


@functools.lru_cache(maxsize=8)
def _vocoder(path: str) -> FunctionVocoder:
    function = _function(path)
    recipe = _recipe_of(function, path)
    return FunctionVocoder(function, recipe, _rate_of(function, recipe, path), path)


def _card(path: str) -> Card:
    function = _function(path)
    return Card(getattr(function, "parameters", 0), getattr(function, "licence", "not stated"), path)


def _function(path: str) -> Callable:
    module, _, name = path.partition(":")
    try:
        function = functools.reduce(getattr, name.split("."), importlib.import_module(module))
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{path} cannot be imported: {error}") from error
    if not callable(function):
        raise ValueError(f"{path} is no function, but a {type(function).__name__}")
    return function


def _rate_of(function: Callable, recipe: MelRecipe | None, path: str) -> int:
    """Hz. Errors: ValueError."""
    if recipe:
        return recipe.rate
    rate = getattr(function, "rate", SAMPLE_RATE)
    if not isinstance(rate, int) or not 8000 <= rate <= MAX_NATIVE_RATE:
        raise ValueError(f"{path}: its rate is {rate!r}; allowed: whole numbers from 8000 to {MAX_NATIVE_RATE}")
    return rate


def _recipe_of(function: Callable, path: str) -> MelRecipe | None:
    recipe = getattr(function, "recipe", None)
    try:
        return (
            recipe
            if recipe is None
            else with_its_name(recipe if isinstance(recipe, MelRecipe) else read_recipe(recipe))
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
