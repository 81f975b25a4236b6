"""Everything a run needs to go on, as one object; `train.saving` puts it on disk.

Random numbers and the position in the data are not in it: they follow from the seed and the step (`train.data.crops`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from train.config import MEL_L1, TrainConfig
from train.networks.discriminator_files import load_discriminators, load_optimizer
from train.networks.discriminators import Discriminators
from train.networks.generator import Average, new_generator

if TYPE_CHECKING:  # slow to import
    from lightning.fabric import Fabric


@dataclass
class State:
    """Everything that a training step changes, and that a run saves."""

    config: TrainConfig
    generator: nn.Module  # as the optimizer and the distributed wrapper see it
    discriminators: nn.Module | None
    generator_optimizer: torch.optim.Optimizer
    discriminator_optimizer: torch.optim.Optimizer | None
    average: Average
    step: int = 0
    seconds: float = 0.0  # of training so far, over all sessions
    audio_seconds: float = 0.0  # trained on so far, on all devices
    best: float = float("inf")  # lowest validation loss so far
    about: dict = field(default_factory=dict)  # preset, pack, budget: plain values that describe the run

    @property
    def plain_generator(self) -> nn.Module:
        """The generator without the distributed wrapper: the names of its weights are those of a checkpoint."""
        return getattr(self.generator, "module", self.generator)

    @property
    def plain_discriminators(self) -> nn.Module | None:
        """The discriminators without the distributed wrapper."""
        return getattr(self.discriminators, "module", self.discriminators)


def new_state(
    config: TrainConfig,
    fabric: Fabric,
    weights: dict[str, Tensor] | None = None,
    discriminators_before: dict | None = None,
) -> State:
    """A run's beginning; `weights` are plain generator weights to start from, `discriminators_before` what `read_discriminators` gives.
    The same on every rank. Errors: ValueError for discriminators of another shape."""
    torch.manual_seed(config.seed)
    generator = new_generator(config.generator, weights)
    average = Average(generator, config.average)
    discriminators = Discriminators(config) if config.has_discriminators and config.generator_only < 1 else None
    if discriminators_before is not None:
        if discriminators is None:
            raise ValueError("this run trains without discriminators, so none can be given to it")
        load_discriminators(discriminators, discriminators_before)
    options = {"lr": config.lr, "betas": config.betas}
    wrapped, optimizer = fabric.setup(generator, torch.optim.AdamW(generator.parameters(), **options))
    average.values = {name: value.to(fabric.device) for name, value in average.values.items()}
    if discriminators is None:
        return State(config, wrapped, None, optimizer, None, average)
    wrapped_discriminators, discriminator_optimizer = fabric.setup(
        discriminators, torch.optim.AdamW(discriminators.parameters(), **options)
    )
    if discriminators_before is not None:
        load_optimizer(discriminator_optimizer, discriminators_before)
    return State(config, wrapped, wrapped_discriminators, optimizer, discriminator_optimizer, average)


def content_of(state: State) -> dict:
    """Plain values and tensors, the latter not copied: everything `restore` needs."""
    content = {
        "step": state.step,
        "seconds": state.seconds,
        "heard": state.audio_seconds,
        "best": state.best,
        "judged_by": state.config.judged_by,
        "about": state.about,
        "config": state.config.to_json(),
        "generator": state.plain_generator.state_dict(),
        "average": state.average.values,
        "generator_optimizer": state.generator_optimizer.state_dict(),
    }
    discriminators, optimizer = state.plain_discriminators, state.discriminator_optimizer
    if discriminators is not None and optimizer is not None:
        content["discriminators"] = discriminators.state_dict()
        content["discriminator_optimizer"] = optimizer.state_dict()
    return content


def restore(state: State, content: dict) -> None:
    """Make a fresh state of the same configuration what it was when `content` was taken."""
    for name in ("step", "seconds", "best", "about"):
        setattr(state, name, content[name])
    if (
        content.get("judged_by", MEL_L1) != state.config.judged_by
    ):  # saved before guided generators were judged by M-STFT
        state.best = math.inf
    state.audio_seconds = content["heard"]
    state.plain_generator.load_state_dict(content["generator"])
    for name, value in content["average"].items():
        state.average.values[name].copy_(value)
    state.generator_optimizer.load_state_dict(content["generator_optimizer"])
    discriminators, optimizer = state.plain_discriminators, state.discriminator_optimizer
    if (
        discriminators is not None and optimizer is not None and "discriminators" in content
    ):  # it may only now be asked for them
        discriminators.load_state_dict(content["discriminators"])
        optimizer.load_state_dict(content["discriminator_optimizer"])
