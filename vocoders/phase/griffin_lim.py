"""Griffin-Lim with momentum: a waveform from STFT magnitudes alone.

Source: Griffin & Lim 1984; Perraudin, Balazs & Søndergaard 2013 ("fast Griffin-Lim"), whose momentum of 0.99 this
uses. Every iteration goes to the nearest consistent STFT and puts the wanted magnitudes back on its phase.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from vocoders.mel import N_BINS
from vocoders.phase.stft import BLOCK_FRAMES, analyse, istft, over_blocks, synthesise

ITERATIONS = 32
MOMENTUM = 0.99


def griffin_lim(
    magnitude: np.ndarray,
    *,
    iterations: int = ITERATIONS,
    momentum: float = MOMENTUM,
    seed: int = 0,
    phase: np.ndarray | None = None,
    beginning: np.ndarray | None = None,
    on_progress: Callable[[float], None] = lambda fraction: None,
) -> np.ndarray:
    """STFT magnitude (513, frames) -> waveform (frames * 256,) float32, framed as `vocoders.phase.stft` says.

    phase: (513, frames) radians to start from; random from `seed` when not given. beginning: the STFT of what comes first,
    as `vocoders.phase.stft.stft` gives it, which is known already and stays; the rest is made to follow from it. Deterministic.
    Errors: ValueError for a negative or non-finite magnitude, a momentum outside [0, 1), or fewer than one iteration.
    """
    if iterations < 1:
        raise ValueError(f"Griffin-Lim needs at least 1 iteration, not {iterations}")
    if not 0 <= momentum < 1:
        raise ValueError(f"the momentum must be in [0, 1), not {momentum}")
    if not np.isfinite(magnitude).all() or (magnitude < 0).any():
        raise ValueError("a magnitude must be finite and not negative")
    target = np.ascontiguousarray(magnitude.T, dtype=np.float32)
    estimate = _first_guess(target, phase, seed)
    known = np.empty((0, N_BINS), np.complex64) if beginning is None else beginning
    estimate[: len(known)] = known
    previous = np.zeros_like(estimate)
    weight = np.float32(momentum / (1 + momentum))

    def improve(padded: np.ndarray, block: slice) -> None:
        consistent = analyse(padded, block)
        new = np.subtract(consistent, previous[block], out=estimate[block])
        new *= target[block] / (np.abs(new) + np.float32(1e-16))
        np.multiply(consistent, weight, out=previous[block])
        new[: len(known[block])] = known[block]

    for iteration in range(iterations):
        for _ in over_blocks(functools.partial(improve, synthesise(estimate)), len(target)):
            pass
        on_progress((iteration + 1) / iterations)
    return istft(estimate)


def _first_guess(target: np.ndarray, phase: np.ndarray | None, seed: int) -> np.ndarray:
    """complex64 (frames, 513)."""
    rng = np.random.default_rng(seed)
    estimate = np.empty(target.shape, np.complex64)
    for first in range(0, len(target), BLOCK_FRAMES):
        block = slice(first, first + BLOCK_FRAMES)
        angle = rng.uniform(-np.pi, np.pi, target[block].shape) if phase is None else phase.T[block]
        estimate[block] = target[block] * np.exp(1j * np.asarray(angle, dtype=np.float32))
    return estimate
