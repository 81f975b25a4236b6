"""An ONNX file as a system: looked at and tried in a process of its own, then run here.

The recipe is the one that is named, or in the file's metadata, or, as with checkpoints, the one that a trial finds to fit.
"""

from __future__ import annotations

import functools
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from common.sandbox import Refused, run_contained
from vocoders.audio import SAMPLE_RATE, fit_length, resample
from vocoders.checkpoints.config import CheckpointError
from vocoders.checkpoints.trial import (
    MAX_CLEAR_RATIO,
    MAX_FITTING_DISTANCE,
    MAX_TRAINED_DISTANCE,
    UNCHECKED,
    distance_of,
    is_soundless,
    phrase,
)
from vocoders.features import front_end
from vocoders.mel import log_mel_of
from vocoders.onnx_files.network import OnnxFacts, OnnxNetwork, OnnxVocoder
from vocoders.recipes.configs import read_recipe
from vocoders.recipes.named import HW2, NAMED, with_its_name
from vocoders.recipes.recipe import MelRecipe, recipe_from
from vocoders.systems import Call, Card, System

SANDBOX_IMPORTS = ("av", "scipy.signal", "soxr")  # for the recording of a trial


def onnx_system(name: str, path: Path, said: str | None) -> System:
    """said: a recipe's name or file; None to use the metadata's, or to find out. Errors: `CheckpointError` with a sentence."""
    stat = path.stat()
    written = (stat.st_mtime_ns, stat.st_size)
    recipe, notice = _inspected(path, said, written)
    rate = "" if recipe.rate == SAMPLE_RATE else f" at {recipe.rate} Hz, resampled to {SAMPLE_RATE} Hz for metrics"
    about = f"Your ONNX network {path.name}, on the {recipe.name} mel{rate}.{f' {notice}.' if notice else ''}"
    load, describe = Call(_vocoder, (path, recipe, written)), Call(Card, (None, "not stated", path.name))
    return System(name, f"Your {name}", about, front_end(recipe), load, describe, rate=recipe.rate)


@functools.lru_cache(maxsize=4)
def _vocoder(path: Path, recipe: MelRecipe, _written: Any) -> OnnxVocoder:
    return OnnxVocoder(path, recipe)


@functools.lru_cache(maxsize=64)
def _inspected(path: Path, said: str | None, _written: Any) -> tuple[MelRecipe, str]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "found.json"
        try:
            run_contained(_inspect, path.resolve(), said, out, name=path.name)
        except Refused as refusal:
            raise CheckpointError(str(refusal)) from refusal
        found = json.loads(out.read_text(encoding="utf-8"))
    return with_its_name(recipe_from(found["recipe"])), found["notice"]


def inspect(path: Path, said: str | None) -> tuple[MelRecipe, str]:
    """The recipe, and what a trial found that is worth knowing. Errors: ValueError with a sentence."""
    network = OnnxNetwork(path)
    facts = network.facts
    stated = _stated(path.name, said, facts)
    if stated and said and said.endswith(UNCHECKED):
        return stated, ""
    known = [HW2] if facts.side.is_guided else NAMED.values()
    fitting = [recipe for recipe in known if (recipe.bands, recipe.hop) == (facts.bands, facts.hop)]
    distances = {recipe: _distance(network, recipe, path.name) for recipe in ([stated] if stated else fitting)}
    if stated and distances[stated] >= MAX_TRAINED_DISTANCE:
        distances |= {recipe: _distance(network, recipe, path.name) for recipe in fitting}
    return _judged(path.name, stated, distances)


def _stated(name: str, said: str | None, facts: OnnxFacts) -> MelRecipe | None:
    """The recipe that is named, or of the metadata, or the only one that has a guide. Errors: ValueError where it cannot be this network's."""
    stated = read_recipe(said.removesuffix(UNCHECKED)) if said else facts.recipe
    if said and stated and facts.recipe and stated != facts.recipe:
        raise ValueError(f"{name} was exported for the {facts.recipe.name} mel, not {stated.name}")
    if facts.side.is_guided:
        stated = stated or HW2
        if stated != HW2:
            raise ValueError(f"{name} is a guided generator, which takes the hw2 mel, not {stated.name}")
    if stated and (stated.bands, stated.hop) != (facts.bands, facts.hop):
        raise ValueError(
            f"{name} takes {facts.bands} bands and gives {facts.hop} samples of a frame; the {stated.name} mel has "
            f"{stated.bands} every {stated.hop}"
        )
    return stated


def _judged(name: str, stated: MelRecipe | None, distances: dict[MelRecipe, float]) -> tuple[MelRecipe, str]:
    if not distances:
        raise ValueError(
            f"{name} says no mel recipe, and none with a name has its bands and hop; give one, as @recipe.yaml"
        )
    best, *others = sorted(distances, key=lambda recipe: distances[recipe])
    clear = distances[best] < MAX_FITTING_DISTANCE and all(
        distances[best] < MAX_CLEAR_RATIO * distances[other] for other in others
    )
    if stated is None:
        if clear or (distances[best] < MAX_TRAINED_DISTANCE and others):
            return (
                best,
                f"Nothing says which mel it was trained on; a trial found {best.name} (log-mel L1 {distances[best]:.1f})",
            )
        raise ValueError(
            f"{name} says no mel recipe, and a trial does not tell (log-mel L1 {distances[best]:.1f} at best); give one, as @hifigan"
        )
    if (
        best != stated
        and distances[best] < MAX_FITTING_DISTANCE
        and distances[best] < MAX_CLEAR_RATIO * distances[stated]
    ):
        raise ValueError(
            f"{name}: it fits the {best.name} mel, not {stated.name} (log-mel L1 of a trial {distances[best]:.1f} against "
            f"{distances[stated]:.1f}). To use it all the same: @{stated.name}{UNCHECKED} behind its path"
        )
    far = f"Its output of a sung phrase is far from the phrase (log-mel L1 {distances[stated]:.1f}; of a well-trained one below 1)"
    return stated, far if distances[stated] >= MAX_TRAINED_DISTANCE else ""


def _distance(network: OnnxNetwork, recipe: MelRecipe, name: str) -> float:
    samples = resample(phrase(), SAMPLE_RATE, to=recipe.rate)
    output = network.run(log_mel_of(fit_length(samples, recipe.whole(len(samples))), recipe))
    if not np.isfinite(output).all():
        raise ValueError(f"{name} gives values that are not numbers")
    output = fit_length(resample(output, recipe.rate), len(phrase()))
    if is_soundless(output, phrase()):
        raise ValueError(f"{name} makes no sound: of a sung phrase it makes a constant {output.mean():.3f}")
    return distance_of(output)


def _inspect(path: Path, said: str | None, out: Path) -> None:
    try:
        recipe, notice = inspect(path, said)
    except ValueError as error:
        raise Refused(f"{error}.") from error
    out.write_text(json.dumps({"recipe": recipe.as_dict(), "notice": notice}), encoding="utf-8")
