"""The input of a generator: the log mel, alone or with something that is worked out from it, which the network need not learn.

* 80 channels: the log mel.
* 593: on top of its own inversion to 513 bins, which spells out what 80 bands say about where partials lie (Lv et al.
  2024, "FreeV"). Only `conv_pre` grows.
* 336: on top of the guide of `vocoders.hifigan.guide`, a waveform, whose 256 samples per frame are as many channels. The generator
  lays them out in time again and adds them, filtered, at every upsampling.
* 592: on top of the guide and of noise, likewise, for `vocoders.harmonic_noise`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vocoders.mel import HOP, LOG_FLOOR, N_BINS, N_MELS, MelRecipe
from vocoders.phase.inversion import invert_mel_tensor

WITH_AMPLITUDE = N_MELS + N_BINS  # input channels of a generator that gets both
WITH_GUIDE = N_MELS + HOP
WITH_GUIDE_AND_NOISE = WITH_GUIDE + HOP
INPUT_CHANNELS = (N_MELS, WITH_AMPLITUDE, WITH_GUIDE)
GUIDE_GAIN = 8.0  # brings a voice to the size of the other numbers in a network; with less its layers learn more slowly


def generator_input(
    log_mel: Tensor, channels: int, recipe: MelRecipe, guide: Tensor | None = None, noise: Tensor | None = None
) -> Tensor:
    """Log mel (..., 80, frames), and for 336 channels its guide (..., frames * 256), for 592 noise as well -> (..., channels, frames).

    Every frame depends on its own frame of the mel, and of the guide, alone.
    Errors: ValueError for another number of channels, or a guide or noise missing.
    """
    known = (*INPUT_CHANNELS, WITH_GUIDE_AND_NOISE)
    if channels not in known:
        raise ValueError(f"a generator has {' or '.join(map(str, known))} input channels, not {channels}")
    if channels == N_MELS:
        return log_mel
    if channels in (WITH_GUIDE, WITH_GUIDE_AND_NOISE):
        if guide is None:
            raise ValueError("a guided generator needs a guide beside the mel")
        parts = [log_mel, GUIDE_GAIN * _by_frame(guide, log_mel)]
        if channels == WITH_GUIDE_AND_NOISE:
            if noise is None:
                raise ValueError("a harmonic-plus-noise generator needs noise beside the mel")
            parts.append(_by_frame(noise, log_mel))
        return torch.cat(parts, dim=-2)
    amplitude = invert_mel_tensor(log_mel.exp(), recipe).clamp(min=LOG_FLOOR).log()
    return torch.cat([log_mel, amplitude], dim=-2)


def _by_frame(waveform: Tensor, log_mel: Tensor) -> Tensor:
    """(..., frames * 256) -> (..., 256, frames)."""
    return waveform.unflatten(-1, (log_mel.shape[-1], HOP)).transpose(-1, -2)
