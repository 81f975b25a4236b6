"""The BigVGAN generator (Lee et al. 2023), versions 1 and 2: log mel (batch, bands, frames) -> waveform (batch, 1, frames * hop).

    mel -> conv_pre -> [ transposed conv (x u) -> mean of residual blocks of snakes ] per rate u -> snake -> conv_post -> tanh

Version 2 has no bias at the end and clips instead of tanh. Parameter names are those of NVIDIA/BigVGAN with weight normalisation
folded. Tensors only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from vocoders.bigvgan.activations import REACH, TAPS, AntiAliased, Snake
from vocoders.hifigan.generator import MAX_HOP, before_upsampling, receptive_fields, require


@dataclass(frozen=True)
class BigVGANConfig:
    """The shape of a generator, with the names of the original's config.json. Errors: ValueError."""

    resblock: int  # 1: two convolutions per dilation, 2: one
    upsample_rates: tuple[int, ...]  # their product is the hop
    upsample_kernel_sizes: tuple[int, ...]
    upsample_initial_channel: int  # halved at every upsampling
    resblock_kernel_sizes: tuple[int, ...]
    resblock_dilation_sizes: tuple[tuple[int, ...], ...]
    bands: int  # of the mel
    activation: Literal["snake", "snakebeta"] = "snakebeta"
    snake_logscale: bool = True
    use_tanh_at_final: bool = True
    use_bias_at_final: bool = True

    family = "bigvgan"
    tail = 0
    is_enriched = False
    is_guided = False
    guide_iterations = 0

    def __post_init__(self) -> None:
        require(self.resblock in (1, 2), "resblock", self.resblock, "1 or 2")
        stages = len(self.upsample_rates)
        rates = 1 <= stages <= 10 and all(rate > 0 for rate in self.upsample_rates) and self.hop <= MAX_HOP
        require(rates, "upsample_rates", self.upsample_rates, f"factors of a hop up to {MAX_HOP}")
        fits = len(self.upsample_kernel_sizes) == stages and all(
            rate <= kernel <= 64 and (kernel - rate) % 2 == 0
            for rate, kernel in zip(self.upsample_rates, self.upsample_kernel_sizes)
        )
        require(fits, "upsample_kernel_sizes", self.upsample_kernel_sizes, "one per rate, rate + an even number, <= 64")
        channels, step = self.upsample_initial_channel, 2**stages
        allowed = f"a multiple of {step} up to 2048"
        require(channels % step == 0 and step <= channels <= 2048, "upsample_initial_channel", channels, allowed)
        kernels, dilations = self.resblock_kernel_sizes, self.resblock_dilation_sizes
        odd = 1 <= len(kernels) <= 8 and all(k % 2 == 1 and 1 <= k <= 31 for k in kernels)
        require(odd, "resblock_kernel_sizes", kernels, "up to 8 odd numbers up to 31")
        each = len(dilations) == len(kernels) and all(
            1 <= len(row) <= 8 and all(1 <= d <= 64 for d in row) for row in dilations
        )
        require(each, "resblock_dilation_sizes", dilations, "one list per kernel, 1 to 8 numbers from 1 to 64")
        require(1 <= self.bands <= 512, "num_mels", self.bands, "1 to 512")
        require(self.activation in ("snake", "snakebeta"), "activation", self.activation, "snake or snakebeta")

    @property
    def input_channels(self) -> int:
        """The mel's bands: nothing stands beside it."""
        return self.bands

    @property
    def hop(self) -> int:
        """Samples per frame."""
        return math.prod(self.upsample_rates)

    @property
    def receptive_fields(self) -> tuple[int, ...]:
        """Per upsampling: how many of its output samples away one can still change a sample of the waveform."""
        convolutions = 2 if self.resblock == 1 else 1
        blocks = max(
            sum((size - 1) // 2 * (dilation + convolutions - 1) + convolutions * REACH for dilation in dilations)
            for size, dilations in zip(self.resblock_kernel_sizes, self.resblock_dilation_sizes)
        )
        return receptive_fields(self, 3 + REACH, blocks)  # of conv_post and the snake before it

    @property
    def context(self) -> int:
        """Receptive field to each side, in mel frames."""
        return before_upsampling(self, 0, self.receptive_fields[0]) + 3  # of conv_pre

    @property
    def multiply_adds(self) -> int:
        """Multiplications with addition that a forward pass takes per mel frame."""
        channels, rate = self.upsample_initial_channel, 1
        total = self.bands * channels * 7
        convolutions = 2 if self.resblock == 1 else 1
        layers = [
            (size, convolutions * len(row))
            for size, row in zip(self.resblock_kernel_sizes, self.resblock_dilation_sizes)
        ]
        for factor, kernel in zip(self.upsample_rates, self.upsample_kernel_sizes):
            total += channels * (channels // 2) * kernel * rate
            channels, rate = channels // 2, rate * factor
            total += sum(count * (channels * size + 2 * TAPS) for size, count in layers) * channels * rate
        return total + channels * (7 + 2 * TAPS) * rate

    def build(self) -> BigVGAN:
        return BigVGAN(self)


class _Block(nn.Module):
    """Per dilation: x + conv(snake(dilated conv(snake x))), or with one convolution x + dilated conv(snake x)."""

    def __init__(self, config: BigVGANConfig, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.is_double = config.resblock == 1
        first = nn.ModuleList(_same_conv(channels, kernel, dilation) for dilation in dilations)
        if self.is_double:
            self.convs1, self.convs2 = first, nn.ModuleList(_same_conv(channels, kernel, 1) for _ in dilations)
        else:
            self.convs = first
        count = len(dilations) * (2 if self.is_double else 1)
        self.activations = nn.ModuleList(_snake(config, channels) for _ in range(count))

    def forward(self, x: Tensor) -> Tensor:
        if self.is_double:
            pairs = zip(self.convs1, self.convs2, self.activations[::2], self.activations[1::2])
            for dilated, plain, before, between in pairs:
                x = x + plain(between(dilated(before(x))))
            return x
        for dilated, before in zip(self.convs, self.activations):
            x = x + dilated(before(x))
        return x


def _same_conv(channels: int, kernel: int, dilation: int) -> nn.Conv1d:
    return nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=dilation * (kernel - 1) // 2)


def _snake(config: BigVGANConfig, channels: int) -> AntiAliased:
    return AntiAliased(Snake(channels, config.activation == "snakebeta", config.snake_logscale), channels)


class BigVGAN(nn.Module):
    """Log mel (batch, bands, frames) -> waveform (batch, 1, frames * hop) in [-1, 1]."""

    def __init__(self, config: BigVGANConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.upsample_initial_channel
        self.conv_pre = nn.Conv1d(config.bands, channels, 7, padding=3)
        self.ups, self.resblocks = nn.ModuleList(), nn.ModuleList()
        for rate, kernel in zip(config.upsample_rates, config.upsample_kernel_sizes):
            upsampling = nn.ConvTranspose1d(channels, channels // 2, kernel, rate, padding=(kernel - rate) // 2)
            self.ups.append(nn.ModuleList([upsampling]))
            channels //= 2
            for size, dilations in zip(config.resblock_kernel_sizes, config.resblock_dilation_sizes):
                self.resblocks.append(_Block(config, channels, size, dilations))
        self.activation_post = _snake(config, channels)
        self.conv_post = nn.Conv1d(channels, 1, 7, padding=3, bias=config.use_bias_at_final)

    def forward(self, mel: Tensor) -> Tensor:
        x = self.conv_pre(mel)
        parallel = len(self.config.resblock_kernel_sizes)
        for stage, (upsampling,) in enumerate(self.ups):
            x = upsampling(x)
            x = sum(block(x) for block in self.resblocks[stage * parallel : (stage + 1) * parallel]) / parallel
        x = self.conv_post(self.activation_post(x))
        return torch.tanh(x) if self.config.use_tanh_at_final else x.clamp(-1.0, 1.0)
