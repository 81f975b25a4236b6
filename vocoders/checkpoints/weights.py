"""From a state dict to plain float32 weights: weight norm folded, old or new, after every shape has been checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor

from vocoders.checkpoints.config import CheckpointError, brief


def folded(
    state: Mapping[str, object],
    config: Any,
    where: str,
    passed_over: Collection[str] = (),
    config_name: str = "config.json",
) -> dict[str, Tensor]:
    """The weights of `config.build()`, under its names. passed_over: names that may be in the state and are not used.

    Errors: `CheckpointError` naming a tensor that is missing, unknown, of another shape, or not finite.
    """
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in config.build().state_dict().items()}
    weights, used = {}, set(passed_over)
    for name, shape in shapes.items():
        for gain, direction in ((f"{name}_g", f"{name}_v"), _parametrized(name)):
            if gain in state and direction in state:
                scale = checked(state, gain, torch.Size([shape[0], *[1] * (len(shape) - 1)]), where)
                weights[name] = torch._weight_norm(checked(state, direction, shape, where), scale, 0)
                used |= {gain, direction}
                break
        else:
            weights[name] = checked(state, name, shape, where)
            used.add(name)
    if unknown := sorted(set(map(str, state)) - used):
        raise CheckpointError(
            f"{where} holds {len(unknown)} tensors that {config_name} does not describe, e.g. {brief(unknown[0], str)}."
        )
    return weights


def _parametrized(name: str) -> tuple[str, str]:
    """torch's newer naming of weight norm: (gain, direction)."""
    module, _, parameter = name.rpartition(".")
    inside = f"{module}.parametrizations.{parameter}.original"
    return f"{inside}0", f"{inside}1"


def checked(state: Mapping[str, object], name: str, shape: torch.Size, where: str) -> Tensor:
    """The tensor of that name, dense, finite and of that shape. Errors: `CheckpointError` naming it."""
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
