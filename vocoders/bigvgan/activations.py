"""Periodic activations without aliasing: twice the rate, the activation, half the rate again.

    snake       x + sin^2(alpha x) / alpha            Ziyin, Hartwig & Ueda 2020
    snakebeta   x + sin^2(alpha x) / beta             Lee et al. 2023 (BigVGAN)

A harmonic that an activation creates above half the rate would fold back; at twice the rate it has room, and the low-pass filter
of the way down removes it (Karras et al. 2021). The filters are Kaiser-windowed sincs of 12 taps. Names of parameters and
buffers are those of NVIDIA/BigVGAN.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

TAPS = 12  # of both filters
REACH = TAPS // 2  # input samples to each side on which an output sample of `AntiAliased` depends
TINY = 1e-9  # keeps a division by an alpha of 0 finite, as in the original


def kaiser_sinc(cutoff: float, half_width: float, taps: int = TAPS) -> np.ndarray:
    """Low-pass filter (taps,) float32 of sum 1; cutoff and half the width of the transition in cycles per sample.

    The window's shape follows from attenuation = 2.285 (taps / 2 - 1) pi 4 half_width + 7.95 dB (Kaiser 1974).
    """
    attenuation = 2.285 * (taps // 2 - 1) * math.pi * 4 * half_width + 7.95
    if attenuation > 50:
        beta = 0.1102 * (attenuation - 8.7)
    else:
        beta = 0.5842 * max(attenuation - 21, 0) ** 0.4 + 0.07886 * max(attenuation - 21, 0)
    time = np.arange(taps) - (taps - 1) / 2
    filter_ = np.kaiser(taps, beta) * np.sinc(2 * cutoff * time)
    return (filter_ / filter_.sum()).astype(np.float32)


class Snake(nn.Module):
    """(batch, channels, samples), any range. has_beta: snakebeta. log_scale: parameters are logarithms."""

    def __init__(self, channels: int, has_beta: bool, log_scale: bool) -> None:
        super().__init__()
        self.log_scale = log_scale
        start = torch.zeros if log_scale else torch.ones
        self.alpha = nn.Parameter(start(channels))
        if has_beta:
            self.beta = nn.Parameter(start(channels))

    def forward(self, x: Tensor) -> Tensor:
        alpha = self._scaled(self.alpha)
        beta = self._scaled(self.beta) if hasattr(self, "beta") else alpha
        return x + torch.sin(x * alpha).square() / (beta + TINY)

    def _scaled(self, parameter: Tensor) -> Tensor:
        return (parameter.exp() if self.log_scale else parameter)[:, None]


class Upsample(nn.Module):
    """(batch, channels, n) -> (batch, channels, 2n); the ends are repeated."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.register_buffer("filter", torch.from_numpy(kaiser_sinc(0.25, 0.3))[None, None])

    def forward(self, x: Tensor) -> Tensor:
        pad, kernel = TAPS // 2 - 1, self.filter.expand(self.channels, -1, -1)
        y = 2 * F.conv_transpose1d(F.pad(x, (pad, pad), mode="replicate"), kernel, stride=2, groups=self.channels)
        excess = 2 * pad + (TAPS - 2) // 2
        return y[..., excess:-excess]


class LowPass(nn.Module):
    """(batch, channels, 2n) -> (batch, channels, n); the ends are repeated."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.register_buffer("filter", torch.from_numpy(kaiser_sinc(0.25, 0.3))[None, None])

    def forward(self, x: Tensor) -> Tensor:
        padded = F.pad(x, (TAPS // 2 - 1, TAPS // 2), mode="replicate")
        return F.conv1d(padded, self.filter.expand(self.channels, -1, -1), stride=2, groups=self.channels)


class Downsample(nn.Module):
    """Halves the rate."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.lowpass = LowPass(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.lowpass(x)


class AntiAliased(nn.Module):
    """An activation at twice the rate: (batch, channels, n) -> the same shape."""

    def __init__(self, activation: nn.Module, channels: int) -> None:
        super().__init__()
        self.act = activation
        self.upsample = Upsample(channels)
        self.downsample = Downsample(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.downsample(self.act(self.upsample(x)))
