"""HiFi-GAN as kan-bayashi/ParallelWaveGAN builds it, also for ESPnet: `checkpoint-XXXXsteps.pkl`, config.yml, and stats.npy or stats.h5.

Its mel is normalized by the mean and deviation of each band in the training data, which no mel vocoder can do without.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vocoders.checkpoints.config import CheckpointError, brief, check_file
from vocoders.checkpoints.contents import Contents
from vocoders.checkpoints.families.configuration import built, configuration, recipe_by, section
from vocoders.checkpoints.families.family import Family, starts
from vocoders.checkpoints.weights import folded
from vocoders.hifigan.generator import V1, HiFiGANConfig
from vocoders.recipes.configs import of_parallel_wavegan

MAX_STATISTICS_BYTES = 1_000_000
MAX_BANDS = 512  # of the mels of `vocoders.recipes`
_KEYS = {
    "upsample_rates": "upsample_scales",
    "upsample_kernel_sizes": "upsample_kernel_sizes",
    "upsample_initial_channel": "channels",
    "resblock_kernel_sizes": "resblock_kernel_sizes",
    "resblock_dilation_sizes": "resblock_dilations",
    "input_channels": "in_channels",
}
_DEFAULTS = {theirs: getattr(V1, ours) for ours, theirs in _KEYS.items()}  # of the program, which are those of V1
_ONLY = {  # what is fixed in `vocoders.hifigan.generator`
    "kernel_size": 7,
    "out_channels": 1,
    "bias": True,
    "nonlinear_activation": "LeakyReLU",
    "use_causal_conv": False,
    "global_channels": -1,  # of a speaker embedding
}
_NAMES = (
    (r"^input_conv\.", "conv_pre."),
    (r"^output_conv\.1\.", "conv_post."),
    (r"^upsamples\.(\d+)\.1\.", r"ups.\1."),
    (r"^blocks\.(\d+)\.(convs[12])\.(\d+)\.1\.", r"resblocks.\1.\2.\3."),
)


def _knows(state: Mapping) -> bool:
    return starts(state, "input_conv.", "upsamples.", "blocks.", "output_conv.")


def _read(path: Path, state: Mapping, config_path: Path | None) -> Contents:
    data, where = configuration(path, config_path, ("config.yml", "config.yaml", "*.yml"))
    if (kind := data.get("generator_type")) != "HiFiGANGenerator":
        raise CheckpointError(f"{where}: generator_type is {brief(kind)}; only HiFiGANGenerator is read.")
    config, names = generator_of(section(data, "generator_params"), where)
    mean, deviation = _statistics(path, state, config.bands)
    weights = folded(names(state), config, path.name, passed_over=("mean", "scale"), config_name=where)
    recipe = recipe_by(of_parallel_wavegan, where, data, mean, deviation)
    return Contents(path.name, config, weights, None, where, assumed=recipe)


def generator_of(params: Mapping, where: str) -> tuple[HiFiGANConfig, Callable[[Mapping], dict[str, object]]]:
    """The shape that `HiFiGANGenerator(**params)` has, and a function from its state to one with this project's names.

    Errors: `CheckpointError`.
    """
    said = {str(key).replace("upsample_kernal_sizes", "upsample_kernel_sizes"): value for key, value in params.items()}
    params = {**_DEFAULTS, **said}  # old versions misspelt that name
    for key, value in _ONLY.items():
        if params.get(key, value) != value:
            raise CheckpointError(f"{where}: {key} is {brief(params[key])}; only {value} is read.")
    is_double = params.get("use_additional_convs", True)
    fields = {ours: params[theirs] for ours, theirs in _KEYS.items()}
    slope = section(params, "nonlinear_activation_params").get("negative_slope", 0.1)
    config = built(HiFiGANConfig, {**fields, "resblock": 1 if is_double else 2, "slope": slope}, where, _KEYS)
    return config, lambda state: {_renamed(str(name), is_double): value for name, value in state.items()}


def _renamed(name: str, is_double: bool) -> str:
    for pattern, ours in _NAMES:
        name = re.sub(pattern, ours, name)
    return name if is_double else name.replace(".convs1.", ".convs.")


def _statistics(path: Path, state: Mapping, bands: int) -> tuple[list[float], list[float]]:
    """Mean and deviation per band: buffers of the state, or stats.npy or stats.h5 beside it."""
    if "mean" in state and "scale" in state:
        pair = [np.asarray(state[name].float() if hasattr(state[name], "float") else []) for name in ("mean", "scale")]
    else:
        files = [path.with_name(f"stats.{suffix}") for suffix in ("npy", "h5")]
        found = next((file for file in files if file.is_file()), None)
        if found is None:
            raise CheckpointError(
                f"there is no stats.npy or stats.h5 beside {path.name}, with the mean and scale of its training data."
            )
        check_file(found, MAX_STATISTICS_BYTES)
        pair = _read_statistics(found)
    if len(pair) != 2 or any(values.shape != (bands,) or not np.isfinite(values).all() for values in pair):
        raise CheckpointError(f"the statistics of {path.name} are not {bands} finite numbers for mean and for scale.")
    return pair[0].tolist(), pair[1].tolist()


def _read_statistics(file: Path) -> list[np.ndarray]:
    """Rows for mean and scale. A header may promise any size, so nothing is allocated before that is known."""
    try:
        if file.suffix == ".npy":
            pair = list(np.load(file, mmap_mode="r", allow_pickle=False)[:2])
        else:
            import h5py

            with h5py.File(file, "r") as content:
                pair = [_row(content, name) for name in ("mean", "scale")]
        return [np.asarray(values, np.float64).reshape(-1) for values in pair]
    except ImportError as error:
        raise CheckpointError(f"{file.name} needs the package h5py; or save both rows as stats.npy.") from error
    except Exception as error:  # of NumPy's header, Python's tokenizer; of HDF5, whatever its library says
        raise CheckpointError(f"{file.name} cannot be read ({brief(error, str)}).") from error


def _row(content: Any, name: str) -> np.ndarray:
    """A dataset of an HDF5 file, which may also point into any other file. Errors: ValueError, KeyError."""
    import h5py

    dataset = content[name] if isinstance(content.get(name, getlink=True), h5py.HardLink) else None
    if not isinstance(dataset, h5py.Dataset) or dataset.external or dataset.is_virtual:
        raise ValueError(f"{name} is no dataset of this file")
    if dataset.size > MAX_BANDS:
        raise ValueError(f"{name} has {dataset.size} numbers; at most {MAX_BANDS} are read")
    return dataset[()]


PARALLEL_WAVEGAN = Family("a HiFi-GAN of ParallelWaveGAN", _knows, _read)
