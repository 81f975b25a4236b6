"""Bands of the mel scale between whose centres a network's gains are interpolated."""

from __future__ import annotations

import torch
from torch import Tensor

from vocoders.audio import SAMPLE_RATE
from vocoders.mel import N_BINS, N_FFT, hz_to_mel


def hats(bands: int) -> Tensor:
    """(bands, 513): triangles over the bins, whose centres are evenly spaced in HTK mel from 0 Hz to 11 kHz, and whose sum is 1."""
    mel = torch.tensor(
        [hz_to_mel(n * SAMPLE_RATE / N_FFT, "htk") for n in range(N_BINS)], dtype=torch.float32, device="cpu"
    )
    place = mel / mel[-1] * (bands - 1)
    return (1 - (place - torch.arange(bands, device="cpu")[:, None]).abs()).clamp(min=0)
