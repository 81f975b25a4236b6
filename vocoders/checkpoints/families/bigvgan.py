"""Files of NVIDIA/BigVGAN: `bigvgan_generator.pt` or `g_XXXXXXXX`, and config.json."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vocoders.bigvgan.generator import BigVGANConfig
from vocoders.checkpoints.contents import Contents
from vocoders.checkpoints.families.configuration import built, configuration, recipe_by
from vocoders.checkpoints.families.family import Family, starts
from vocoders.checkpoints.weights import folded
from vocoders.recipes.configs import of_hifigan


def _knows(state: Mapping) -> bool:
    return starts(state, "resblocks.0.activations.") or starts(state, "ups.0.0.")


def _read(path: Path, state: Mapping, config_path: Path | None) -> Contents:
    data, where = configuration(path, config_path, ("config.json", "config*.json"))
    fields = {"bands": data.get("num_mels", 80), **data}
    config = built(BigVGANConfig, fields, where, {"bands": "num_mels"})
    weights = folded(state, config, path.name, config_name=where)
    recipe = recipe_by(of_hifigan, where, data)
    return Contents(path.name, config, weights, None, where, assumed=recipe)


BIGVGAN = Family("a BigVGAN", _knows, _read)
