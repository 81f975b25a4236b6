"""Discriminators in a file, as the original HiFi-GAN's `do_XXXXXXXX` has them: {"mpd": state, "msd": state}, with the names of its
layers. Where the networks are the original's, it loads them. Resolution discriminators stand under "mrd", named alike.

Beside them is what training needs to go on, under this project's own names: the optimizer's state and the step.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from common.durable import write_durably
from train.networks.discriminators import Discriminators

_OPTIMIZER = "discriminator_optimizer"
_EXPONENT = "mrd_exponent"  # of the magnitudes that "mrd" was trained with; older files have none, and mean 1
_NAMES = (  # of this project, and of the original
    (r"^(\d+)\.", r"discriminators.\1."),
    (r"\.layers\.", ".convs."),
    (r"\.score\.", ".conv_post."),
    (r"parametrizations\.weight\.original0", "weight_g"),
    (r"parametrizations\.weight\.original1", "weight_v"),
    (r"parametrizations\.weight\.original", "weight_orig"),
    (r"parametrizations\.weight\.0\._([uv])", r"weight_\1"),
)


def write_discriminators(path: Path, content: Mapping[str, Any]) -> None:
    """content: of a run's state, see `train.state.content_of`. Errors: ValueError for a run without discriminators."""
    if "discriminators" not in content:
        raise ValueError(f"{path}: this run has no discriminators yet, so there is nothing to write")
    families: dict[str, Any] = {}
    for name, value in content["discriminators"].items():
        family, theirs = _theirs(name)
        families.setdefault(family, {})[theirs] = value
    buffer = io.BytesIO()
    exponent = content.get("config", {}).get("resolution_exponent", 1.0)
    about = {"steps": content["step"], _OPTIMIZER: content[_OPTIMIZER], _EXPONENT: exponent}
    torch.save({**families, **about}, buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, buffer.getbuffer())


def read_discriminators(path: Path) -> dict[str, Any]:
    """What `write_discriminators` or the original wrote. Errors: ValueError."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ValueError(f"there is no file {path}") from error
    except Exception as error:  # a damaged archive raises almost anything
        raise ValueError(f"{path} is no file of discriminators ({type(error).__name__})") from error
    if not isinstance(content, dict) or not any(isinstance(content.get(name), dict) for name in ("mpd", "msd", "mrd")):
        raise ValueError(
            f'{path} holds no discriminators; "mpd", "msd" or "mrd" are expected, as in the original\'s do_XXXXXXXX'
        )
    return content


def load_discriminators(discriminators: Discriminators, content: Mapping[str, Any]) -> None:
    """Sets all weights, bit for bit. Errors: ValueError naming one that is missing or has another shape, or the exponent of other
    magnitudes than theirs."""
    state: dict[str, Tensor] = {}
    for name, wanted in discriminators.state_dict().items():
        family, theirs = _theirs(name)
        found = content.get(family, {}).get(theirs)
        if not isinstance(found, Tensor) or found.shape != wanted.shape:
            shape = tuple(found.shape) if isinstance(found, Tensor) else "missing"
            raise ValueError(
                f"the discriminators in the file are not those of this preset: {family} {theirs} is {shape}, not {tuple(wanted.shape)}"
            )
        state[name] = found
    exponent = content.get(_EXPONENT, 1.0)
    if "mrd" in discriminators.families and exponent != discriminators.resolution_exponent:
        raise ValueError(
            f"the discriminators in the file were trained on magnitudes to the power of {exponent}, and this preset has "
            f"{discriminators.resolution_exponent}"
        )
    discriminators.load_state_dict(state)


def load_optimizer(optimizer: torch.optim.Optimizer, content: Mapping[str, Any]) -> None:
    """The moments of the run that wrote the file; the original's file has none in this order, and leaves it fresh."""
    if _OPTIMIZER in content:
        optimizer.load_state_dict(content[_OPTIMIZER])


def _theirs(name: str) -> tuple[str, str]:
    """families.mpd.0.layers.1.bias -> mpd, discriminators.0.convs.1.bias"""
    _, family, inner = name.split(".", 2)
    for pattern, replacement in _NAMES:
        inner = re.sub(pattern, replacement, inner)
    return family, inner
