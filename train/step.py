"""One training step, in three short moves: the discriminators learn, the generator learns, the average follows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from train.config import TrainConfig
from train.data.crops import Batch
from train.networks.losses import SpectralLosses, adversarial_loss, discriminator_loss, feature_loss
from train.schedule import StepSettings
from train.state import State

if TYPE_CHECKING:  # slow to import
    from lightning.fabric import Fabric

Losses = dict[str, Tensor]


def train_step(state: State, batch: Batch, now: StepSettings, spectral: SpectralLosses, fabric: Fabric) -> Losses:
    """Changes `state`; returns detached scalars by name: losses, of which only the total is weighted, and gradient norms."""
    _set_rate(state.generator_optimizer, now.lr)
    _set_rate(state.discriminator_optimizer, now.discriminator_lr)
    with _narrow(now.bfloat16, batch.features.device), torch.set_grad_enabled(now.with_generator):
        estimate = state.generator(batch.features)
    estimate = _without_margin(estimate.float(), batch.target)
    losses: Losses = {}
    if now.with_discriminators:
        losses |= _discriminator_step(state, batch.target, estimate.detach(), fabric)
    if now.with_generator:
        losses |= _generator_step(state, batch.target, estimate, now, spectral, fabric)
        state.average.update(state.plain_generator, state.step + 1)
    state.step += 1
    return {name: value.detach() for name, value in losses.items()}


def _without_margin(estimate: Tensor, target: Tensor) -> Tensor:
    """The middle of a generator's output that its target covers."""
    margin = (estimate.shape[-1] - target.shape[-1]) // 2
    return estimate[..., margin : margin + target.shape[-1]]


def _set_rate(optimizer: torch.optim.Optimizer | None, rate: float) -> None:
    for group in optimizer.param_groups if optimizer else ():
        group["lr"] = rate


def _discriminator_step(state: State, target: Tensor, estimate: Tensor, fabric: Fabric) -> Losses:
    """Real and fake go through in one pass."""
    discriminators, optimizer = state.discriminators, state.discriminator_optimizer
    assert discriminators is not None  # `with_discriminators` holds only in runs that have them
    assert optimizer is not None
    with _narrow(state.config.bfloat16, target.device):
        scores = discriminators(torch.cat([target, estimate]))
    count = len(target)
    losses = {
        f"d/{family}": discriminator_loss(
            [_half(maps, 0, count) for maps in each], [_half(maps, count, None) for maps in each]
        )
        for family, each in scores.items()
    }
    optimizer.zero_grad()
    fabric.backward(sum(losses.values()))
    norm = _gradient_norm(discriminators)
    optimizer.step()
    return {**losses, "norm/discriminators": norm}


def _half(maps: list[Tensor], start: int, stop: int | None) -> list[Tensor]:
    return [layer[start:stop] for layer in maps]


def _generator_step(
    state: State, target: Tensor, estimate: Tensor, now: StepSettings, spectral: SpectralLosses, fabric: Fabric
) -> Losses:
    losses = spectral(target, estimate)
    if now.with_discriminators:
        # Not through the distributed wrapper: these passes must not be taken for the discriminators' own.
        discriminators = state.plain_discriminators
        assert discriminators is not None
        with _frozen(discriminators), _narrow(state.config.bfloat16, target.device):
            with torch.no_grad():
                real = discriminators(target)
            fake = discriminators(estimate)
        losses["adversarial"] = sum(adversarial_loss(maps) for maps in fake.values())
        losses["features"] = sum(feature_loss(real[family], fake[family]) for family in fake)
    weights = _weights(state.config, now)
    total = sum(weights[name] * loss for name, loss in losses.items())
    state.generator_optimizer.zero_grad()
    fabric.backward(total)
    norm = _gradient_norm(state.generator, state.config.clip)
    state.generator_optimizer.step()
    return {"total": total, **losses, "norm/generator": norm}


def _weights(config: TrainConfig, now: StepSettings) -> dict[str, float]:
    return {
        "mel": config.mel_weight,
        "stft": config.stft_weight,
        "phase": config.phase_weight,
        "hop": config.hop_weight,
        "adversarial": now.adversarial,
        "features": now.adversarial * config.feature_weight,
    }


def _gradient_norm(module: nn.Module, clip: float = 0.0) -> Tensor:
    """The norm before clipping."""
    return nn.utils.clip_grad_norm_(module.parameters(), clip or float("inf"))


@contextmanager
def _frozen(module: nn.Module) -> Iterator[None]:
    """Gradients pass through the discriminators without being computed for their weights."""
    module.requires_grad_(False)
    try:
        yield
    finally:
        module.requires_grad_(True)


def _narrow(wanted: bool, device: torch.device) -> AbstractContextManager:
    """bfloat16 where it is wanted and the hardware is made for it; elsewhere it would be slower than float32."""
    if wanted and multiplies_bfloat16(device):
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


@lru_cache
def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the device computes with bfloat16 in hardware."""
    if device.type == "cuda":
        return True
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
