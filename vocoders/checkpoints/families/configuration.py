"""A generator's configuration file, JSON or YAML: found beside it, read, and its numbers checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from vocoders.checkpoints.config import MAX_CONFIG_BYTES, MAX_PARAMETERS, CheckpointError, brief, check_file
from vocoders.hifigan.generator import parameter_count
from vocoders.recipes.configs import parsed

Config = TypeVar("Config")


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
    for key in keys:
        config = config.get(key) if isinstance(config, Mapping) else None
    return config if isinstance(config, Mapping) else {}


def built(kind: type[Config], fields: Mapping[str, Any], where: str, keys: Mapping[str, str] = {}) -> Config:
    """A configuration's numbers as the dataclass `kind`. keys: the dataclass's names under which the file has others.

    Errors: `CheckpointError` naming what is missing, wrong, or too large.
    """
    known = {field.name: field for field in dataclasses.fields(kind)}
    values = {name: _plain(value, keys.get(name, name), where) for name, value in fields.items() if name in known}
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


def _plain(value: Any, name: str, where: str, depth: int = 0) -> Any:
    """Lists become tuples; a number is small enough to be reckoned with."""
    if isinstance(value, (list, tuple)) and depth < 2 and len(value) <= 16:
        return tuple(_plain(item, name, where, depth + 1) for item in value)
    if isinstance(value, str) and name.startswith("resblock") and value in ("1", "2"):
        return int(value)
    text = depth == 0 and (value is None or isinstance(value, (str, float)))
    if text or (isinstance(value, int) and value.bit_length() <= 31):
        return value
    raise CheckpointError(f"{where}: {name} is {brief(value)}; numbers are allowed.")
