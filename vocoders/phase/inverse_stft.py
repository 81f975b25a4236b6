"""The inverse STFT at the end of a network, in real arithmetic: what torch.istft does, made of convolutions that every exchange
format knows.

Frame f is a sum of cosines and sines times a Hann window, added up at f * hop and divided by the sum of squared windows there
(Griffin & Lim 1984). A transposed convolution with those windowed cosines and sines as its kernels is just that.
"""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def inverse_stft(magnitude: Tensor, phase: Tensor, n_fft: int, hop: int, trim: int) -> Tensor:
    """Magnitude and phase in radians, (batch, bins, frames) -> (batch, 1, (frames - 1) * hop + n_fft - 2 * trim).

    trim: samples that are cut at each end; n_fft // 2 where frame i is centred on sample i * hop.
    """
    kernels, squared = (torch.from_numpy(a).to(magnitude.device, magnitude.dtype) for a in _kernels(n_fft))
    spectrum = torch.cat([magnitude * phase.cos(), magnitude * phase.sin()], dim=1)
    samples = F.conv_transpose1d(spectrum, kernels, stride=hop)
    weight = F.conv_transpose1d(torch.ones_like(magnitude[:, :1]), squared, stride=hop)
    return samples[..., trim:-trim] / weight[..., trim:-trim]


@functools.lru_cache(maxsize=8)
def _kernels(n_fft: int) -> tuple[np.ndarray, np.ndarray]:
    """(2 * bins, 1, n_fft): windowed cosines, then sines; and the squared window (1, 1, n_fft). float32."""
    angle = 2 * np.pi * np.outer(np.arange(n_fft // 2 + 1), np.arange(n_fft)) / n_fft
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    twice = np.full((n_fft // 2 + 1, 1), 2.0)  # for the bin and its mirror image; the first and last have none
    twice[[0, -1]] = 1.0
    kernels = np.concatenate([twice * np.cos(angle), -twice * np.sin(angle)]) * window / n_fft
    return kernels[:, None].astype(np.float32), np.square(window)[None, None].astype(np.float32)
