"""Generator checkpoints on disk: this project's safetensors files and the original's `g_XXXXXXXX` + `config.json`.

A checkpoint from outside is never trusted: files are size-capped, pickles are read with torch's weights-only
unpickler, and every tensor's shape is checked against the configuration before any arithmetic touches it.
"""

from __future__ import annotations

import dataclasses
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from vocoders.audio import SAMPLE_RATE
from vocoders.hifigan import Generator, HiFiGANConfig, parameter_count
from vocoders.mel import F_MAX, HOP, N_FFT, N_MELS, MelRecipe, recipe_named

KIND = "hifigan-generator"
MAX_BYTES = 400_000_000  # V1 with weight norm is 56 MB; training checkpoints with extras stay below this
MAX_PARAMETERS = MAX_BYTES // 4  # of float32; V1 has 14 million
MAX_CONFIG_BYTES = 65_536
_FRAMING = {  # what config.json may say about the mel, and the only values this project's framing has
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


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """`weights` are float32 with weight norm folded, named as in `Generator`; `about` is free text by key."""

    config: HiFiGANConfig
    recipe: MelRecipe
    weights: Mapping[str, Tensor]
    about: Mapping[str, str] = field(default_factory=dict)

    def generator(self) -> Generator:
        """A generator in evaluation mode holding these weights."""
        with torch.device("meta"):
            generator = Generator(self.config)
        generator.load_state_dict(self.weights, assign=True)
        return generator.eval().requires_grad_(False)


def read_checkpoint(path: Path, recipe: str | None = None, config_path: Path | None = None) -> Checkpoint:
    """Read either format. `recipe` names the mel of a jik876 file; a safetensors file carries its own.

    Errors: `CheckpointError` saying what is wrong with which file.
    """
    _check_file(path, MAX_BYTES)
    if path.suffix == ".safetensors":
        checkpoint = _read_safetensors(path)
        if recipe not in (None, checkpoint.recipe.name):
            raise CheckpointError(f"{path.name} was trained on the {checkpoint.recipe.name} mel, not on {recipe}.")
        return checkpoint
    if recipe is None:
        raise CheckpointError(f"{path.name} does not say which mel it was trained on; name it: hw2 or hifigan.")
    config = read_config(config_path or path.parent / "config.json")
    state = _unpickle(path)
    return Checkpoint(config, _recipe(recipe, config, path.name), _folded(state, config, path.name))


_FACTS_OF_A_RUN = ("preset", "start", "steps", "minutes", "audio_hours_heard", "hardware", "revision")


def runs_of(about: Mapping[str, str]) -> list[dict[str, str]]:
    """The training runs that made a checkpoint, newest first, a few facts of each: its own, and those in its `before`."""
    try:
        earlier = json.loads(about.get("before", "[]"))
    except (ValueError, RecursionError):
        earlier = []
    runs = [about, *(run for run in earlier if isinstance(run, dict))] if isinstance(earlier, list) else [about]
    kept = ({name: run[name] for name in _FACTS_OF_A_RUN if isinstance(run.get(name), str)} for run in runs)
    return [run for run in kept if run]


def write_safetensors(path: Path, checkpoint: Checkpoint) -> None:
    """The project's own format, see `safetensors_bytes`."""
    path.write_bytes(safetensors_bytes(checkpoint))


def safetensors_bytes(checkpoint: Checkpoint) -> bytes:
    """Weights, and as metadata the kind, configuration, mel recipe and free text."""
    from safetensors.torch import save

    metadata = {
        **checkpoint.about,
        "kind": KIND,
        "config": json.dumps(dataclasses.asdict(checkpoint.config)),
        "mel": checkpoint.recipe.name,
    }
    return save({name: tensor.contiguous() for name, tensor in checkpoint.weights.items()}, metadata)


def read_config(path: Path) -> HiFiGANConfig:
    """The original's config.json -> `HiFiGANConfig`; keys about training are ignored."""
    _check_file(path, MAX_CONFIG_BYTES)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path.name} is not valid JSON ({error}).") from error
    if not isinstance(data, dict):
        raise CheckpointError(f"{path.name} holds no JSON object.")
    for key, wanted in _FRAMING.items():
        if data.get(key, wanted) != wanted:
            raise CheckpointError(f"{path.name}: {key} is {_brief(data[key])}; this project's mels have {wanted}.")
    return parse_config(data, path.name)


