"""The HiFi-GAN generator (Kong, Kim & Bae 2020): log mel (batch, bands, frames) -> waveform (batch, 1, frames * hop).

    mel -> conv_pre -> [ leaky ReLU -> transposed conv (x u) -> mean of residual blocks ] per rate u -> conv_post -> tanh
                                                  ^ + conv of the guide, where there is one

With an iSTFT head (iSTFTNet, Kaneko et al. 2022) conv_post gives log magnitudes and phases instead, at the rate the upsamplings
have reached, and a short inverse STFT makes the rest. Parameter names are those of jik876/hifi-gan with weight normalisation
folded, so that its checkpoints load; see `vocoders.checkpoints.checkpoint`. Tensors only: nothing here reads files or chooses
devices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vocoders.hifigan.generator_input import INPUT_CHANNELS, WITH_AMPLITUDE, WITH_GUIDE
from vocoders.hifigan.guide import ITERATIONS
from vocoders.mel import HOP, N_MELS
from vocoders.phase.inverse_stft import inverse_stft

SLOPE = 0.1  # of every leaky ReLU but the last
MAX_HOP = 2048
LAST_SLOPE = 0.01  # the original calls leaky_relu without its constant before conv_post; trained weights rely on it


@dataclass(frozen=True)
class HiFiGANConfig:
    """The shape of a generator, with the names of the original's config.json.

    Errors: ValueError naming the bad value and what is allowed.
    """

    resblock: int  # 1: two convolutions per dilation, 2: one
    upsample_rates: tuple[int, ...]  # their product, with the head's hop, is the mel's
    upsample_kernel_sizes: tuple[int, ...]
    upsample_initial_channel: int  # halved at every upsampling
    resblock_kernel_sizes: tuple[int, ...]
    resblock_dilation_sizes: tuple[tuple[int, ...], ...]
    input_channels: int = (
        N_MELS  # the mel's bands; of this project also 593 and 336, see `vocoders.hifigan.generator_input`
    )
    slope: float = SLOPE  # of every leaky ReLU but the last
    edges: Literal["zeros", "reflect"] = "zeros"  # what convolutions find beyond the ends; speechbrain's reflect
    post_bias: bool = True  # whether conv_post has one
    istft_n_fft: int = 0  # of an iSTFT head, samples; 0: none
    istft_hop: int = 1  # of an iSTFT head, samples

    family = "hifigan"
    guide_iterations = ITERATIONS
    margin_frames = 0
    tail = 0  # samples that the waveform is shorter than frames * hop

    def __post_init__(self) -> None:
        require(self.resblock in (1, 2), "resblock", self.resblock, "1 or 2")
        factors = 1 <= len(self.upsample_rates) <= 8 and all(rate > 0 for rate in self.upsample_rates)
        require(
            factors and self.hop <= MAX_HOP, "upsample_rates", self.upsample_rates, f"factors of a hop up to {MAX_HOP}"
        )
        stages = len(self.upsample_rates)
        fits = len(self.upsample_kernel_sizes) == stages and all(
            rate <= kernel <= 64 and (kernel - rate) % 2 in (0, kernel == 2 * rate)
            for rate, kernel in zip(self.upsample_rates, self.upsample_kernel_sizes)
        )
        allowed = "one per rate, rate + an even number or twice the rate, <= 64"
        require(fits, "upsample_kernel_sizes", self.upsample_kernel_sizes, allowed)
        channels = self.upsample_initial_channel
        require(
            channels % 2**stages == 0 and 2**stages <= channels <= 2048,
            "upsample_initial_channel",
            channels,
            f"a multiple of {2**stages} up to 2048",
        )
        kernels = self.resblock_kernel_sizes
        odd = 1 <= len(kernels) <= 8 and all(k % 2 == 1 and 1 <= k <= 31 for k in kernels)
        require(odd, "resblock_kernel_sizes", kernels, "up to 8 odd numbers up to 31")
        dilations = self.resblock_dilation_sizes
        each = len(dilations) == len(kernels) and all(
            1 <= len(row) <= 8 and all(1 <= d <= 64 for d in row) for row in dilations
        )
        own = self.input_channels in INPUT_CHANNELS and self.hop == HOP
        require(own or 1 <= self.input_channels <= 512, "input_channels", self.input_channels, "1 to 512, or 593")
        require(each, "resblock_dilation_sizes", dilations, "one list per kernel, 1 to 8 numbers from 1 to 64")
        require(0 <= self.slope < 1, "slope", self.slope, "0 up to 1")
        require(self.edges in ("zeros", "reflect"), "edges", self.edges, "zeros or reflect")
        head = self.istft_n_fft == 0 or (self.istft_n_fft % 2 == 0 and 2 * self.istft_hop <= self.istft_n_fft <= 64)
        require(head, "istft_n_fft", self.istft_n_fft, "0, or an even number from twice istft_hop to 64")
        require(self.istft_hop == 1 or self.istft_n_fft > 0, "istft_hop", self.istft_hop, "1 without an iSTFT head")

    @property
    def hop(self) -> int:
        """Samples per frame."""
        return math.prod(self.upsample_rates) * self.istft_hop

    @property
    def bands(self) -> int:
        """Of the mel."""
        return N_MELS if self.is_enriched else self.input_channels

    @property
    def is_enriched(self) -> bool:
        """Whether something stands beside the mel, see `vocoders.hifigan.generator_input`."""
        return self.input_channels in (WITH_AMPLITUDE, WITH_GUIDE) and self.hop == HOP

    @property
    def is_guided(self) -> bool:
        return self.input_channels == WITH_GUIDE and self.hop == HOP

    def build(self) -> Generator:
        return Generator(self)

    @property
    def multiply_adds(self) -> int:
        return multiply_adds(self)

    @property
    def frame_channels(self) -> int:
        """Of the input, those of `conv_pre`: all but a guide's samples."""
        return N_MELS if self.is_guided else self.input_channels

    @property
    def guide_kernels(self) -> tuple[tuple[int, int], ...]:
        """Per upsampling, of a guided generator: (length, stride) in samples of the layer that adds the guide there."""
        if not self.is_guided:
            return ()
        strides = [HOP // math.prod(self.upsample_rates[: stage + 1]) for stage in range(len(self.upsample_rates))]
        return tuple((max(2 * stride, stride + 6), stride) for stride in strides)

    @property
    def receptive_fields(self) -> tuple[int, ...]:
        """Per upsampling: how many of its output samples away one can still change a sample of the waveform."""
        head = -(-self.istft_n_fft // self.istft_hop) + 1 if self.istft_n_fft else 0
        blocks = max(
            sum((size - 1) // 2 * (dilation + (1 if self.resblock == 1 else 0)) for dilation in dilations)
            for size, dilations in zip(self.resblock_kernel_sizes, self.resblock_dilation_sizes)
        )
        return receptive_fields(self, 3 + head, blocks)  # of conv_post, in samples, or frames of the head

    @property
    def context(self) -> int:
        """Receptive field to each side, in mel frames."""
        return before_upsampling(self, 0, self.receptive_fields[0]) + 3  # of conv_pre


def receptive_fields(config: Any, last: int, blocks: int) -> tuple[int, ...]:
    """Those of a configuration with `upsample_rates` and `upsample_kernel_sizes`. last: reach of what follows the last blocks;
    blocks: reach of the blocks behind one upsampling; both in samples to one side."""
    reach, found = last, []
    for stage in reversed(range(len(config.upsample_rates))):
        found.append(reach + blocks)
        reach = before_upsampling(config, stage, reach + blocks)
    return tuple(reversed(found))


def before_upsampling(config: Any, stage: int, reach: int) -> int:
    """A reach in output samples of an upsampling, in samples of its input."""
    rate, kernel = config.upsample_rates[stage], config.upsample_kernel_sizes[stage]
    return (reach + (kernel + rate + 1) // 2 - 1) // rate


def require(condition: bool, name: str, value: object, allowed: str) -> None:
    """Errors: ValueError naming the bad value and what is allowed, unless the condition holds."""
    if not condition:
        raise ValueError(f"{name} is {value}; allowed: {allowed}")


_DILATIONS_1 = ((1, 3, 5),) * 3
V1 = HiFiGANConfig(1, (8, 8, 2, 2), (16, 16, 4, 4), 512, (3, 7, 11), _DILATIONS_1)
V2 = HiFiGANConfig(1, (8, 8, 2, 2), (16, 16, 4, 4), 128, (3, 7, 11), _DILATIONS_1)
V3 = HiFiGANConfig(2, (8, 8, 4), (16, 16, 8), 256, (3, 5, 7), ((1, 2), (2, 6), (3, 12)))


class ResidualBlock1(nn.Module):
    """Per dilation: x + conv(leaky(dilated conv(leaky x)))."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...], config: HiFiGANConfig) -> None:
        super().__init__()
        self.slope = config.slope
        self.convs1 = nn.ModuleList(_same_conv(channels, kernel, dilation, config.edges) for dilation in dilations)
        self.convs2 = nn.ModuleList(_same_conv(channels, kernel, 1, config.edges) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        for dilated, plain in zip(self.convs1, self.convs2):
            x = x + plain(F.leaky_relu(dilated(F.leaky_relu(x, self.slope)), self.slope))
        return x


class ResidualBlock2(nn.Module):
    """Per dilation: x + dilated conv(leaky x)."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...], config: HiFiGANConfig) -> None:
        super().__init__()
        self.slope = config.slope
        self.convs = nn.ModuleList(_same_conv(channels, kernel, dilation, config.edges) for dilation in dilations)

    def forward(self, x: Tensor) -> Tensor:
        for dilated in self.convs:
            x = x + dilated(F.leaky_relu(x, self.slope))
        return x


def _same_conv(channels: int, kernel: int, dilation: int, edges: str) -> nn.Conv1d:
    padding = dilation * (kernel - 1) // 2
    return nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=padding, padding_mode=edges)


def _upsampling(channels: int, kernel: int, rate: int) -> nn.ConvTranspose1d:
    """Exactly `rate` samples of one. Where kernel - rate is odd, kan-bayashi's way: one more off the left."""
    padding = (kernel - rate + 1) // 2
    return nn.ConvTranspose1d(
        channels, channels // 2, kernel, rate, padding=padding, output_padding=2 * padding - (kernel - rate)
    )


class Generator(nn.Module):
    """Input (batch, input_channels, frames) -> waveform (batch, 1, frames * hop), in (-1, 1) but for an iSTFT head.

    A guided one also receives its guide after every upsampling, through one convolution that brings it to that rate.
    """

    def __init__(self, config: HiFiGANConfig) -> None:
        super().__init__()
        self.config = config
        block = ResidualBlock1 if config.resblock == 1 else ResidualBlock2
        channels = config.upsample_initial_channel
        self.conv_pre = nn.Conv1d(config.frame_channels, channels, 7, padding=3, padding_mode=config.edges)
        self.ups = nn.ModuleList()
        self.guides = nn.ModuleList()
        self.resblocks = nn.ModuleList()
        for rate, kernel in zip(config.upsample_rates, config.upsample_kernel_sizes):
            self.ups.append(_upsampling(channels, kernel, rate))
            channels //= 2
            for size, dilations in zip(config.resblock_kernel_sizes, config.resblock_dilation_sizes):
                self.resblocks.append(block(channels, size, dilations, config))
        for stage, (kernel, stride) in enumerate(config.guide_kernels):
            width = config.upsample_initial_channel // 2 ** (stage + 1)
            self.guides.append(nn.Conv1d(1, width, kernel, stride, padding=(kernel - stride) // 2, bias=False))
        outputs = config.istft_n_fft + 2 if config.istft_n_fft else 1
        self.conv_post = nn.Conv1d(channels, outputs, 7, padding=3, bias=config.post_bias, padding_mode=config.edges)

    def forward(self, features: Tensor) -> Tensor:
        guide = None
        if self.guides:
            features, guide = features.split((self.config.frame_channels, HOP), dim=1)
            guide = guide.transpose(1, 2).flatten(1)[:, None]  # in time again: (batch, 1, samples)
        x = self.conv_pre(features)
        parallel = len(self.config.resblock_kernel_sizes)
        for stage, upsample in enumerate(self.ups):
            x = upsample(F.leaky_relu(x, self.config.slope))
            if guide is not None:
                x = x + self.guides[stage](guide)
            blocks = self.resblocks[stage * parallel : (stage + 1) * parallel]
            x = sum(block(x) for block in blocks) / parallel
        x = F.leaky_relu(x, LAST_SLOPE)
        return self._istft(x) if self.config.istft_n_fft else torch.tanh(self.conv_post(x))

    def _istft(self, x: Tensor) -> Tensor:
        """The head of iSTFTNet: exp and sine of conv_post's channels are magnitudes and phases, one frame more than x."""
        n_fft, hop = self.config.istft_n_fft, self.config.istft_hop
        magnitude, phase = self.conv_post(F.pad(x, (1, 0), mode="reflect")).split(n_fft // 2 + 1, dim=1)
        return inverse_stft(magnitude.exp(), phase.sin(), n_fft, hop, trim=n_fft // 2)


def parameter_count(config) -> int:
    """Learned numbers of a generator of any family, without allocating one."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in config.build().parameters())


def multiply_adds(config: HiFiGANConfig) -> int:
    """Multiplications with addition that a forward pass takes per mel frame."""
    channels, rate = config.upsample_initial_channel, 1
    total = config.frame_channels * channels * 7
    convolutions = sum(
        size * len(dilations) * (2 if config.resblock == 1 else 1)
        for size, dilations in zip(config.resblock_kernel_sizes, config.resblock_dilation_sizes)
    )
    for factor, kernel in zip(config.upsample_rates, config.upsample_kernel_sizes):
        total += channels * (channels // 2) * kernel * rate
        channels, rate = channels // 2, rate * factor
        total += channels**2 * convolutions * rate
    total += sum(
        config.upsample_initial_channel // 2 ** (stage + 1) * kernel * HOP // stride
        for stage, (kernel, stride) in enumerate(config.guide_kernels)
    )
    return total + channels * 7 * rate * (config.istft_n_fft + 2 if config.istft_n_fft else 1)
