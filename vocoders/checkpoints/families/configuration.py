"""A generator's configuration file, JSON or YAML: found beside it, read, and its numbers checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from vocoders.checkpoints.config import MAX_CONFIG_BYTES, MAX_PARAMETERS, CheckpointError, brief, check_file
from vocoders.checkpoints.contents import GeneratorConfig
from vocoders.hifigan.generator import HiFiGANConfig, parameter_count
from vocoders.recipes.configs import parsed
from vocoders.recipes.recipe import MelRecipe

Config = TypeVar("Config", bound=GeneratorConfig)


def configuration(path: Path, config_path: Path | None, names: Sequence[str]) -> tuple[dict, str]:
    """What a configuration says, and its file's name. names: of the file, the usual one first; globs are allowed.

    Errors: `CheckpointError` where there is none, several fit the same glob, or it is no mapping.
    """
    found = config_path or _beside(path, names)
    check_file(found, MAX_CONFIG_BYTES)
    try:
        return parsed(found), found.name
    except ValueError as error:
        raise CheckpointError(f"{found.name} cannot be read: {brief(error, str)}.") from error


def _beside(path: Path, names: Sequence[str]) -> Path:
    for name in names:
        found = sorted(other for other in path.parent.glob(name) if other.is_file())
        if len(found) == 1:
            return found[0]
        if found:
            several = brief(", ".join(other.name for other in found), str)
            raise CheckpointError(f"{several} lie beside {path.name}; keep the one that belongs to it.")
    raise CheckpointError(f"there is no {names[0]} beside {path.name}, which says how the generator is built.")


def section(config: Mapping, *keys: str) -> Mapping:
    """A mapping inside a configuration; empty where there is none."""
    found: object = config
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def recipe_by(of: Callable[..., MelRecipe], where: str, *arguments: Any) -> MelRecipe:
    """`of(*arguments)`, one of `vocoders.recipes.configs`. Errors: `CheckpointError` naming the file."""
    try:
        return of(*arguments)
    except ValueError as error:
        raise CheckpointError(f"{where}: {brief(error, str)}.") from error


def built(kind: type[Config], fields: Mapping[str, Any], where: str, keys: Mapping[str, str] = {}) -> Config:
    """A configuration's numbers as the dataclass `kind`. keys: the dataclass's names under which the file has others.

    Errors: `CheckpointError` naming what is missing, wrong, or too large.
    """
    known = {field.name: field for field in dataclasses.fields(kind)}
    values = {
        name: _typed(value, str(known[name].type), keys.get(name, name), where)
        for name, value in fields.items()
        if name in known
    }
    needed = [name for name, field in known.items() if field.default is dataclasses.MISSING and name not in values]
    if needed:
        raise CheckpointError(f"{where}: {keys.get(needed[0], needed[0])} is missing.")
    try:
        config = kind(**values)
    except (ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{where}: {brief(error, str)}.") from error
    if (count := parameter_count(config)) > MAX_PARAMETERS:
        raise CheckpointError(
            f"{where} describes {count / 1e6:.0f} million weights; at most {MAX_PARAMETERS / 1e6:.0f} are read."
        )
    return config


def even_kernels(config: HiFiGANConfig, where: str) -> None:
    """Errors: `CheckpointError` where kernel - rate is odd: the original then makes a sample more than it upsamples to."""
    for rate, kernel in zip(config.upsample_rates, config.upsample_kernel_sizes):
        if (kernel - rate) % 2:
            raise CheckpointError(
                f"{where}: upsample_kernel_sizes has {kernel} for a rate of {rate}; the difference must be an even number."
            )


_TYPES = {"int": (int,), "float": (int, float), "bool": (bool,), "tuple": (tuple,), "Literal": (str,)}


def _typed(value: Any, annotation: str, name: str, where: str) -> Any:
    """The value as a field of this annotation has it: lists become tuples, and of numbers only whole ones that are small enough to
    be reckoned with."""
    value = int(value) if name.startswith("resblock") and value in ("1", "2") else _as_tuples(value)
    kinds = _TYPES[annotation.partition("[")[0]]
    fits = type(value) in kinds and (not isinstance(value, tuple) or all(map(_is_small, _leaves(value))))
    if not fits or (isinstance(value, int) and not _is_small(value)):
        raise CheckpointError(f"{where}: {name} is {brief(value)}; values of {annotation} are allowed.")
    return value


def _as_tuples(value: Any, depth: int = 0) -> Any:
    if not isinstance(value, (list, tuple)) or depth > 2:
        return value
    return tuple(_as_tuples(item, depth + 1) for item in value)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _is_small(value: Any) -> bool:
    return isinstance(value, int) and value.bit_length() <= 31
