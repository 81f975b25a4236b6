"""What each bin's neighbourhood adds to the weights of the carriers: a small network over bins and frames.

The network over frames has a few hundred numbers for all 513 bins of a frame: too few for the phases of every bin, or for the level of a
single partial. This one has the same weights in every bin, and is given phases that are comparable between bins:
those of the nonlinear carriers against the guide's, and the guide's own against the bin below and against the frame before, there
less what a steady sinusoid at the bin's centre would have.

Source of the two differences: instantaneous frequency and group delay, Flanagan & Golden 1966 ("Phase vocoder") and Auger &
Flandrin 1995.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vocoders.harmonic_noise.carriers import CARRIERS, PITCHED, power
from vocoders.mel import HOP, N_BINS, N_FFT

KERNEL = 3  # bins and frames
REACH_FRAMES = 3 * (KERNEL // 2)  # to either side: three layers
PHASES = 2 * (PITCHED - 1) + 2 * 2  # a cosine and a sine each
MAPS = CARRIERS + PITCHED + 2 + PHASES  # of its input, beside the weights two levels
OUTPUTS = CARRIERS + PITCHED
INITIAL_DEVIATION = 0.01  # of the last layer's weights
LOG_GAIN_SCALE = 4.0  # of gains in its input, to about -1 to 1
POWER_FLOOR = 1e-12  # of what a phase is taken of


def multiply_adds_per_bin(channels: int) -> int:
    """Of every bin of a frame."""
    return KERNEL**2 * channels * (MAPS + channels + OUTPUTS)


class BinNetwork(nn.Module):
    """Weights and levels per bin -> what is added to the weights, (batch, CARRIERS + PITCHED, frames, 513)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(MAPS, channels, KERNEL, padding=KERNEL // 2)
        self.mix = nn.Conv2d(channels, channels, KERNEL, padding=KERNEL // 2)
        self.leave = nn.Conv2d(channels, OUTPUTS, KERNEL, padding=KERNEL // 2)
        if not self.leave.weight.is_meta:  # as of the other network's last layer
            nn.init.normal_(self.leave.weight, 0.0, INITIAL_DEVIATION)
            nn.init.zeros_(self.leave.bias)
        turns = torch.arange(N_BINS, device="cpu") * (2 * torch.pi * HOP / N_FFT)
        self.register_buffer("advance", torch.stack([turns.cos(), turns.sin()]), persistent=False)  # in a hop
        self.to(memory_format=torch.channels_last)  # so few channels take a third of the time of the other layout

    def forward(self, log_gains: Tensor, rotations: Tensor, levels: Tensor, carriers: Tensor) -> Tensor:
        """log_gains (batch, CARRIERS, frames, 513); rotations (batch, PITCHED, ...); levels (batch, 2, ...), logarithmic;
        carriers (batch, CARRIERS, frames, 2, 513)."""
        maps = [log_gains / LOG_GAIN_SCALE + 0.5, rotations, levels, self.phases(carriers)]
        x = torch.cat(maps, dim=1).contiguous(memory_format=torch.channels_last)
        x = F.gelu(self.enter(x))
        return self.leave(x + F.gelu(self.mix(x)))

    def phases(self, carriers: Tensor) -> Tensor:
        """Cosines and sines: (batch, PHASES, frames, 513)."""
        guide, *others = (_unit(carriers[:, index]) for index in range(PITCHED))
        before = F.pad(guide[:, :-1], (0, 0, 0, 0, 1, 0))
        below = F.pad(guide[..., :-1], (1, 0))
        differences = [
            *(_against(other, guide) for other in others),
            _against(_against(guide, before), self.advance),
            _against(guide, below),
        ]
        return torch.cat(differences, dim=2).transpose(1, 2)


def _unit(spectrum: Tensor) -> Tensor:
    """(..., 2, bins) of absolute value 1, or less where there is next to nothing."""
    return spectrum * (power(spectrum) + POWER_FLOOR).rsqrt()


def _against(a: Tensor, b: Tensor) -> Tensor:
    """a times the conjugate of b, (..., 2, bins)."""
    (a_real, a_imaginary), (b_real, b_imaginary) = a.unbind(-2), b.unbind(-2)
    real = a_real * b_real + a_imaginary * b_imaginary
    return torch.stack([real, a_imaginary * b_real - a_real * b_imaginary], dim=-2)
