"""Generator checkpoints on disk: this project's safetensors files and the original's `g_XXXXXXXX` + `config.json`.

The original's weights are also read from a bare state dict, with `module.` before its names or not, and from a .safetensors
file. Whether a generator does what it should on its mel is found by `vocoders.checkpoints.trial`.

A checkpoint from outside is never trusted: files are size-capped, pickles are read with torch's weights-only
unpickler, and every tensor's shape is checked against the configuration before any arithmetic touches it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from vocoders.checkpoints.config import (
    MAX_BYTES,
    CheckpointError,
    brief,
    check_file,
    config_beside,
    parse_config,
    read_config_and_mel,
)
from vocoders.checkpoints.formats import file_format, is_generator, network, program, without_module
from vocoders.hifigan.generator import Generator, HiFiGANConfig
from vocoders.mel import MelRecipe, recipe_named

KIND = "hifigan-generator"
WANTED = "the original's g_XXXXXXXX, or the state dict of its generator, is expected"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """`weights` are float32 with weight norm folded, named as in `Generator`; `about` is free text by key.

    `notice`: what a trial found that is worth knowing, a sentence without full stop.
    """

    config: HiFiGANConfig
    recipe: MelRecipe
    weights: Mapping[str, Tensor]
    about: Mapping[str, str] = field(default_factory=dict)
    notice: str = ""

    def generator(self) -> Generator:
        """A generator in evaluation mode holding these weights."""
        with torch.device("meta"):
            generator = Generator(self.config)
        generator.load_state_dict(self.weights, assign=True)
        return generator.eval().requires_grad_(False)


@dataclass(frozen=True, eq=False)
class Contents:
    """What a file holds, before it is settled which mel goes into it. `mel`: the recipe that it names, or `teller` does."""

    name: str  # of the file
    config: HiFiGANConfig
    weights: Mapping[str, Tensor]
    mel: str | None
    teller: str = ""
    about: Mapping[str, str] = field(default_factory=dict)

    def on(self, recipe: str | None) -> Checkpoint:
        """On the named mel, or on its own. Errors: `CheckpointError` when they contradict each other, or there is neither."""
        if None not in (recipe, self.mel) and recipe != self.mel:
            said = f"as {self.teller} says" if self.teller else "as it says itself"
            raise CheckpointError(
                f"{self.name} was trained on the {self.mel} mel, not on {brief(recipe, str)}, {said}."
            )
        if (name := recipe or self.mel) is None:
            raise CheckpointError(f"{self.name} does not say which mel it was trained on; name it: hw2 or hifigan.")
        return Checkpoint(self.config, _recipe(name, self.config, self.name), self.weights, self.about)


def read_checkpoint(path: Path, recipe: str | None = None, config_path: Path | None = None) -> Checkpoint:
    """Read any of the formats. `recipe` names the mel where neither the file nor, under "mel", its config.json does.

    config_path: of config.json, when it does not lie beside the file.
    Errors: `CheckpointError` saying what is wrong with which file.
    """
    return read_contents(path, config_path).on(recipe)


def read_contents(path: Path, config_path: Path | None = None) -> Contents:
    """As `read_checkpoint`, with the same errors, whatever the mel."""
    check_file(path, MAX_BYTES)
    if path.suffix == ".safetensors":
        metadata, state = _read_safetensors(path)
        if metadata.get("kind") == KIND:
            own = _own(path.name, metadata, state)
            return Contents(path.name, own.config, own.weights, own.recipe.name, about=own.about)
    try:
        config_path = config_path or config_beside(path)
        config, mel = read_config_and_mel(config_path)
    except CheckpointError:
        with contextlib.suppress(_Unopened):
            _generator_state(path)  # where it is another network, that says more than what its configuration lacks
        raise
    weights = _folded(_generator_state(path), config, path.name)
    return Contents(path.name, config, weights, mel, config_path.name)


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


def _recipe(name: str, config: HiFiGANConfig, where: str) -> MelRecipe:
    try:
        recipe = recipe_named(name)
    except ValueError as error:
        raise CheckpointError(f"{brief(error, str)}.") from error
    if config.is_guided and recipe.name != "hw2":
        raise CheckpointError(f"{where} is a guided generator, which takes the hw2 mel, not {recipe.name}.")
    return recipe


def read_header(path: Path) -> Checkpoint:
    """Everything a safetensors checkpoint of this project says of itself, without reading a single weight.

    Errors: `CheckpointError` saying what is wrong with which file.
    """
    check_file(path, MAX_BYTES)
    return _own(path.name, _read_safetensors(path, with_weights=False)[0], None)


def names_its_mel(path: Path) -> bool:
    """Whether this is a file of this project, which needs neither a config.json nor the name of its mel."""
    with contextlib.suppress(CheckpointError):
        return path.suffix == ".safetensors" and _read_safetensors(path, with_weights=False)[0].get("kind") == KIND
    return False


def _own(where: str, metadata: Mapping[str, str], state: Mapping[str, Tensor] | None) -> Checkpoint:
    """A checkpoint in this project's format; without weights when there is no state."""
    if metadata.get("kind") != KIND:
        raise CheckpointError(
            f"{where} is not one of this project's generators (its kind is {brief(metadata.get('kind'))})."
        )
    try:
        fields = json.loads(metadata.get("config", ""))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{where} carries no readable configuration.") from error
    config = parse_config(fields if isinstance(fields, dict) else {}, where)
    about = {key: value for key, value in metadata.items() if key not in ("kind", "config", "mel")}
    weights = {} if state is None else _folded(state, config, where)
    return Checkpoint(config, _recipe(metadata.get("mel", ""), config, where), weights, about)


