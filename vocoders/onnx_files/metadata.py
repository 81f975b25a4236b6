"""The metadata of an ONNX file: names with values, beside the network. Here, the mel recipe, the context, and what
makes the inputs beside the mel."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vocoders.recipes.named import with_its_name
from vocoders.recipes.recipe import MelRecipe, recipe_from

RECIPE, CONTEXT, FAMILY = "mel_recipe", "context_frames", "family"
GUIDE, NOISE = "guide_iterations", "noise_seed"


def read_metadata(path: Path) -> dict[str, str]:
    """Errors: ValueError for a file that is no ONNX network, or keeps its weights in other files."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(str(path), load_external_data=False)
    except (DecodeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path.name} is not a readable ONNX file") from error
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data for tensor in _tensors(model)):
        raise ValueError(f"{path.name} keeps its weights in other files; save it as one")
    foreign = {entry.domain for entry in model.opset_import} - {"", "ai.onnx"}
    if foreign:
        raise ValueError(f"{path.name} needs operators of {', '.join(sorted(foreign))[:80]}, which are not run here")
    return {entry.key: entry.value for entry in model.metadata_props}


def _tensors(message: Any) -> Iterator[Any]:
    """Every tensor anywhere in a network: weights, constants inside nodes, and those of branches and loops."""
    from onnx import TensorProto

    if isinstance(message, TensorProto):
        yield message
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for part in value if isinstance(value, Sequence) else [value]:
                yield from _tensors(part)


def recipe_in(metadata: dict[str, str]) -> MelRecipe | None:
    """The recipe that our own export wrote. Errors: ValueError."""
    if RECIPE not in metadata:
        return None
    try:
        fields = json.loads(metadata[RECIPE])
    except RecursionError as error:
        raise ValueError(f"{RECIPE} in its metadata is nested without end") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{RECIPE} in its metadata is no JSON") from error
    if not isinstance(fields, dict):
        raise ValueError(f"{RECIPE} in its metadata is no mapping")
    return with_its_name(recipe_from(fields))
