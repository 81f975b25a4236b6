"""HiFi-GAN as speechbrain builds it: generator.ckpt and hyperparams.yaml. Its keys are Coqui's; its convolutions
mirror the signal at the ends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from vocoders.checkpoints.config import CheckpointError
from vocoders.checkpoints.contents import Contents
from vocoders.checkpoints.families.configuration import built, configuration, even_kernels, recipe_by
from vocoders.checkpoints.families.family import Family, starts
from vocoders.checkpoints.families.hifigan import COQUI
from vocoders.checkpoints.weights import folded
from vocoders.hifigan.generator import HiFiGANConfig
from vocoders.recipes.configs import of_speechbrain


def _knows(state: Mapping) -> bool:
    return starts(state, "conv_pre.conv.", "ups.0.conv.", "conv_post.conv.")


def _read(path: Path, state: Mapping, config_path: Path | None) -> Contents:
    data, where = configuration(path, config_path, ("hyperparams.yaml", "hparams*.yaml", "*.yaml"))
    data = {key: _resolved(value, data) for key, value in data.items()}
    if data.get("out_channels", 1) != 1 or data.get("cond_channels", 0) != 0:
        raise CheckpointError(f"{where}: only generators of one channel that take a mel and nothing else are read.")
    fields = {ours: data[theirs] for ours, theirs in COQUI.items() if theirs in data}
    config = built(HiFiGANConfig, {**fields, "edges": "reflect"}, where, COQUI)
    even_kernels(config, where)
    named = {re.sub(r"\.conv\.", ".", str(name)): value for name, value in state.items()}
    weights = folded(named, config, path.name, config_name=where)
    recipe = recipe_by(of_speechbrain, where, data)
    return Contents(path.name, config, weights, None, where, assumed=recipe)


def _resolved(value: object, data: Mapping) -> object:
    """hyperpyyaml's `!ref <name>` -> the value of that name; one step is enough for its vocoders."""
    name = re.fullmatch(r"<(\w+)>", value) if isinstance(value, str) else None
    return data.get(name[1], value) if name else value


SPEECHBRAIN = Family("a HiFi-GAN of speechbrain", _knows, _read)
