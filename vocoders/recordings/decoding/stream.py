"""What both decoders give: a file that is open, its blocks of samples, and what was noticed on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

_EXACT = ("pcm_", "alac", "dpcm_", "dwvw_", "flac", "wmalossless", "wavpack", "tta", "float", "double")  # begin so


class AudioError(ValueError):
    """A recording that cannot be used. The message is one sentence for the person who gave it."""


class Unreadable(Exception):
    """The decoder does not know this file; another one may. said: whether the reason is worth telling even then."""

    def __init__(self, reason: str, said: bool = False) -> None:
        super().__init__(reason)
        self.said = said


def is_lossless(codec: str) -> bool:
    """Of FFmpeg's name of a codec, or libsndfile's of a subtype."""
    return codec.lower().startswith(_EXACT) and "law" not in codec


@dataclass
class Stream:
    """A file being decoded.

    container: its name for people. rate: Hz. blocks: arrays (n, channels) float32 at that rate, full scale 1, until the
    decoder has no more; to be called once. promised: samples per channel that the header announces, None where it does not
    say. slack: samples by which an honest header may be off; rounding costs half a one. notices: clauses about what is wrong with the file; complete
    when the last block was taken. lossy: the codec's name, where what was encoded is not what is decoded.
    """

    container: str
    rate: int
    channels: int
    blocks: Callable[[], Iterator[np.ndarray]]
    promised: float | None = None
    slack: float = 0.5
    notices: list[str] = field(default_factory=list)
    lossy: str = ""

    def compare_with_promise(self, samples: int) -> None:
        """Notice when not as many samples came as were promised. To be called after the last block."""
        if self.promised is None or abs(samples - self.promised) <= self.slack:
            return
        if abs(samples - self.promised) < 0.01 * self.rate:
            claim, found = f"{self.promised:,.0f} samples", f"{samples:,}"
        else:
            claim, found = f"{self.promised / self.rate:,.2f} s", f"{samples / self.rate:,.2f} s"
        self.notices.append(f"the header promises {claim}, {found} are there")
