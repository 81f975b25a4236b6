"""SpeechT5HifiGan of Hugging Face transformers: model.safetensors or pytorch_model.bin, and config.json.

config.json does not say which mel it is: that of SpeechT5FeatureExtractor, whose preprocessor_config.json may lie beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from vocoders.checkpoints.config import SHAPE, CheckpointError, brief
from vocoders.checkpoints.contents import Contents
from vocoders.checkpoints.families.configuration import built, configuration
from vocoders.checkpoints.families.family import Family, starts
from vocoders.checkpoints.weights import checked, folded
from vocoders.hifigan.generator import V1, HiFiGANConfig
from vocoders.recipes.configs import of_speecht5, parsed
from vocoders.recipes.named import with_its_name
from vocoders.recipes.recipe import recipe_from

_KEYS = {"input_channels": "model_in_dim", "slope": "leaky_relu_slope"}
_DEFAULTS = {
    **{field: getattr(V1, field) for field in SHAPE},
    "model_in_dim": 80,
    "leaky_relu_slope": 0.1,
    "upsample_rates": (4, 4, 4, 4),
    "upsample_kernel_sizes": (8, 8, 8, 8),
}


def _knows(state: Mapping) -> bool:
    return starts(state, "conv_pre.", "upsampler.")


def _read(path: Path, state: Mapping, config_path: Path | None) -> Contents:
    data, where = configuration(path, config_path, ("config.json", "config*.json"))
    if (kind := data.get("model_type", "hifigan")) not in ("hifigan", "speecht5_hifigan"):
        raise CheckpointError(f"{where}: model_type is {brief(kind)}, not hifigan.")
    said = {**_DEFAULTS, **data}
    fields = {**said, "resblock": 1, **{ours: said[theirs] for ours, theirs in _KEYS.items()}}
    config = built(HiFiGANConfig, fields, where, _KEYS)
    named = {str(name).replace("upsampler.", "ups.", 1): value for name, value in state.items()}
    weights = folded(named, config, path.name, passed_over=("mean", "scale"), config_name=where)
    statistics = {}
    if data.get("normalize_before", True):
        pair = {"mean": "mean", "deviation": "scale"}
        shape = torch.Size([config.bands])
        statistics = {ours: checked(state, theirs, shape, path.name).tolist() for ours, theirs in pair.items()}
    try:
        beside = path.with_name("preprocessor_config.json")
        extractor = {"sampling_rate": data.get("sampling_rate", 16_000), **(parsed(beside) if beside.is_file() else {})}
        recipe = with_its_name(recipe_from({**of_speecht5(extractor).as_dict(), **statistics}))
    except ValueError as error:
        raise CheckpointError(f"{where}: {brief(error, str)}.") from error
    return Contents(path.name, config, weights, None, where, assumed=recipe)


SPEECHT5 = Family("a SpeechT5HifiGan of Hugging Face transformers", _knows, _read)
