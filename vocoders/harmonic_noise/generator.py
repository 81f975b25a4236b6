"""A harmonic-plus-noise vocoder at frame rate: log hw2 mel, guide and noise (batch, 592, frames) -> waveform (batch, 1, frames * 256).

    guide, noise ──▶ carriers (`vocoders.harmonic_noise.carriers`) ──────────────────────┐
    log mel, log |guide|, log |partials| ──▶ ConvNeXt ──▶ gain per carrier, bin and frame, ─▶ × ──▶ sum ──▶ inverse STFT
                                                          phase rotation of pitched ones,
                                                          + what `bins` adds to both

No layer runs at the sample rate, so no line at the hop rate can arise, and a second of audio takes a fortieth of the operations of
HiFi-GAN V1. The pitch is the guide's, which Griffin-Lim finds from the mel: the network decides how loud each carrier is.

Sources: ConvNeXt blocks and the inverse STFT at the end, Siuzdak 2023 ("Vocos"); carriers see there.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vocoders.harmonic_noise.bands import hats
from vocoders.harmonic_noise.bins import REACH_FRAMES as BINS_REACH_FRAMES
from vocoders.harmonic_noise.bins import BinNetwork, multiply_adds_per_bin
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
# To either side: what a sample depends on after the network over frames. The frame before is one whose phase is compared
NEAR_FRAMES = 1 + BINS_REACH_FRAMES + INVERSE_REACH_FRAMES
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
    gain_bands: int = 0  # of the mel scale, between which gains are interpolated; 0: a gain of its own for every bin
    bin_channels: int = 0  # of the network over bins; 0: none

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
        ranges = {
            "channels": (1, 2048),
            "hidden": (1, 8192),
            "blocks": (1, 32),
            "kernel": (1, 31),
            "guide_iterations": (1, MAX_ITERATIONS),
            "gain_bands": (0, N_BINS),
            "bin_channels": (0, 256),
        }
        for field, (least, most) in ranges.items():
            value = getattr(self, field)
            require(isinstance(value, int) and least <= value <= most, field, value, f"{least} to {most}")
        require(self.gain_bands != 1, "gain_bands", self.gain_bands, "0, or 2 and more, to interpolate between")
        require(self.kernel % 2 == 1, "kernel", self.kernel, "an odd number")

    @property
    def context(self) -> int:
        """How many mel frames away a frame can still change a sample: carriers, the network, the inverse STFT."""
        network = 1 + self.blocks * (self.kernel // 2) + (BINS_REACH_FRAMES if self.bin_channels else 0)
        return REACH_FRAMES + network + INVERSE_REACH_FRAMES

    @property
    def outputs(self) -> int:
        """Numbers that the network gives per frame: first gains, then rotations."""
        return CARRIERS * (self.gain_bands or N_BINS) + PITCHED * N_BINS

    @property
    def multiply_adds(self) -> int:
        """Of the networks per mel frame; the FFTs, which take less, are not counted."""
        block = self.channels * (self.kernel + 2 * self.hidden)
        over_bins = N_BINS * multiply_adds_per_bin(self.bin_channels) if self.bin_channels else 0
        return self.channels * (3 * FEATURES + self.outputs) + self.blocks * block + over_bins

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
        self.leave = nn.Linear(config.channels, config.outputs)
        if not self.leave.weight.is_meta:  # to fill no memory with normal deviates PyTorch would import its compiler
            nn.init.normal_(self.leave.weight, 0.0, INITIAL_DEVIATION)
        per_carrier = config.gain_bands or N_BINS
        with torch.no_grad():
            self.leave.bias.zero_()
            self.leave.bias[per_carrier : CARRIERS * per_carrier] = INITIAL_LOG_GAIN
        if config.gain_bands:
            self.register_buffer("hats", hats(config.gain_bands), persistent=False)
        self.bins = BinNetwork(config.bin_channels) if config.bin_channels else None

    def forward(self, x: Tensor, kept: slice | None = None) -> Tensor:
        """(batch, 592, frames), see `vocoders.hifigan.generator_input` -> (batch, 1, frames * 256).

        kept: of a window, the frames whose samples are wanted and given back, from start up to stop; all. What only the others need
        is left out after the network over frames.
        """
        log_mel, guide, noise = x.split([N_MELS, HOP, HOP], dim=1)
        carriers = self.carriers(guide.transpose(1, 2).flatten(1) / GUIDE_GAIN, noise.transpose(1, 2).flatten(1))
        features = _features(log_mel, carriers)
        if kept is None:
            return self._weighed(features, self.hidden(features), carriers)
        near = slice(max(0, kept.start - NEAR_FRAMES), kept.stop + NEAR_FRAMES)
        waveform = self._weighed(features[:, near], self.hidden(features)[:, near], carriers[:, :, near])
        return waveform[..., (kept.start - near.start) * HOP : (kept.stop - near.start) * HOP]

    def _weighed(self, features: Tensor, hidden: Tensor, carriers: Tensor) -> Tensor:
        """The carriers' sum, with the weights that the networks give them: (batch, 1, frames * 256)."""
        gains, rotations = self.weigh(features, hidden, carriers)
        pitched = _turned(carriers[:, :PITCHED], gains[:, :PITCHED], rotations)
        noisy = carriers[:, PITCHED:] * gains[:, PITCHED:].unsqueeze(-2)
        return self.carriers.stft.inverse(pitched.sum(1) + noisy.sum(1))[:, None]

    def weigh(self, features: Tensor, hidden: Tensor, carriers: Tensor) -> tuple[Tensor, Tensor]:
        """Gains (batch, CARRIERS, frames, 513), rotations in radians (batch, PITCHED, ...)."""
        values = self.leave(hidden)
        log_gains = values[..., : -PITCHED * N_BINS].unflatten(-1, (CARRIERS, -1)).transpose(1, 2)
        rotations = values[..., -PITCHED * N_BINS :].unflatten(-1, (PITCHED, N_BINS)).transpose(1, 2)
        if self.config.gain_bands:
            log_gains = log_gains @ self.hats
        if self.bins is not None:
            levels = features[..., N_MELS:].unflatten(-1, (2, N_BINS)).transpose(1, 2)
            log_gain, rotation = self.bins(log_gains, rotations, levels, carriers).split([CARRIERS, PITCHED], dim=1)
            log_gains, rotations = log_gains + log_gain, rotations + rotation
        return log_gains.clamp(MIN_LOG_GAIN, MAX_LOG_GAIN).exp(), rotations

    def hidden(self, features: Tensor) -> Tensor:
        """Of the network over frames, before its last layer: (batch, frames, channels)."""
        x = self.enter(features.transpose(1, 2)).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


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
