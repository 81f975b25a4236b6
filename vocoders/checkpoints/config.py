"""The config.json of a HiFi-GAN: its shape, the framing of its mel, and, where `train export` wrote it, which mel."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vocoders.audio import SAMPLE_RATE
from vocoders.hifigan.generator import HiFiGANConfig, parameter_count
from vocoders.mel import F_MAX, HIFIGAN, HOP, N_FFT, N_MELS
from vocoders.recipes.configs import of_hifigan
from vocoders.recipes.named import NAMED
from vocoders.recipes.recipe import MelRecipe

MAX_BYTES = 600_000_000  # V1 with weight norm is 56 MB; the largest BigVGAN, of 122 million weights, 490
MAX_PARAMETERS = MAX_BYTES // 4  # of float32; V1 has 14 million
MAX_CONFIG_BYTES = 65_536
FRAMING = {  # of this project's mels, as config.json writes it
    "sampling_rate": SAMPLE_RATE,
    "num_mels": N_MELS,
    "n_fft": N_FFT,
    "hop_size": HOP,
    "win_size": N_FFT,
    "fmin": 0,
    "fmax": int(F_MAX),
}


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message is one sentence."""


def config_beside(path: Path) -> Path:
    """config.json in the same folder; where there is none, the only other config*.json (the original's config_v1.json).

    Errors: `CheckpointError` when there are several.
    """
    usual = path.with_name("config.json")
    if usual.is_file():
        return usual
    others = sorted(other for other in path.parent.glob("config*.json") if other.is_file())
    if len(others) > 1:
        names = brief(", ".join(other.name for other in others), str)
        raise CheckpointError(
            f"there is no file config.json beside {path.name}, and {names} are several; copy the one that belongs to it to config.json."
        )
    return others[0] if others else usual


def read_config(path: Path) -> HiFiGANConfig:
    """The original's config.json -> `HiFiGANConfig`; keys about training are ignored."""
    return read_config_and_mel(path)[0]


def read_config_and_mel(path: Path) -> tuple[HiFiGANConfig, str | None, MelRecipe | None]:
    """The same; the name of the mel recipe under "mel", where the file has one; and the recipe that the original would use,
    unless its framing is that of this project's two mels, which nothing but a name tells apart. Errors: `CheckpointError`."""
    data = json_object(path)
    try:
        recipe = of_hifigan(data)
    except ValueError as error:
        raise CheckpointError(f"{path.name}: {brief(error, str)}.") from error
    config = parse_config({**data, **_renamed(data)}, path.name)
    if recipe.hop != config.hop:
        raise CheckpointError(
            f"{path.name}: hop_size is {recipe.hop}, but upsample_rates {list(config.upsample_rates)} make {config.hop} "
            "samples of a frame."
        )
    mel = data.get("mel")
    if mel is not None and mel not in tuple(NAMED):  # a tuple: it may be a list, which no dict can look up
        raise CheckpointError(f"{path.name}: mel is {brief(mel)}; known: {', '.join(NAMED)}.")
    if mel and (wrong := _other_framing(data, recipe, NAMED[mel])):
        raise CheckpointError(f"{path.name}: {wrong} is not that of the {mel} mel, which it names.")
    return config, mel, None if recipe == HIFIGAN else recipe


def _other_framing(data: Mapping, said: MelRecipe, named: MelRecipe) -> str | None:
    """The first key of a config.json in which the recipe that it names differs from what it says."""
    keys = {"sampling_rate": "rate", "n_fft": "n_fft", "fmin": "fmin", "fmax": "highest"}
    return next((k for k, field in keys.items() if k in data and getattr(said, field) != getattr(named, field)), None)


def json_object(path: Path) -> dict:
    """Errors: `CheckpointError` for a file that is missing, too long, or no JSON object."""
    check_file(path, MAX_CONFIG_BYTES)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path.name} is not valid JSON ({brief(error, str)}).") from error
    if not isinstance(data, dict):
        raise CheckpointError(f"{path.name} holds no JSON object.")
    return data


def _renamed(data: Mapping) -> dict[str, object]:
    """Fields of `HiFiGANConfig` that a config.json has under other names: bands, and iSTFTNet's head."""
    names = {"num_mels": "input_channels", "gen_istft_n_fft": "istft_n_fft", "gen_istft_hop_size": "istft_hop"}
    return {ours: data[theirs] for theirs, ours in names.items() if theirs in data and ours not in data}


def parse_config(data: Mapping, where: str) -> HiFiGANConfig:
    """Fields from a parsed JSON object -> `HiFiGANConfig`. Errors: `CheckpointError` naming the field."""
    try:
        values: dict[str, Any] = {name: _integers(data[name], name) for name in SHAPE}
        values |= {name: _integers(data[name], name) for name in _OPTIONAL_INTEGERS if name in data}
        values |= {name: _plain(data[name], name, kinds) for name, kinds in _OPTIONAL.items() if name in data}
        config = HiFiGANConfig(**values)
    except KeyError as error:
        raise CheckpointError(f"{where}: {error.args[0]} is missing.") from error
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{where}: {brief(error, str)}.") from error
    if (count := parameter_count(config)) > MAX_PARAMETERS:
        raise CheckpointError(
            f"{where} describes {count / 1e6:.0f} million weights; at most {MAX_PARAMETERS / 1e6:.0f} are read."
        )
    return config


SHAPE = tuple(
    f.name for f in dataclasses.fields(HiFiGANConfig) if f.default is dataclasses.MISSING
)  # the original's keys
_OPTIONAL_INTEGERS = ("input_channels", "istft_n_fft", "istft_hop")
_OPTIONAL = {"slope": (float, int), "edges": (str,), "post_bias": (bool,)}


def _plain(value: object, name: str, kinds: tuple[type, ...]) -> object:
    if type(value) not in kinds:
        raise ValueError(f"{name} is {brief(value)}; a value of {kinds[0].__name__} is allowed")
    return value


def _integers(value: object, name: str, depth: int = 0) -> int | tuple:
    """JSON numbers and (nested) lists of them -> ints and tuples. The original writes resblock as a string."""
    if isinstance(value, list) and depth < 2 and len(value) <= 16:
        return tuple(_integers(item, name, depth + 1) for item in value)
    if isinstance(value, str) and name == "resblock" and value in ("1", "2"):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name} is {brief(value)}; whole numbers are allowed")
    if value.bit_length() > 63:
        raise ValueError(f"{name} holds a number of {value.bit_length()} bits; 63 are enough")
    return value


def brief(value: object, words: Callable[[object], str] = repr) -> str:
    """A text from a file, on one line and cut: it may be long."""
    try:
        text = " ".join(words(value).split())
    except ValueError:  # a whole number too long to be written down
        text = "a number without end"
    return text if len(text) <= 200 else f"{text[:200]}…"


def check_file(path: Path, limit: int) -> None:
    """Errors: `CheckpointError` for a file that is missing or longer than `limit` bytes."""
    if not path.is_file():
        beside = " (a jik876 checkpoint needs its config.json beside it)" if path.suffix == ".json" else ""
        raise CheckpointError(f"there is no file {path.name}{beside}.")
    if path.stat().st_size > limit:
        raise CheckpointError(
            f"{path.name} has {path.stat().st_size / 1e6:.1f} MB; at most {limit / 1e6:g} MB are read."
        )
