"""The harmonic-plus-noise vocoder with one of its choices made otherwise, for `train.benchmark.ablation`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from train.config import TrainConfig
from vocoders.harmonic_noise.bins import PHASES
from vocoders.harmonic_noise.carriers import CARRIERS, OVERSAMPLING, Carriers
from vocoders.harmonic_noise.generator import HarmonicNoise, HarmonicNoiseConfig
from vocoders.hifigan.generator_input import GUIDE_GAIN
from vocoders.mel import HOP, N_MELS

SEEDS = 2  # of the row that the others are compared with
HALF_A_MILLION = {"channels": 56, "hidden": 168, "blocks": 4}  # parameters, with a gain for every bin
TWO_MILLION = {"channels": 160, "hidden": 480, "blocks": 6}
GUIDE, RECTIFIED, EXPONENTIAL, NOISE, PULSED = range(CARRIERS)  # the carriers, by their numbers


@dataclass(frozen=True)
class VariantConfig(HarmonicNoiseConfig):
    """without: carriers that have no gain. has_phases: whether the network over bins is given them."""

    without: tuple[int, ...] = ()
    turns_phases: bool = True
    has_phases: bool = True
    oversampling: int = OVERSAMPLING
    is_chained: bool = False

    def build(self) -> nn.Module:  # type: ignore[override]
        """Untrained."""
        return Chained(self) if self.is_chained else Variant(self)


class Variant(HarmonicNoise):
    """Its weights, changed after the network has given them."""

    def __init__(self, config: VariantConfig) -> None:
        super().__init__(config)
        self.carriers = Carriers(config.oversampling)
        self.turns_phases = config.turns_phases
        self.without = list(config.without)
        if not config.has_phases and self.bins is not None:
            self.bins.phases = _no_phases  # type: ignore[method-assign]

    def weigh(self, features: Tensor, hidden: Tensor, carriers: Tensor) -> tuple[Tensor, Tensor]:
        """See `HarmonicNoise.weigh`."""
        gains, rotations = super().weigh(features, hidden, carriers)
        kept = torch.ones(CARRIERS, 1, 1, device=gains.device)
        kept[self.without] = 0.0
        return gains * kept, rotations if self.turns_phases else torch.zeros_like(rotations)


def _no_phases(carriers: Tensor) -> Tensor:
    batch, _, frames, _, bins = carriers.shape
    return carriers.new_zeros(batch, PHASES, frames, bins)


class Chained(nn.Module):
    """Two networks of half the blocks; the first one's output is the second one's guide."""

    def __init__(self, config: VariantConfig) -> None:
        super().__init__()
        half = dataclasses.replace(config, is_chained=False, blocks=config.blocks // 2)
        self.config, self.first, self.second = config, half.build(), half.build()

    def forward(self, x: Tensor) -> Tensor:
        """See `HarmonicNoise.forward`."""
        log_mel, _, noise = x.split([N_MELS, HOP, HOP], dim=1)
        guide = GUIDE_GAIN * self.first(x).squeeze(1).unflatten(-1, (-1, HOP)).transpose(1, 2)
        return self.second(torch.cat([log_mel, guide, noise], dim=1))


def variants(base: TrainConfig) -> Mapping[str, TrainConfig]:
    """By what is different; first the shipped choice with several seeds, whose differences are those of chance."""
    shape = base.generator
    assert isinstance(shape, HarmonicNoiseConfig)

    def shaped(**changes) -> TrainConfig:
        return dataclasses.replace(base, generator=VariantConfig(**{**dataclasses.asdict(shape), **changes}))

    return {
        **{f"as shipped, seed {seed}": dataclasses.replace(shaped(), seed=seed) for seed in range(1, SEEDS + 1)},
        "guide alone, no other carrier": shaped(without=(RECTIFIED, EXPONENTIAL, NOISE, PULSED)),
        "without partials": shaped(without=(RECTIFIED, EXPONENTIAL)),
        "without noise": shaped(without=(NOISE, PULSED)),
        "without pulsed noise": shaped(without=(PULSED,)),
        "nonlinearities not oversampled": shaped(oversampling=1),
        "phases not turned": shaped(turns_phases=False),
        "a gain for every bin": shaped(gain_bands=0),
        "gains in 24 bands": shaped(gain_bands=24),
        "without the network over bins": shaped(bin_channels=0),
        "the network over bins not given phases": shaped(has_phases=False),
        "32 channels in the network over bins": shaped(bin_channels=32),
        "two chained networks of 4 blocks": shaped(is_chained=True),
        "0.5 M parameters": shaped(**HALF_A_MILLION),
        "2 M parameters": shaped(**TWO_MILLION),
        "10 M parameters": shaped(channels=384, hidden=1152),
        "0.5 M parameters, 32 channels over bins": shaped(**HALF_A_MILLION, bin_channels=32),
        "2 M parameters, 32 channels over bins": shaped(**TWO_MILLION, bin_channels=32),
        "without the mel loss": dataclasses.replace(shaped(), mel_weight=0.0),
        "without the M-STFT loss": dataclasses.replace(shaped(), stft_weight=0.0),
        "with a loss on phase advance": dataclasses.replace(
            shaped(), phase_weight=30.0, phase_windows=(1024, 2048, 4096)
        ),
        "without |e|": shaped(without=(RECTIFIED,)),
        "without exp(1.5 e)": shaped(without=(EXPONENTIAL,)),
    }
