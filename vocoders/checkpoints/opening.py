"""From a file to the tensors of a generator in it, however a training program wrapped them.

Files are size-capped, and pickles are read with torch's weights-only unpickler, which runs nothing they hold.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from vocoders.checkpoints.config import MAX_BYTES, CheckpointError, brief
from vocoders.checkpoints.formats import PREFIXES, TORCHSCRIPT_PROGRAM, file_format, network, program, without_module

WANTED = "the original's g_XXXXXXXX, or the state dict of its generator, is expected"
_ENTRIES = (
    "generator",
    "state_dict",
    "model",
    "model_state_dict",
    "net_g",
    "ema",
    "weight",
)  # under which programs keep weights


class Unopened(CheckpointError):
    """Nothing is known of what the file holds."""


@dataclass(frozen=True, eq=False)
class Opened:
    """A generator's own names and tensors. `wrapping`: whose training checkpoint they lay in, with its article; or None."""

    state: Mapping[str, object]
    wrapping: str | None


def open_state(path: Path, is_known: Callable[[Mapping], object]) -> Opened:
    """The part of a file of which `is_known(names)` says that it is a generator's state.

    Errors: `CheckpointError` saying what the file is instead; `Unopened` for one that could not be read.
    """
    content = read_safetensors(path)[1] if path.suffix == ".safetensors" else _unpickle(path)
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{path.name} has no 'generator' entry; {WANTED}.")
    if {"mpd", "msd"} & set(content):
        raise CheckpointError(f"{path.name} holds the discriminators (do_...); the generator is the g_... file.")
    wrapping = program(content)
    for state in _candidates(content):
        if is_known(state):
            return Opened(state, wrapping)
    inside = content.get("generator")
    state = without_module(inside if isinstance(inside, Mapping) else content)
    if what := wrapping or network(state) or next(filter(None, map(network, _candidates(content))), None):
        raise CheckpointError(f"{path.name} is {what}; {WANTED}.")
    if isinstance(inside, Mapping):
        return Opened(state, None)  # whatever it is, somebody called it a generator: its tensors will tell
    names = ", ".join(sorted(map(str, content))[:3]) or "nothing at all"
    raise CheckpointError(f"{path.name} has no 'generator' entry, but {brief(names, str)}; {WANTED}.")


def _candidates(content: Mapping) -> Iterator[Mapping]:
    """Mappings that may be a generator's state: the content and what lies inside it, with the prefixes of its names taken off."""
    inside = [content[name] for name in _ENTRIES if isinstance(content.get(name), Mapping)]
    deeper = [level[name] for level in inside for name in _ENTRIES if isinstance(level.get(name), Mapping)]
    for level in [*deeper, *inside, content]:
        names = [name for name in level if isinstance(name, str)]
        for first in PREFIXES:
            for prefix in (first, f"{first}module.", f"module.{first}"):
                kept = {name[len(prefix) :]: level[name] for name in names if name.startswith(prefix)}
                if kept:
                    yield kept if prefix else level


def read_safetensors(path: Path, with_weights: bool = True) -> tuple[dict[str, str], dict[str, Tensor]]:
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


def _unpickle(path: Path) -> object:
    """The content of a file that torch saved, read without executing any of it."""
    what = file_format(path)
    if what == TORCHSCRIPT_PROGRAM:
        raise CheckpointError(
            f"{path.name} is {what}, which runs code of its own; only the command line does that, as torchscript:{path.name}@RECIPE."
        )
    if what:
        raise CheckpointError(f"{path.name} is {what}, not a plain tensor checkpoint; {WANTED}.")
    try:
        unpacked = _unpacked_bytes(path)
        content = torch.load(path, map_location="cpu", weights_only=True) if unpacked <= MAX_BYTES else None
    except Exception as error:  # a hostile archive or pickle can make its reader raise almost anything
        raise Unopened(
            f"{path.name} is not a plain tensor checkpoint and was not opened; a model pickled whole can be saved as its state_dict()."
        ) from error
    if unpacked > MAX_BYTES:
        raise CheckpointError(f"{path.name} would unpack to more than {MAX_BYTES / 1e6:g} MB.")
    return content


def _unpacked_bytes(path: Path) -> int:
    """Bytes that an archive declares; 0 for a file that is none."""
    if not zipfile.is_zipfile(path):
        return 0
    with zipfile.ZipFile(path) as archive:
        return sum(entry.file_size for entry in archive.infolist())
