"""Several channels -> one, so that nothing is lost by it, and the signs that a recording was clipped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MAX_DEAD_POWER_SHARE = 1e-4  # of the loudest channel's power: 40 dB below it, a channel holds nothing of the recording
MIN_EQUAL_POWER_SHARE = 0.99  # of the loudest channel's power: as loud
MAX_CANCELLING_POWER_SHARE = 0.5  # of the power of an average of independent channels; where less is left, they cancel
FULL_SCALE = 32767 / 32768
BANDS = 0.002 * 2.0 ** np.arange(
    7
)  # of the peak: how far below it bands of levels end; clipping leaves a heap in the first
MIN_CLIPPING_RATIO = 8  # of samples to those in the next band that has any; for a sine it is 2.4, for speech less
MIN_CLIPPED_SAMPLES = 12  # fewer at one level may be chance


@dataclass(frozen=True)
class Mix:
    """weights: (channels,) float32 that turn a block (n, channels) into one channel. clause: what that does, "" for nothing.
    unexpected: whether it is more than an average."""

    weights: np.ndarray
    clause: str = ""
    unexpected: bool = False


class ChannelSums:
    """Levels of the channels and how they belong together, gathered block by block."""

    def __init__(self, channels: int) -> None:
        self._count = 0
        self._sums, self._products = np.zeros(channels), np.zeros((channels, channels))
        self.highest, self.lowest = np.full(channels, -np.inf), np.full(channels, np.inf)

    def add(self, block: np.ndarray) -> None:
        """block: (n, channels)."""
        wide = block.astype(np.float64)
        self._count += len(block)
        self._sums += wide.sum(axis=0)
        self._products += wide.T @ wide
        self.highest = np.maximum(self.highest, block.max(axis=0))
        self.lowest = np.minimum(self.lowest, block.min(axis=0))

    def mix(self) -> Mix:
        """Correlated and independent channels are averaged, dead ones left out, and of those that cancel the loudest is taken."""
        channels = len(self._sums)
        if channels == 1 or not self._count:
            return Mix(np.ones(channels, np.float32))
        covariance = self._products / self._count - np.outer(self._sums, self._sums) / self._count**2
        powers = np.maximum(np.diag(covariance), 0)
        loudest = int(np.argmax(powers >= MIN_EQUAL_POWER_SHARE * powers.max()))  # the first of those that are alike
        live = powers > MAX_DEAD_POWER_SHARE * powers[loudest]
        dead = _left_out(powers, live) if powers[loudest] else ""
        weights = live / max(1, live.sum()) if powers[loudest] else np.full(channels, 1 / channels)
        mixed, independent = weights @ covariance @ weights, weights**2 @ powers
        if live.sum() > 1 and mixed < MAX_CANCELLING_POWER_SHARE * independent:
            only = np.arange(channels) == loudest
            return Mix(
                only.astype(np.float32),
                f"its channels cancel each other, and only channel {loudest + 1} was used",
                True,
            )
        if dead:
            return Mix(weights.astype(np.float32), dead, True)
        return Mix(weights.astype(np.float32), f"the {channels} channels averaged to mono")


def _left_out(powers: np.ndarray, live: np.ndarray) -> str:
    """ "" where every channel has something in it."""
    if live.all():
        return ""
    numbers = [str(number + 1) for number in np.flatnonzero(~live)]
    which = f"channel {numbers[0]} holds" if len(numbers) == 1 else f"channels {', '.join(numbers)} hold"
    used = [str(number + 1) for number in np.flatnonzero(live)]
    rest = f"only channel {used[0]} was used" if len(used) == 1 else f"channels {', '.join(used)} were averaged"
    return f"{which} nothing, and {rest}"


class Clipping:
    """Samples that sit at the highest or lowest level of their channel, gathered block by block.

    Where a wave is cut off, its extreme level holds a heap of samples, wherever that level lies: a recording that was turned
    down after it was clipped is recognised too.
    """

    def __init__(self, highest: np.ndarray, lowest: np.ndarray) -> None:
        """Of every channel, over all blocks to come."""
        self._ends = np.stack([highest, -lowest]).astype(np.float32)  # (2, channels)
        self._within = np.zeros((len(BANDS), *self._ends.shape), int)  # samples no further from the end than that
        self._at_full_scale = 0

    def add(self, block: np.ndarray) -> None:
        """Counts the samples of one block, (n, channels) float32."""
        for side, values in enumerate((block, -block)):
            end = self._ends[side]
            high = values[(values >= (1 - BANDS[-1]) * end).any(axis=1)]  # few, so that the rest is quick
            for band, width in enumerate(BANDS):
                self._within[band, side] += (high >= (1 - width) * end).sum(axis=0)
        self._at_full_scale += int(np.count_nonzero(np.abs(block) >= FULL_SCALE))

    def clause(self) -> str:
        """ "" where nothing looks clipped."""
        top = self._within[0]
        bands = np.diff(self._within, axis=0)
        # With few levels, as in 8-bit and A-law files, the bands next to the first are empty for want of levels
        below = np.take_along_axis(bands, (bands > 0).argmax(axis=0)[None], axis=0)[0]
        heaps = (self._ends > 0) & (top >= MIN_CLIPPED_SAMPLES) & (top > MIN_CLIPPING_RATIO * below)
        if heaps.any():
            level = 20 * np.log10(float(self._ends[heaps].max()))
            return f"it looks clipped: {top[heaps].sum():,} samples sit at {level:+.1f} dBFS".replace("+0.0", "0.0")
        if self._at_full_scale > 3 and self._ends.max() <= 1:
            return "it looks clipped: several samples sit at full scale"
        return ""


def offset_of(samples: np.ndarray) -> float:
    """The constant that a recording (n,) is off by.

    The smaller of two means, or none where they differ in sign. The plain one of a short clip also holds what is left of the last
    period of a low tone, of which the one weighted by a Blackman-Harris window has nothing (-92 dB beyond four periods); that
    one holds what a voice is off by while it sounds, and not in its pauses.
    """
    from scipy.signal.windows import blackmanharris

    if len(samples) < 3:
        return 0.0
    window = blackmanharris(len(samples), sym=False)
    plain, weighted = float(np.mean(samples, dtype=np.float64)), float(window @ samples / window.sum())
    return min(plain, weighted, key=abs) if plain * weighted > 0 else 0.0
