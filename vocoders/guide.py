"""The waveform that a guided generator is given beside the mel: Griffin-Lim from that same mel.

A generator without it has no phase to go by. Where the mel stands still it can only repeat itself with the hop, and a held
note trembles; the guide tells it where every partial is in its cycle, and leaves the sound to it. It adds nothing that is
not in the mel: four overlapping windows of magnitudes see every instant, and Griffin-Lim finds the phases that agree with
them. (Waveforms of sines as a generator's second input: Wang, Takaki & Yamagishi 2019; they need an F0 track, this one
does not, and chords and breath have their guide too.)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vocoders.features import Features, invert
from vocoders.griffin_lim import griffin_lim

ITERATIONS = 96  # with 32, the guide itself trembles


def guide_of(log_mel: np.ndarray, on_progress: Callable[[float], None] = lambda fraction: None) -> np.ndarray:
    """Log hw2 mel (80, frames) -> waveform (frames * 256,) float32. Deterministic."""
    magnitude = invert(Features("hw2 mel", np.exp(log_mel))).values
    return griffin_lim(magnitude, iterations=ITERATIONS, on_progress=on_progress)
