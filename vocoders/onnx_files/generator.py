"""The generator behind an id or a path, with its weights, for export."""

from __future__ import annotations

import functools
from collections.abc import Callable

from vocoders.catalogue import OWN_CHECKPOINTS, checkpoint_path, is_file
from vocoders.checkpoints.checkpoint import Checkpoint, read_checkpoint
from vocoders.checkpoints.trial import read_checked
from vocoders.hifigan.original import original_checkpoint


def generator_of(item: str) -> Checkpoint:
    """The generator behind a system that has one, with its weights. Errors: ValueError; `CheckpointError`; `Unavailable`."""
    built_in: dict[str, Callable[[], Checkpoint]] = {
        **{name: functools.partial(read_checkpoint, path) for name, path in OWN_CHECKPOINTS.items()},
        "hifigan-original": functools.partial(original_checkpoint, "universal"),
        "hifigan-original-lj": functools.partial(original_checkpoint, "LJSpeech"),
    }
    if item in built_in:
        return built_in[item]()
    path, recipe = checkpoint_path(item)
    if not is_file(path):
        raise ValueError(f"{item!r} is no generator; known: {', '.join(built_in)}, or the path of a checkpoint")
    return read_checked(path, recipe)
