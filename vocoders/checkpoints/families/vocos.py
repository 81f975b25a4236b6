"""Files of gemelo-ai/vocos: `pytorch_model.bin`, or a checkpoint of its training, and config.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vocoders.checkpoints.config import CheckpointError, brief
from vocoders.checkpoints.contents import Contents
from vocoders.checkpoints.families.configuration import built, configuration, recipe_by, section
from vocoders.checkpoints.families.family import Family, starts
from vocoders.checkpoints.weights import folded
from vocoders.recipes.configs import of_vocos
from vocoders.vocos.generator import VocosConfig

_CLASSES = {  # the only ones that are read
    "feature_extractor": "vocos.feature_extractors.MelSpectrogramFeatures",
    "backbone": "vocos.models.VocosBackbone",
    "head": "vocos.heads.ISTFTHead",
}
_KEYS = {"bands": "input_channels", "hop": "hop_length"}
_MADE = ("feature_extractor.", "head.istft.")  # tensors that follow from the configuration: filters and windows


def _knows(state: Mapping) -> bool:
    return starts(state, "backbone.", "head.")


def _read(path: Path, state: Mapping, config_path: Path | None) -> Contents:
    data, where = configuration(path, config_path, ("config.yaml", "config.yml", "*.yaml"))
    parts = section(data, "model", "init_args") or data  # of a training's file, or as it is published
    for part, wanted in _CLASSES.items():
        found = section(parts, part).get("class_path")
        if found != wanted:
            raise CheckpointError(f"{where}: the {part} is {brief(found)}; only {wanted} is read.")
    backbone, head = section(parts, "backbone", "init_args"), section(parts, "head", "init_args")
    if backbone.get("adanorm_num_embeddings") is not None:
        raise CheckpointError(f"{where}: adanorm_num_embeddings is set; only backbones without it are read.")
    fields = {
        **{field: backbone[field] for field in ("dim", "intermediate_dim", "num_layers") if field in backbone},
        **{field: head[field] for field in ("n_fft", "padding") if field in head},
        **({"bands": backbone["input_channels"]} if "input_channels" in backbone else {}),
        **({"hop": head["hop_length"]} if "hop_length" in head else {}),
    }
    config = built(VocosConfig, fields, where, _KEYS)
    kept = {name: value for name, value in state.items() if str(name).startswith(("backbone.", "head."))}
    made = [name for name in kept if name.startswith(_MADE)]
    weights = folded(kept, config, path.name, passed_over=made, config_name=where)
    recipe = recipe_by(of_vocos, where, section(parts, "feature_extractor", "init_args"))
    return Contents(path.name, config, weights, None, where, assumed=recipe)


VOCOS = Family("a Vocos", _knows, _read)
