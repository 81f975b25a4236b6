"""The waveform that a guided generator is given beside the mel: Griffin-Lim from that same mel.

A generator without it has no phase to go by. Where the mel stands still it can only repeat itself with the hop, and a held
note has F0 jitter; the guide supplies the phase of every partial, and the generator shapes the spectrum. It adds nothing that is
not in the mel: four overlapping windows of magnitudes cover every instant, and Griffin-Lim finds the phases that agree with
them. (Waveforms of sines as a generator's second input: Wang, Takaki & Yamagishi 2019; they need an F0 track, this one
does not, and chords and breath have their guide too.)
"""

from __future__ import annotations

import numpy as np

from vocoders.features import Features, invert
from vocoders.mel import HOP
from vocoders.phase.chunks import OVERLAP_FRAMES, chunks, fades
from vocoders.phase.griffin_lim import griffin_lim
from vocoders.phase.stft import stft

VERSION = 3  # of all that follows and what it uses: packs keep guides, and know old ones by it
ITERATIONS = 192  # of Griffin-Lim; with 32 the guide itself has F0 jitter, with 96 its level on held notes still has a little flutter
FULL_BAND_ITERATIONS = (
    32  # where there are more than that, so many of all bins come after all of them on the low band alone
)
MAX_ITERATIONS = 1024  # that a generator may ask for
_KNOWN = OVERLAP_FRAMES - 4  # frames that a chunk takes over; windows of the last ones reach beyond what it knows


class Guide:
    """The guide of a recording, made as far as it is asked for. Deterministic.

    A chunk begins with what the one before ended with, so that partials run on.
    """

    def __init__(self, log_mel: np.ndarray, iterations: int = ITERATIONS) -> None:
        """log_mel: log hw2 mel (80, frames)."""
        self._mel, self._iterations = log_mel, iterations
        self._frames = log_mel.shape[1]
        self._samples = np.zeros(self._frames * HOP, dtype=np.float32)
        self._chunks = iter(chunks(self._frames))
        self._known: np.ndarray | None = None  # STFT of what the next chunk begins with
        self._ready = 0  # frames that no chunk will change any more

    def between(self, start: int, stop: int) -> np.ndarray:
        """((stop - start) * 256,) float32, of the frames from start up to stop. Errors: ValueError beyond the last one."""
        if stop > self._frames:
            raise ValueError(f"the mel has {self._frames} frames; there is no guide up to {stop}")
        while self._ready < stop:
            self._make(*next(self._chunks))
        return self._samples[start * HOP : stop * HOP]

    def _make(self, start: int, stop: int) -> None:
        magnitude = invert(Features("hw2 mel", np.exp(self._mel[:, start:stop]))).values
        part = griffin_lim(
            magnitude,
            iterations=min(self._iterations, FULL_BAND_ITERATIONS),
            low_band_iterations=self._iterations if self._iterations > FULL_BAND_ITERATIONS else 0,
            beginning=self._known,
        )
        self._known = stft(part[-OVERLAP_FRAMES * HOP :])[:_KNOWN]
        self._samples[start * HOP : stop * HOP] += part * fades(start, stop, self._frames)
        self._ready = stop if stop == self._frames else stop - OVERLAP_FRAMES


def guide_of(log_mel: np.ndarray, iterations: int = ITERATIONS) -> np.ndarray:
    """All of it: log hw2 mel (80, frames) -> waveform (frames * 256,) float32."""
    return Guide(log_mel, iterations).between(0, log_mel.shape[1])
