"""How a voice is trained: from the shipped harmonic-plus-noise generator and its discriminators, or from nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from common.paths import ASSETS
from train.config import PRESETS, TrainConfig
from train.networks.discriminator_files import read_discriminators
from train.networks.generator import in_shape_of
from vocoders.catalogue import OWN_CHECKPOINTS
from vocoders.checkpoints.checkpoint import read_checkpoint, read_header, training_history
from vocoders.harmonic_noise.generator import HarmonicNoiseConfig

PRESET = "harmonic-noise"
SHIPPED = OWN_CHECKPOINTS[PRESET]
DISCRIMINATORS = ASSETS / "checkpoints" / "harmonic-noise.do_00001440"  # trained against `SHIPPED`
SHIPPED_LICENCE = "CC BY-NC-SA 4.0"  # of both; what is trained further from them is under it, too
VALIDATIONS_OF_STEPS = 4  # of a run whose length is given in steps
NEVER = 10**9  # steps: a run whose length is given in minutes is validated by the clock

# The generator is trained already, and so are its discriminators, which take part from the first step on.
ADAPTING = dataclasses.replace(
    PRESETS[PRESET],
    start="checkpoint",
    generator_only=0.0,
    lr=8e-4,
    generator_only_lr=8e-4,
    warm_up=50,
    average=0.99,
)


@dataclass(frozen=True)
class Start:
    """What a new run begins with. before: the runs that made it, newest first."""

    weights: Mapping[str, Tensor] | None = None
    discriminators: dict[str, Any] | None = None
    before: tuple[dict, ...] = ()


def config_of(adapts: bool, steps: int | None, batch: int | None = None) -> TrainConfig:
    """steps: of the whole run; None for one that is bounded by minutes. batch: segments per step; None for the preset's.

    Errors: ValueError; `CheckpointError` where the shipped file, whose shape an adapted generator has, cannot be read.
    """
    every = NEVER if steps is None else max(1, steps // VALIDATIONS_OF_STEPS)
    config = dataclasses.replace(ADAPTING if adapts else PRESETS[PRESET], validate_every=every)
    if adapts:
        shipped, planned = read_header(SHIPPED).config, config.generator
        assert isinstance(shipped, HarmonicNoiseConfig)
        assert isinstance(planned, HarmonicNoiseConfig)
        config = dataclasses.replace(config, generator=in_shape_of(shipped, planned))
    return config if batch is None else dataclasses.replace(config, batch=batch, long_batch=batch)


def start_of(adapts: bool) -> Start:
    """Errors: `CheckpointError`, ValueError where the shipped files are missing."""
    if not adapts:
        return Start()
    checkpoint = read_checkpoint(SHIPPED)
    return Start(
        checkpoint.weights, read_discriminators(Path(DISCRIMINATORS)), tuple(training_history(checkpoint.about))
    )
