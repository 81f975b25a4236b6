"""Noise that is a function of its position: the same wherever a stream is cut, in every process and on every machine."""

from __future__ import annotations

import numpy as np

from vocoders.mel import HOP

BLOCK_SAMPLES = 256 * HOP  # made from one seed
SEED = 0


def noise(start: int, stop: int, seed: int = SEED) -> np.ndarray:
    """Normal noise of variance 1 at samples [start, stop) of an endless stream, (stop - start,) float32."""
    blocks = range(start // BLOCK_SAMPLES, -(-stop // BLOCK_SAMPLES))
    parts = [np.random.default_rng([seed, block]).standard_normal(BLOCK_SAMPLES, np.float32) for block in blocks]
    first = blocks.start * BLOCK_SAMPLES
    return np.concatenate([np.zeros(0, np.float32), *parts])[start - first : stop - first]
