"""The harmonic-plus-noise vocoder with one of its choices made otherwise, for `train.benchmark.ablation`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from train.config import TrainConfig
from vocoders.audio import SAMPLE_RATE
from vocoders.harmonic_noise.carriers import CARRIERS, OVERSAMPLING, Carriers
from vocoders.harmonic_noise.generator import HarmonicNoise, HarmonicNoiseConfig
from vocoders.hifigan.generator_input import GUIDE_GAIN
from vocoders.mel import HOP, N_BINS, N_FFT, N_MELS, hz_to_mel

SEEDS = 2  # of the row that the others are compared with
GUIDE, RECTIFIED, EXPONENTIAL, NOISE, PULSED = range(CARRIERS)  # the carriers, by their numbers


@dataclass(frozen=True)
class VariantConfig(HarmonicNoiseConfig):
    """without: carriers that have no gain. gain_bands: of the mel scale, between which gains are interpolated; 0: one per bin."""

    without: tuple[int, ...] = ()
    turns_phases: bool = True
    gain_bands: int = 0
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
        self.turns_phases, self.gain_bands = config.turns_phases, config.gain_bands
        kept = [float(carrier not in config.without) for carrier in range(CARRIERS)]
        self.register_buffer("kept", torch.tensor(kept, device="cpu")[:, None, None], persistent=False)
        if config.gain_bands:
            self.register_buffer("hats", hats(config.gain_bands), persistent=False)

    def weights_of(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """See `HarmonicNoise.weights_of`."""
        gains, rotations = super().weights_of(features)
        if self.gain_bands:
            means = gains.log() @ (self.hats / self.hats.sum(1, keepdim=True)).T
            gains = (means @ self.hats).exp()
        return gains * self.kept, rotations if self.turns_phases else torch.zeros_like(rotations)


def hats(bands: int) -> Tensor:
    """(bands, 513): triangles over the bins, whose centres are evenly spaced in mel from 0 Hz to 11 kHz, and whose sum is 1."""
    mel = torch.tensor(
        [hz_to_mel(n * SAMPLE_RATE / N_FFT, "htk") for n in range(N_BINS)], dtype=torch.float32, device="cpu"
    )
    place = mel / mel[-1] * (bands - 1)
    return (1 - (place - torch.arange(bands, device="cpu")[:, None]).abs()).clamp(min=0)


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
        "gains in 64 bands": shaped(gain_bands=64),
        "two chained networks of 4 blocks": shaped(is_chained=True),
        "0.5 M parameters": shaped(channels=56, hidden=168, blocks=4),
        "2 M parameters": shaped(channels=160, hidden=480, blocks=6),
        "10 M parameters": shaped(channels=384, hidden=1152),
        "without the mel loss": dataclasses.replace(shaped(), mel_weight=0.0),
        "without the M-STFT loss": dataclasses.replace(shaped(), stft_weight=0.0),
        "with a loss on phase advance": dataclasses.replace(
            shaped(), phase_weight=30.0, phase_windows=(1024, 2048, 4096)
        ),
        "without |e|": shaped(without=(RECTIFIED,)),
        "without exp(1.5 e)": shaped(without=(EXPONENTIAL,)),
        "gains in 24 bands": shaped(gain_bands=24),
    }
