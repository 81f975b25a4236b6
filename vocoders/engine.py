"""Runs a HiFi-GAN generator on a mel of any length, in constant memory and with progress.

A sample depends on `context` mel frames to each side and no more, so a window with that much context gives the very
samples the whole mel would:

    mel      |----------------------------------------------|
    window        [context|====== kept ======|context]
    next                           [context|====== kept ======|context]

All windows have one length (at the ends they are shifted inwards, where the generator's own zero padding belongs):
transposed convolutions are slow whenever the length changes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import numpy as np
import torch

from vocoders.checkpoint import Checkpoint
from vocoders.features import Features, Kind
from vocoders.generator_input import generator_input
from vocoders.mel import HOP

KEPT_FRAMES = 128  # 1.5 s of audio per window

_LOG_MEL: dict[str, Kind] = {"hw2": "log hw2 mel", "hifigan": "log hifigan mel"}


class HiFiGANVocoder:
    """Log mel -> waveform, with the generator of one checkpoint; on the GPU where there is one."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.expects = _LOG_MEL[checkpoint.recipe.name]
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._generator = checkpoint.generator().to(self._device)
        self._context = checkpoint.config.context
        self._expand = functools.partial(
            generator_input, channels=checkpoint.config.input_channels, recipe=checkpoint.recipe
        )

    def __call__(self, features: Features, on_progress: Callable[[float], None] = lambda fraction: None) -> np.ndarray:
        """Features of the kind this model was trained on -> (frames * 256,) float32 in (-1, 1).

        Errors: `FeatureMismatch` for another kind.
        """
        mel = torch.from_numpy(features.require(self.expects, by="this HiFi-GAN"))[None]
        frames = mel.shape[-1]
        waveform = np.empty(frames * HOP, dtype=np.float32)
        for start, stop, first, last in windows(frames, KEPT_FRAMES, self._context):
            with torch.inference_mode():
                part = self._generator(self._expand(mel[..., start:stop].to(self._device)))[0, 0].cpu().numpy()
            waveform[first * HOP : last * HOP] = part[(first - start) * HOP : (last - start) * HOP]
            on_progress(last / frames)
        return waveform


def windows(frames: int, kept: int, context: int) -> Iterator[tuple[int, int, int, int]]:
    """(start, stop) of what is run and (first, last) of what is kept, in frames; the kept parts tile [0, frames)."""
    length = min(frames, kept + 2 * context)
    for first in range(0, frames, kept):
        last = min(first + kept, frames)
        start = min(max(first - context, 0), frames - length)
        yield start, start + length, first, last
