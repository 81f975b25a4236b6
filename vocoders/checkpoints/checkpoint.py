"""Generator checkpoints on disk: this project's safetensors files, and those of the families of
`vocoders.checkpoints.families`, the original HiFi-GAN's `g_XXXXXXXX` + `config.json` above all.

Whether a generator does what it should on its mel is found by `vocoders.checkpoints.trial`.

A checkpoint from outside is never trusted: files are size-capped, pickles are read with torch's weights-only
unpickler, and every tensor's shape is checked against the configuration before any arithmetic touches it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from vocoders.checkpoints.config import (
    MAX_BYTES,
    CheckpointError,
    brief,
    check_file,
    config_beside,
    json_object,
    parse_config,
)
from vocoders.checkpoints.contents import Checkpoint, Contents, GeneratorConfig, recipe_of
from vocoders.checkpoints.families.configuration import built
from vocoders.checkpoints.families.hifigan import HIFIGAN
from vocoders.checkpoints.families.table import CONFIGS, family_of
from vocoders.checkpoints.opening import Opened, Unopened, open_state, read_safetensors
from vocoders.checkpoints.weights import folded
from vocoders.mel import RECIPES
from vocoders.recipes.named import with_its_name
from vocoders.recipes.recipe import MelRecipe, recipe_from

_KIND = "-generator"  # behind the family, in the metadata of this project's files


def read_checkpoint(path: Path, recipe: str | MelRecipe | None = None, config_path: Path | None = None) -> Checkpoint:
    """Read any of the formats. `recipe` names the mel, or its file, where neither the file nor, under "mel", its config.json does.

    config_path: of the configuration, when it does not lie beside the file.
    Errors: `CheckpointError` saying what is wrong with which file.
    """
    return read_contents(path, config_path).on(recipe)


def read_contents(path: Path, config_path: Path | None = None) -> Contents:
    """As `read_checkpoint`, with the same errors, whatever the mel."""
    check_file(path, MAX_BYTES)
    if path.suffix == ".safetensors":
        metadata, state = read_safetensors(path)
        if _family_named(metadata):
            own = _own(path.name, metadata, state)
            return Contents(path.name, own.config, own.weights, own.recipe.name, about=own.about, own=own.recipe)
    try:
        opened = open_state(path, family_of)
    except Unopened:
        json_object(config_path or config_beside(path))  # where it is missing, that says more
        raise
    return _of_family(path, opened, config_path)


def _of_family(path: Path, opened: Opened, config_path: Path | None) -> Contents:
    family = family_of(opened.state) or HIFIGAN
    try:
        return family.read(path, opened.state, config_path)
    except CheckpointError as error:
        if not family.what:
            raise
        what, wrapping = family.what, opened.wrapping or ""
        if wrapping:
            what = wrapping if what in wrapping else f"{wrapping} with {what.removesuffix(' of ParallelWaveGAN')}"
        raise CheckpointError(f"{path.name} is {what}, but {error}") from error


_FACTS_OF_A_RUN = ("preset", "start", "steps", "minutes", "audio_hours_heard", "hardware", "revision")


def training_history(about: Mapping[str, str]) -> list[dict[str, str]]:
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
        "kind": checkpoint.config.family + _KIND,
        "config": json.dumps(dataclasses.asdict(checkpoint.config)),
        "mel": checkpoint.recipe.name,
        **({} if checkpoint.recipe.name in RECIPES else {"recipe": json.dumps(checkpoint.recipe.as_dict())}),
    }
    return save({name: tensor.contiguous() for name, tensor in checkpoint.weights.items()}, metadata)


def read_header(path: Path) -> Checkpoint:
    """Everything a safetensors checkpoint of this project says of itself, without reading a single weight.

    Errors: `CheckpointError` saying what is wrong with which file.
    """
    check_file(path, MAX_BYTES)
    return _own(path.name, read_safetensors(path, with_weights=False)[0], None)


def names_its_mel(path: Path) -> bool:
    """Whether this is a file of this project, which needs neither a config.json nor the name of its mel."""
    with contextlib.suppress(CheckpointError):
        return (
            path.suffix == ".safetensors" and _family_named(read_safetensors(path, with_weights=False)[0]) is not None
        )
    return False


def _family_named(metadata: Mapping[str, str]) -> str | None:
    family = metadata.get("kind", "").removesuffix(_KIND)
    return family if family in CONFIGS else None


def _own(where: str, metadata: Mapping[str, str], state: Mapping[str, Tensor] | None) -> Checkpoint:
    """A checkpoint in this project's format; without weights when there is no state."""
    family = _family_named(metadata)
    if family is None:
        raise CheckpointError(
            f"{where} is not one of this project's generators (its kind is {brief(metadata.get('kind'))})."
        )
    try:
        fields = json.loads(metadata.get("config", ""))
        stated = json.loads(metadata.get("recipe", "null"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{where} carries no readable configuration.") from error
    fields = fields if isinstance(fields, dict) else {}
    config: GeneratorConfig
    config = parse_config(fields, where) if family == "hifigan" else built(CONFIGS[family], fields, where)
    about = {key: value for key, value in metadata.items() if key not in ("kind", "config", "mel", "recipe")}
    weights = {} if state is None else folded(state, config, where)
    mel = metadata.get("mel", "") if stated is None else _stated(stated, where)
    return Checkpoint(config, recipe_of(mel, config, where), weights, about)


def _stated(fields: object, where: str) -> MelRecipe:
    try:
        return with_its_name(recipe_from(fields if isinstance(fields, dict) else {"mapping": None}))
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{where}: {brief(error, str)}.") from error