def _read_safetensors(path: Path, with_weights: bool = True) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata and tensors."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()} if with_weights else {}  # noqa: SIM118  (not a dict)
            return dict(file.metadata() or {}), state
    except (SafetensorError, OSError, RuntimeError) as error:
        raise CheckpointError(
            f"{path.name} is {file_format(path) or 'not a readable safetensors file'} ({brief(error, str)})."
        ) from error


class _Unopened(CheckpointError):
    """Nothing is known of what the file holds."""


def _generator_state(path: Path) -> Mapping[str, object]:
    """The generator's state dict in a file. Errors: `CheckpointError` saying what the file is instead."""
    content = _read_safetensors(path)[1] if path.suffix == ".safetensors" else _unpickle(path)
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{path.name} has no 'generator' entry; {WANTED}.")
    if {"mpd", "msd"} & set(content):
        raise CheckpointError(f"{path.name} holds the discriminators (do_...); the generator is the g_... file.")
    inside = content.get("generator")
    state = without_module(inside if isinstance(inside, Mapping) else content)
    if what := program(content) or network(state):
        raise CheckpointError(f"{path.name} is {what}; {WANTED}.")
    if isinstance(inside, Mapping) or is_generator(state):
        return state
    names = ", ".join(sorted(map(str, content))[:3]) or "nothing at all"
    raise CheckpointError(f"{path.name} has no 'generator' entry, but {brief(names, str)}; {WANTED}.")


def _unpickle(path: Path) -> object:
    """What torch saved, read without executing anything it holds."""
    if what := file_format(path):
        raise CheckpointError(f"{path.name} is {what}, not a plain tensor checkpoint; {WANTED}.")
    try:
        unpacked = _unpacked_bytes(path)
        content = torch.load(path, map_location="cpu", weights_only=True) if unpacked <= MAX_BYTES else None
    except Exception as error:  # a hostile archive or pickle can make its reader raise almost anything
        raise _Unopened(
            f"{path.name} is not a plain tensor checkpoint and was not opened; a model pickled whole can be saved as its state_dict()."
        ) from error
    if unpacked > MAX_BYTES:
        raise CheckpointError(f"{path.name} would unpack to more than {MAX_BYTES / 1e6:g} MB.")
    return content


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
            f"{where} holds {len(unknown)} tensors that config.json does not describe, e.g. {brief(unknown[0], str)}."
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
            f"{where}: {name} has shape {brief(tuple(tensor.shape))} of {tensor.dtype}, config.json asks for {tuple(shape)} of floats; they do not belong together."
        )
    tensor = tensor.float().contiguous()
    if not torch.isfinite(tensor).all():
        raise CheckpointError(f"{where}: {name} holds values that are not numbers.")
    return tensor
