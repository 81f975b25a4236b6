"""How a run changes over time: which phase it is in, how fast it learns, how long its segments are."""

from __future__ import annotations

import math
from dataclasses import dataclass

from train.config import TrainConfig

ADVERSARIAL_RAMP_SHARE = 0.05  # of the run, over which the weight of the adversarial loss grows from 0 to full


@dataclass(frozen=True)
class Budget:
    """The whole length of a run: a number of steps, or of minutes of training over all its sessions."""

    steps: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        amounts = [amount for amount in (self.steps, self.minutes) if amount is not None]
        if len(amounts) != 1:
            raise ValueError("a run's budget is either steps or minutes, not both")
        if amounts[0] <= 0:
            raise ValueError(f"a budget must be positive, not {amounts[0]}")

    def progress(self, step: int, seconds: float) -> float:
        """Share that is over after `step` steps and `seconds` of training, 0 to 1."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        assert self.minutes is not None  # one of both is given
        return min(1.0, seconds / (60 * self.minutes))


@dataclass(frozen=True)
class StepSettings:
    """The schedule's values for one step."""

    lr: float  # of the generator
    discriminator_lr: float
    with_generator: bool  # whether the generator learns
    with_discriminators: bool
    adversarial: float  # 0 to 1: weight of the adversarial loss in the generator's loss
    segment: int  # samples
    batch: int
    bfloat16: bool  # in the generator

    @property
    def is_adversarial(self) -> bool:
        """Whether the generator learns from the discriminators."""
        return self.with_generator and self.with_discriminators


def step_settings(config: TrainConfig, progress: float, step: int, epoch: float) -> StepSettings:
    """progress: share of the run that is over; step: how many steps are; epoch: how often the clips were seen."""
    joined = config.generator_only < 1 and progress >= config.generator_only
    goes_on = config.generator_only + config.discriminators_only
    since = (progress - goes_on) / ADVERSARIAL_RAMP_SHARE if goes_on else 1.0
    long = progress >= config.long_from
    decay = _decay(config, progress, epoch)
    rate = config.lr if joined else config.generator_only_lr
    return StepSettings(
        lr=rate * decay * min(1.0, (step + 1) / max(1, config.warm_up)),
        discriminator_lr=config.discriminator_lr * decay,
        with_generator=not joined or progress >= goes_on,
        with_discriminators=joined,
        adversarial=min(1.0, max(0.0, since)) if joined else 0.0,
        segment=config.long_segment if long else config.segment,
        batch=config.long_batch if long else config.batch,
        bfloat16=progress < config.generator_bfloat16,
    )


def _decay(config: TrainConfig, progress: float, epoch: float) -> float:
    """By how much the learning rates are lowered: 1 at first."""
    if config.epoch_decay:
        return config.epoch_decay ** math.floor(epoch)
    return config.final_share + (1 - config.final_share) * 0.5 * (1 + math.cos(math.pi * progress))