def parse_config(data: Mapping, where: str) -> HiFiGANConfig:
    """Fields from a parsed JSON object -> `HiFiGANConfig`. Errors: `CheckpointError` naming the field."""
    try:
        values = {name: _integers(data[name], name) for name in _CONFIG_FIELDS}
        values["input_channels"] = _integers(data.get("input_channels", N_MELS), "input_channels")
        config = HiFiGANConfig(**values)
    except KeyError as error:
        raise CheckpointError(f"{where}: {error.args[0]} is missing.") from error
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{where}: {_brief(error, str)}.") from error
    if (count := parameter_count(config)) > MAX_PARAMETERS:
        raise CheckpointError(
            f"{where} describes {count / 1e6:.0f} million weights; at most {MAX_PARAMETERS / 1e6:.0f} are read."
        )
    return config


_CONFIG_FIELDS = tuple(f.name for f in dataclasses.fields(HiFiGANConfig) if f.name != "input_channels")


def _integers(value: object, name: str, depth: int = 0) -> int | tuple:
    """JSON numbers and (nested) lists of them -> ints and tuples. The original writes resblock as a string."""
    if isinstance(value, list) and depth < 2 and len(value) <= 16:
        return tuple(_integers(item, name, depth + 1) for item in value)
    if isinstance(value, str) and name == "resblock" and value in ("1", "2"):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name} is {_brief(value)}; whole numbers are allowed")
    if value.bit_length() > 63:
        raise ValueError(f"{name} holds a number of {value.bit_length()} bits; 63 are enough")
    return value


def _brief(value: object, words: Callable[[object], str] = repr) -> str:
    """What a file says, on one line and cut: a file may say a lot."""
    try:
        text = " ".join(words(value).split())
    except ValueError:  # a whole number too long to be written down
        text = "a number without end"
    return text if len(text) <= 200 else f"{text[:200]}…"


def _check_file(path: Path, limit: int) -> None:
    if not path.is_file():
        raise CheckpointError(f"there is no file {path.name} (a jik876 checkpoint needs its config.json beside it).")
    if path.stat().st_size > limit:
        raise CheckpointError(
            f"{path.name} has {path.stat().st_size / 1e6:.1f} MB; at most {limit / 1e6:g} MB are read."
        )


def _recipe(name: str, config: HiFiGANConfig, where: str) -> MelRecipe:
    try:
        recipe = recipe_named(name)
    except ValueError as error:
        raise CheckpointError(f"{_brief(error, str)}.") from error
    if config.is_guided and recipe.name != "hw2":
        raise CheckpointError(f"{where} is a guided generator, which takes the hw2 mel, not {recipe.name}.")
    return recipe


def read_header(path: Path) -> Checkpoint:
    """Everything a safetensors checkpoint of this project says of itself, without reading a single weight.

    Errors: `CheckpointError` saying what is wrong with which file.
    """
    _check_file(path, MAX_BYTES)
    return _read_safetensors(path, with_weights=False)


def _read_safetensors(path: Path, with_weights: bool = True) -> Checkpoint:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            state = {name: file.get_tensor(name) for name in file.keys()} if with_weights else {}  # noqa: SIM118  (not a dict)
    except (SafetensorError, OSError, RuntimeError) as error:
        raise CheckpointError(f"{path.name} is not a readable safetensors file ({_brief(error, str)}).") from error
    if metadata.get("kind") != KIND:
        raise CheckpointError(
            f"{path.name} is not one of this project's generators (its kind is {_brief(metadata.get('kind'))})."
        )
    try:
        fields = json.loads(metadata.get("config", ""))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path.name} carries no readable configuration.") from error
    config = parse_config(fields if isinstance(fields, dict) else {}, path.name)
    about = {key: value for key, value in metadata.items() if key not in ("kind", "config", "mel")}
    weights = _folded(state, config, path.name) if with_weights else {}
    return Checkpoint(config, _recipe(metadata.get("mel", ""), config, path.name), weights, about)


