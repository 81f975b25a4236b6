"""TorchScript programs as systems: `torchscript:FILE.pt@RECIPE`, on the command line only.

Such a file is code that PyTorch runs, without limits, so it has to be named as a program; no path, study or page starts one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vocoders.audio import check_mono
from vocoders.checkpoints.brought import slug
from vocoders.features import Features, front_end
from vocoders.recipes.configs import read_recipe
from vocoders.recipes.recipe import MelRecipe
from vocoders.systems import Call, Card, System

TORCHSCRIPT = "torchscript:"  # before the path


def torchscript_system(path: Path, said: str | None) -> System:
    """said: a recipe's name or file, which such a program does not state. Errors: ValueError."""
    if said is None:
        raise ValueError(
            f"{path.name} does not say which mel it takes; give its recipe, as {TORCHSCRIPT}{path.name}@hifigan"
        )
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    recipe, name = read_recipe(said), slug(path.stem)
    about = f"Your TorchScript program {path.name}, on the {recipe.name} mel."
    load = Call(_vocoder, (path, recipe, path.stat().st_mtime_ns))
    return System(
        name,
        f"Your {name}",
        about,
        front_end(recipe),
        load,
        Call(Card, (None, "not stated", path.name)),
        rate=recipe.rate,
    )


@functools.lru_cache(maxsize=4)
def _vocoder(path: Path, recipe: MelRecipe, _written: Any) -> TorchScriptVocoder:
    return TorchScriptVocoder(path, recipe)


class TorchScriptVocoder:
    """Log mel (1, bands, frames) -> waveform, in one piece. Errors of the constructor: ValueError for a file that is no such program."""

    def __init__(self, path: Path, recipe: MelRecipe) -> None:
        self.expects, self.rate, self._hop, self._name = recipe.log_kind, recipe.rate, recipe.hop, path.name
        try:
            self._program = torch.jit.load(str(path), map_location="cpu").eval()
        except (RuntimeError, ValueError) as error:
            raise ValueError(f"{path.name} is no TorchScript program ({_first_line(error)})") from error

    def __call__(self, features: Features, on_progress: Callable[[float], None] = lambda fraction: None) -> np.ndarray:
        """(n,) float32 at `rate`. Errors: `FeatureMismatch`; ValueError where the program fails or gives no waveform."""
        mel = features.require(self.expects, by="this TorchScript program")
        try:
            with torch.inference_mode():
                output = self._program(torch.from_numpy(np.ascontiguousarray(mel))[None])
        except RuntimeError as error:
            raise ValueError(f"{self._name} failed on a mel of shape {mel.shape} ({_first_line(error)})") from error
        samples = output.float().flatten().numpy() if isinstance(output, torch.Tensor) else np.zeros(0, np.float32)
        wanted = mel.shape[1] * self._hop
        if abs(len(samples) - wanted) > self._hop:
            raise ValueError(
                f"{self._name} gives {len(samples)} samples of {mel.shape[1]} frames; its recipe makes {wanted} of them"
            )
        check_mono(samples, f"the output of {self._name}")
        on_progress(1.0)
        return samples


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip()[:160] if lines else type(error).__name__
