"""A harmonic-plus-noise vocoder at frame rate: log hw2 mel, guide and noise (batch, 592, frames) -> waveform (batch, 1, frames * 256).

    guide, noise ──▶ carriers (`vocoders.harmonic_noise.carriers`) ──────────────────────┐
    log mel, log |guide|, log |partials| ──▶ ConvNeXt ──▶ gain per carrier, bin and frame, ─▶ × ──▶ sum ──▶ inverse STFT
                                                          phase rotation of pitched ones

No layer runs at the sample rate, so no line at the hop rate can arise, and a second of audio takes a sixtieth of the operations of
HiFi-GAN V1. The pitch is the guide's, which Griffin-Lim finds from the mel: the network decides how loud each carrier is.

Sources: ConvNeXt blocks and the inverse STFT at the end, Siuzdak 2023 ("Vocos"); carriers see there.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vocoders.harmonic_noise.carriers import (
    CARRIERS,
    PITCHED,
    POWER_FLOOR,
    REACH_FRAMES,
    Carriers,
    power,
    smooth_magnitude,
)
from vocoders.hifigan.generator import require
from vocoders.hifigan.generator_input import GUIDE_GAIN, WITH_GUIDE_AND_NOISE
from vocoders.hifigan.guide import ITERATIONS, MAX_ITERATIONS
from vocoders.mel import HOP, N_BINS, N_MELS

FEATURES = N_MELS + 2 * N_BINS  # of the network's input, per frame
INVERSE_REACH_FRAMES = 2  # to either side: what a sample of the inverse STFT depends on
INITIAL_DEVIATION = 0.01  # of the last layer's weights
INITIAL_LOG_GAIN = -3.5  # of every carrier but the guide: -30 dB
MIN_LOG_GAIN, MAX_LOG_GAIN = -12.0, 6.0  # -104 dB and +52 dB


@dataclass(frozen=True)
class HarmonicNoiseConfig:
    """The size of the network, and how many iterations of Griffin-Lim make its guide. Errors: ValueError."""

    channels: int = 256
    hidden: int = 768  # of the two linear layers of a block
    blocks: int = 8
    kernel: int = 7  # frames, of the depthwise convolution of a block
    guide_iterations: int = ITERATIONS

    margin_frames = (
        4  # beside a training segment, whose output is dropped: there carriers have a guide of zeros behind them
    )
    family = "harmonic-noise"
    bands = N_MELS
    hop = HOP
    tail = 0
    input_channels = WITH_GUIDE_AND_NOISE
    is_enriched = True
    is_guided = True

    def __post_init__(self) -> None:
        ranges = {"channels": 2048, "hidden": 8192, "blocks": 32, "kernel": 31, "guide_iterations": MAX_ITERATIONS}
        for field, most in ranges.items():
            value = getattr(self, field)
            require(isinstance(value, int) and 1 <= value <= most, field, value, f"1 to {most}")
        require(self.kernel % 2 == 1, "kernel", self.kernel, "an odd number")

    @property
    def context(self) -> int:
        """How many mel frames away a frame can still change a sample: carriers, the network, the inverse STFT."""
        network = 1 + self.blocks * (self.kernel // 2)
        return REACH_FRAMES + network + INVERSE_REACH_FRAMES

    @property
    def multiply_adds(self) -> int:
        """Of the network per mel frame; the FFTs, which take less, are not counted."""
        block = self.channels * (self.kernel + 2 * self.hidden)
        return self.channels * (3 * FEATURES + (CARRIERS + PITCHED) * N_BINS) + self.blocks * block

    def build(self) -> HarmonicNoise:
        """Untrained."""
        return HarmonicNoise(self)


class _ConvNeXt(nn.Module):
    """x + scale * (linear GELU linear)(norm(depthwise conv x)), (batch, frames, channels) (Liu et al. 2022)."""

    def __init__(self, config: HarmonicNoiseConfig) -> None:
        super().__init__()
        channels = config.channels
        self.mix = nn.Conv1d(channels, channels, config.kernel, padding=config.kernel // 2, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.widen = nn.Linear(channels, config.hidden)
        self.narrow = nn.Linear(config.hidden, channels)
        self.scale = nn.Parameter(torch.full((channels,), 1 / config.blocks))

    def forward(self, x: Tensor) -> Tensor:
        mixed = self.mix(x.transpose(1, 2)).transpose(1, 2)
        return x + self.scale * self.narrow(F.gelu(self.widen(self.norm(mixed))))


class HarmonicNoise(nn.Module):
    """Untrained, it gives back its guide and a little of the other carriers."""

    def __init__(self, config: HarmonicNoiseConfig) -> None:
        super().__init__()
        self.config = config
        self.carriers = Carriers()
        self.enter = nn.Conv1d(FEATURES, config.channels, 3, padding=1)
        self.blocks = nn.ModuleList(_ConvNeXt(config) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.channels)
        self.leave = nn.Linear(config.channels, (CARRIERS + PITCHED) * N_BINS)
        if not self.leave.weight.is_meta:  # to fill no memory with normal deviates PyTorch would import its compiler
            nn.init.normal_(self.leave.weight, 0.0, INITIAL_DEVIATION)
        with torch.no_grad():
            self.leave.bias.zero_()
            self.leave.bias[N_BINS : CARRIERS * N_BINS] = INITIAL_LOG_GAIN

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 592, frames), see `vocoders.hifigan.generator_input` -> (batch, 1, frames * 256)."""
        log_mel, guide, noise = x.split([N_MELS, HOP, HOP], dim=1)
        carriers = self.carriers(guide.transpose(1, 2).flatten(1) / GUIDE_GAIN, noise.transpose(1, 2).flatten(1))
        gains, rotations = self.weights_of(_features(log_mel, carriers))
        pitched = _turned(carriers[:, :PITCHED], gains[:, :PITCHED], rotations)
        noisy = carriers[:, PITCHED:] * gains[:, PITCHED:].unsqueeze(-2)
        return self.carriers.stft.inverse(pitched.sum(1) + noisy.sum(1))[:, None]

    def weights_of(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, frames, FEATURES) -> gains (batch, CARRIERS, frames, 513), rotations in radians (batch, PITCHED, ...)."""
        x = self.enter(features.transpose(1, 2)).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        values = self.leave(self.norm(x)).unflatten(-1, (-1, N_BINS)).transpose(1, 2)
        return values[:, :CARRIERS].clamp(MIN_LOG_GAIN, MAX_LOG_GAIN).exp(), values[:, CARRIERS:]


def _turned(spectra: Tensor, gains: Tensor, radians: Tensor) -> Tensor:
    """Times gain * exp(i * radians); spectra (..., 2, bins), the others (..., bins)."""
    real, imaginary = spectra.unbind(-2)
    c, s = gains * radians.cos(), gains * radians.sin()
    return torch.stack([real * c - imaginary * s, real * s + imaginary * c], dim=-2)


def _features(log_mel: Tensor, carriers: Tensor) -> Tensor:
    """The network's input, each part about -1 to 1: (batch, frames, FEATURES)."""
    guide, partials = carriers[:, 0], carriers[:, 1] * (1 / smooth_magnitude(carriers[:, 0], POWER_FLOOR))
    levels = (power(guide) + 1e-8).log().squeeze(-2) / 2
    lines = (power(partials) + 1e-4).log().squeeze(-2) / 2
    return torch.cat([log_mel.transpose(1, 2) / 4 + 1, levels / 3 + 0.5, lines], dim=-1)
