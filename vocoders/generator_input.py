"""What a generator's first layer sees: the log mel, or the log mel on top of its own inversion to 513 bins.

The inversion adds nothing that is not in the mel; it spells out what 80 bands say about where partials lie, so that the
network need not learn it (Lv et al. 2024, "FreeV"). Only `conv_pre` grows.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vocoders.inversion import invert_mel_tensor
from vocoders.mel import LOG_FLOOR, N_BINS, N_MELS, MelRecipe

WITH_AMPLITUDE = N_MELS + N_BINS  # input channels of a generator that gets both
INPUT_CHANNELS = (N_MELS, WITH_AMPLITUDE)


def generator_input(log_mel: Tensor, channels: int, recipe: MelRecipe) -> Tensor:
    """Log mel (..., 80, frames) -> (..., channels, frames): itself, and for 593 channels the log amplitude of its
    inversion below. Every frame depends on its own frame of the mel alone.

    Errors: ValueError for another number of channels.
    """
    if channels not in INPUT_CHANNELS:
        raise ValueError(f"a generator has {' or '.join(map(str, INPUT_CHANNELS))} input channels, not {channels}")
    if channels == N_MELS:
        return log_mel
    amplitude = invert_mel_tensor(log_mel.exp(), recipe).clamp(min=LOG_FLOOR).log()
    return torch.cat([log_mel, amplitude], dim=-2)
