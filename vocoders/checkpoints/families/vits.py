"""The decoder of jaywalnut310/vits as a vocoder by itself: a HiFi-GAN without weight norm at its ends, and without a bias at the end.

Inside a VITS its input is a latent. A decoder that was trained on mels has as many input channels as the mel has bands.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from vocoders.checkpoints.config import CheckpointError, config_beside, json_object
from vocoders.checkpoints.contents import Contents
from vocoders.checkpoints.families.configuration import built, even_kernels, recipe_by, section
from vocoders.checkpoints.families.family import Family, starts
from vocoders.checkpoints.weights import folded
from vocoders.hifigan.generator import HiFiGANConfig
from vocoders.recipes.configs import of_vits

_DECODER = "dec."


def is_vits(data: Mapping) -> bool:
    """Whether a config.json is one of VITS."""
    return bool(section(data, "model")) and bool(section(data, "data"))


def read_vits(path: Path, state: Mapping, data: Mapping, where: str) -> Contents:
    """state: of the decoder, without a prefix. Errors: `CheckpointError`."""
    bands = section(data, "data").get("n_mel_channels", 80)
    first = state.get("conv_pre.weight")
    if isinstance(first, Tensor) and first.ndim == 3 and first.shape[1] != bands:
        raise CheckpointError(
            f"{path.name} is the decoder of a VITS whose input is a latent of {first.shape[1]} channels, not a mel of {bands} bands."
        )
    fields = {**section(data, "model"), "input_channels": bands, "post_bias": "conv_post.bias" in state}
    config = built(HiFiGANConfig, fields, where, {"input_channels": "n_mel_channels"})
    even_kernels(config, where)
    weights = folded(state, config, path.name, config_name=where)
    return Contents(path.name, config, weights, None, where, assumed=recipe_by(of_vits, where, section(data, "data")))


def _knows(state: Mapping) -> bool:
    return starts(state, f"{_DECODER}conv_pre.", f"{_DECODER}ups.", f"{_DECODER}conv_post.")


def _read(path: Path, state: Mapping, config_path: Path | None) -> Contents:
    config_path = config_path or config_beside(path)
    own = {str(name).removeprefix(_DECODER): value for name, value in state.items() if str(name).startswith(_DECODER)}
    return read_vits(path, own, json_object(config_path), config_path.name)


VITS = Family("the decoder of a VITS", _knows, _read)
