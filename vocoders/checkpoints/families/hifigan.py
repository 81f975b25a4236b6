"""HiFi-GAN with the names of jik876/hifi-gan, with config.json of its kind, of iSTFTNet, of coqui-ai/TTS, or of VITS."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vocoders.checkpoints.config import CheckpointError, brief, config_beside, json_object, read_config_and_mel
from vocoders.checkpoints.contents import Contents
from vocoders.checkpoints.families.configuration import built, even_kernels, recipe_by, section
from vocoders.checkpoints.families.family import Family
from vocoders.checkpoints.families.vits import is_vits, read_vits
from vocoders.checkpoints.formats import is_generator
from vocoders.checkpoints.weights import folded
from vocoders.hifigan.generator import HiFiGANConfig
from vocoders.recipes.configs import of_coqui

COQUI = {  # our names, and those of Coqui's generator_model_params
    "resblock": "resblock_type",
    "upsample_rates": "upsample_factors",
    "upsample_kernel_sizes": "upsample_kernel_sizes",
    "upsample_initial_channel": "upsample_initial_channel",
    "resblock_kernel_sizes": "resblock_kernel_sizes",
    "resblock_dilation_sizes": "resblock_dilation_sizes",
    "input_channels": "in_channels",
    "post_bias": "conv_post_bias",
}


def _read(path: Path, state: Mapping, config_path: Path | None) -> Contents:
    config_path = config_path or config_beside(path)
    data = json_object(config_path)
    if "generator_model_params" in data:
        return _coqui(path, state, data, config_path.name)
    if is_vits(data):
        return read_vits(path, state, data, config_path.name)
    config, mel, assumed = read_config_and_mel(config_path)
    even_kernels(config, config_path.name)
    weights = folded(state, config, path.name)
    return Contents(path.name, config, weights, mel, config_path.name, assumed=assumed)


def _coqui(path: Path, state: Mapping, data: Mapping, where: str) -> Contents:
    if (model := data.get("generator_model")) != "hifigan_generator":
        raise CheckpointError(f"{where}: generator_model is {brief(model)}; only hifigan_generator is read.")
    params = section(data, "generator_model_params")
    if params.get("out_channels", 1) != 1 or params.get("cond_channels", 0) != 0:
        raise CheckpointError(f"{where}: only generators of one channel that take a mel and nothing else are read.")
    fields = {ours: params[theirs] for ours, theirs in COQUI.items() if theirs in params}
    config = built(HiFiGANConfig, fields, where, COQUI)
    even_kernels(config, where)
    recipe = recipe_by(of_coqui, where, section(data, "audio"))
    return Contents(path.name, config, folded(state, config, path.name), None, where, assumed=recipe)


HIFIGAN = Family("", is_generator, _read)
