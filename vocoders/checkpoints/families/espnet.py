"""The HiFi-GAN inside a joint text-to-waveform model of espnet2: `XXX.pth` with the state of the whole model, and config.yaml.

Its mel is normalized by the state's own statistics, where the configuration says global_mvn.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from vocoders.checkpoints.config import CheckpointError, brief
from vocoders.checkpoints.contents import Contents
from vocoders.checkpoints.families.configuration import configuration, recipe_by, section
from vocoders.checkpoints.families.family import Family, starts
from vocoders.checkpoints.families.parallel_wavegan import generator_of
from vocoders.checkpoints.weights import checked, folded
from vocoders.recipes.configs import of_espnet

_VOCODER = "tts.generator.vocoder."
_KIND = "hifigan_generator"


def _knows(state: Mapping) -> bool:
    return starts(state, _VOCODER)


def _read(path: Path, state: Mapping, config_path: Path | None) -> Contents:
    data, where = configuration(path, config_path, ("config.yaml", "config.yml", "*.yaml"))
    said = section(data, "tts_conf")
    if (kind := said.get("vocoder_type", _KIND)) != _KIND or said.get("use_pqmf", False):
        found = brief(kind) if kind != _KIND else f"{_KIND} of several subbands (use_pqmf)"
        raise CheckpointError(f"{where}: vocoder_type is {found}; only {_KIND} without subbands is read.")
    bands = section(data, "feats_extract_conf").get("n_mels", 80)
    config, names = generator_of({**section(said, "vocoder_params"), "in_channels": bands}, where)
    own = {str(name)[len(_VOCODER) :]: value for name, value in state.items() if str(name).startswith(_VOCODER)}
    weights = folded(names(own), config, path.name, config_name=where)
    recipe = recipe_by(of_espnet, where, data, *_statistics(path, state, data, config.bands))
    return Contents(path.name, config, weights, None, where, assumed=recipe)


def _statistics(path: Path, state: Mapping, data: Mapping, bands: int) -> tuple[list[float], list[float]]:
    """Mean and deviation per band; of a mel that is not normalized, nothing."""
    how, options = data.get("normalize", "global_mvn"), section(data, "normalize_conf")
    if how is None:
        return [], []
    if how != "global_mvn" or not options.get("norm_means", True) or not options.get("norm_vars", True):
        raise CheckpointError("normalize is not global_mvn of both mean and deviation; only that, or none, is read.")
    mean, deviation = (
        checked(state, f"normalize.{name}", torch.Size([bands]), path.name).tolist() for name in ("mean", "std")
    )
    return mean, deviation


ESPNET = Family("the text-to-waveform model of ESPnet", _knows, _read)