def _unpickle(path: Path) -> Mapping[str, object]:
    """The state dict of a `g_XXXXXXXX` file, read without executing anything it holds."""
    try:
        unpacked = _unpacked_bytes(path)
        content = torch.load(path, map_location="cpu", weights_only=True) if unpacked <= MAX_BYTES else None
    except Exception as error:  # a hostile archive or pickle can make its reader raise almost anything
        raise CheckpointError(f"{path.name} is not a plain tensor checkpoint and was not opened.") from error
    if unpacked > MAX_BYTES:
        raise CheckpointError(f"{path.name} would unpack to more than {MAX_BYTES / 1e6:g} MB.")
    if isinstance(content, Mapping) and isinstance(content.get("generator"), Mapping):
        return content["generator"]
    if isinstance(content, Mapping) and {"mpd", "msd"} & set(content):
        raise CheckpointError(f"{path.name} holds the discriminators (do_...); the generator is the g_... file.")
    raise CheckpointError(f"{path.name} has no 'generator' entry; a jik876 g_... file is expected.")


def _unpacked_bytes(path: Path) -> int:
    """What an archive says it holds; 0 for a file that is none."""
    if not zipfile.is_zipfile(path):
        return 0
    with zipfile.ZipFile(path) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def _folded(state: Mapping[str, object], config: HiFiGANConfig, where: str) -> dict[str, Tensor]:
    """State dict with or without weight norm -> plain float32 weights, after every shape has been checked."""
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in Generator(config).state_dict().items()}
    weights, used = {}, set()
    for name, shape in shapes.items():
        for gain, direction in ((f"{name}_g", f"{name}_v"), _parametrized(name)):
            if gain in state and direction in state:
                scale = _checked(state, gain, torch.Size([shape[0], *[1] * (len(shape) - 1)]), where)
                weights[name] = torch._weight_norm(_checked(state, direction, shape, where), scale, 0)
                used |= {gain, direction}
                break
        else:
            weights[name] = _checked(state, name, shape, where)
            used.add(name)
    if unknown := sorted(set(map(str, state)) - used):
        raise CheckpointError(
            f"{where} holds {len(unknown)} tensors that config.json does not describe, e.g. {_brief(unknown[0], str)}."
        )
    return weights


def _parametrized(name: str) -> tuple[str, str]:
    """torch's newer naming of weight norm: (gain, direction)."""
    module, _, parameter = name.rpartition(".")
    return tuple(f"{module}.parametrizations.{parameter}.original{i}" for i in (0, 1))


def _checked(state: Mapping[str, object], name: str, shape: torch.Size, where: str) -> Tensor:
    tensor = state.get(name)
    if not isinstance(tensor, Tensor):
        raise CheckpointError(f"{where} has no tensor {name}; does config.json belong to it?")
    if tensor.layout != torch.strided or tensor.is_nested or tensor.device.type != "cpu":
        raise CheckpointError(f"{where}: {name} is no plain tensor, but {tensor.layout} on the device {tensor.device}.")
    if tensor.shape != shape or not tensor.is_floating_point():
        raise CheckpointError(
            f"{where}: {name} has shape {_brief(tuple(tensor.shape))} of {tensor.dtype}, config.json asks for {tuple(shape)} of floats; they do not belong together."
        )
    tensor = tensor.float().contiguous()
    if not torch.isfinite(tensor).all():
        raise CheckpointError(f"{where}: {name} holds values that are not numbers.")
    return tensor
