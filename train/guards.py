"""Checks that stop a run that cannot succeed, each with a sentence that names the remedy."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks

from train.config import TrainConfig
from train.networks.discriminators import Discriminators
from vocoders.mel import HOP

MAX_COLLAPSED_LOSS = 0.01  # of one sub-discriminator (chance: 0.5); up to it the generator gets no useful gradient
COLLAPSE_PATIENCE_STEPS = 1000  # of that before a run is stopped
MAX_MEMORY_SHARE = 0.9  # of the free memory that a run may plan with


class TrainingStopped(RuntimeError):
    """The run cannot go on as it is; the message is one sentence. The last saved state is intact."""


class DoesNotFit(ValueError):
    """The configuration needs more memory than there is."""


def needed_bytes(config: TrainConfig) -> int:
    """Memory of the larger of a run's two kinds of step: weights, gradients, Adam, average, and every activation kept.

    Counted by running the networks on torch's meta device, where tensors have shapes and no memory.
    """
    with torch.device("meta"):
        generator = config.generator.build().to("meta")
        discriminators = Discriminators(config) if config.has_discriminators and config.generator_only < 1 else None
        kept = max(
            _activations(generator, discriminators, config, segment, batch)
            for segment, batch in {(config.segment, config.batch), (config.long_segment, config.long_batch)}
        )
    weights = 5 * _size(generator) + (4 * _size(discriminators) if discriminators else 0)
    return weights + kept


def _activations(
    generator: nn.Module,
    discriminators: nn.Module | None,
    config: TrainConfig,
    segment: int,
    batch: int,
    device: str = "meta",
) -> int:
    """Bytes that one pass through both keeps for its gradients."""
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor.untyped_storage()
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        features = torch.zeros(
            batch, config.generator.input_channels, segment // HOP + 2 * config.generator.margin_frames, device=device
        )
        waveform = generator(features)
        if discriminators is not None:
            discriminators(torch.cat([waveform, waveform]))
        return sum(storage.nbytes() for storage in kept.values())


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() * parameter.element_size() for parameter in module.parameters())


def check_memory(config: TrainConfig, device: torch.device) -> None:
    """Errors: `DoesNotFit` naming what is needed, what there is, and what to choose smaller."""
    free = free_bytes(device)
    needed = needed_bytes(config)
    if free is None or needed <= MAX_MEMORY_SHARE * free:
        return
    raise DoesNotFit(
        f"a step of this preset needs about {needed / 2**30:.1f} GiB and {free / 2**30:.1f} GiB are free on {device}; "
        f"choose a smaller --batch than {config.batch}, a shorter --segment, or a smaller preset."
    )


CGROUP = Path("/sys/fs/cgroup")  # of a container, when seen from inside


def free_bytes(device: torch.device) -> int | None:
    """Free memory of the device, or of the container's share; None where the system does not tell."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
        free = 1024 * int(fields["MemAvailable"].split()[0])
    except (OSError, KeyError, ValueError):  # not Linux
        return None
    try:
        limit, used = (int((CGROUP / name).read_text()) for name in ("memory.max", "memory.current"))
        counts = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
        used -= int(counts["inactive_file"])  # the kernel's copies of files, which it gives up at once
    except (OSError, KeyError, ValueError):  # no container, or one without a limit: "max"
        return free
    return min(free, max(0, limit - used))


def out_of_memory(config: TrainConfig, error: BaseException) -> TrainingStopped:
    """The device's error as an error of the run, with the remedy."""
    return TrainingStopped(
        f"out of memory with a batch of {config.batch} x {config.segment} samples ({str(error).splitlines()[0][:120]}); "
        f"resume with a --batch below {config.batch}."
    )


class Watchdog:
    """Looks at the losses of every logged step."""

    def __init__(self, sub_discriminators: Mapping[str, int]) -> None:
        self.sub_discriminators = sub_discriminators  # family -> how many
        self._collapsed_since: dict[str, int] = {}

    def look(self, step: int, values: Mapping[str, float]) -> None:
        """Errors: `TrainingStopped`."""
        for name, value in values.items():
            if not math.isfinite(value):
                raise TrainingStopped(
                    f"{name} is not a number at step {step}: the run has diverged; resume from the last save with a "
                    "lower --lr."
                )
        for family, count in self.sub_discriminators.items():
            loss = values.get(f"d/{family}")
            if loss is None:  # before they join, and at validations
                continue
            if loss / count > MAX_COLLAPSED_LOSS:
                self._collapsed_since.pop(family, None)
            elif step - self._collapsed_since.setdefault(family, step) >= COLLAPSE_PATIENCE_STEPS:
                raise TrainingStopped(
                    f"the {family} discriminators have been right about everything for {COLLAPSE_PATIENCE_STEPS} steps (loss "
                    f"{loss:.4f} at step {step}), so they teach the generator nothing; resume from the last save "
                    "with a lower --lr or a longer --generator-only."
                )


def check_pack_is_the_same(saved: str, given: str, root: os.PathLike) -> None:
    """Errors: ValueError when a run is resumed on other data."""
    if saved != given:
        raise ValueError(f"{root} is not the pack this run began with (it had {saved}, this has {given}).")
