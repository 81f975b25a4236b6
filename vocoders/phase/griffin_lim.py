"""Griffin-Lim with momentum: a waveform from STFT magnitudes alone.

Source: Griffin & Lim 1984; Perraudin, Balazs & Søndergaard 2013 ("fast Griffin-Lim"), whose momentum of 0.99 this
uses. Every iteration goes to the nearest consistent STFT and puts the wanted magnitudes back on its phase.

What takes many iterations are the lowest partials, which the mel resolves one by one: they carry the pitch. Below 1.4 kHz a signal
needs an eighth of the samples, and so do its windows, so there an iteration takes a tenth of the time. `low_band_iterations` are done
on that band alone; the others begin with its phases. 192 of them and 32 of all bins give the F0 jitter, flutter and error of 192 of
all bins (docs/refinement-and-guide.md).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import numpy as np

from vocoders.audio import SAMPLE_RATE
from vocoders.mel import N_BINS, N_FFT
from vocoders.phase.stft import BLOCK_FRAMES, analyse, istft, over_blocks, synthesise

ITERATIONS = 32
MOMENTUM = 0.99
LOW_BAND_SIZE = 128  # samples of its windows, at an eighth of the rate
LOW_BAND_HZ = SAMPLE_RATE * LOW_BAND_SIZE / N_FFT / 2
_TAPERED_BINS = 4  # its highest, of 65, grow weaker towards its Nyquist frequency
_KEPT_BINS = 61  # have phases for all bins to begin with


def griffin_lim(
    magnitude: np.ndarray,
    *,
    iterations: int = ITERATIONS,
    low_band_iterations: int = 0,
    momentum: float = MOMENTUM,
    seed: int = 0,
    phase: np.ndarray | None = None,
    beginning: np.ndarray | None = None,
    on_progress: Callable[[float], None] = lambda fraction: None,
) -> np.ndarray:
    """STFT magnitude (513, frames) -> waveform (frames * 256,) float32, framed as `vocoders.phase.stft` says.

    low_band_iterations: first, of the band below `LOW_BAND_HZ` alone, see above. phase: (513, frames) radians to start from; random
    from `seed` when not given. beginning: the STFT of what comes first, as `vocoders.phase.stft.stft` gives it, which is known
    already and stays; the rest is made to follow from it. Deterministic.
    Errors: ValueError for a negative or non-finite magnitude, a momentum outside [0, 1), fewer than one iteration, or fewer
    than none of the low band.
    """
    if iterations < 1:
        raise ValueError(f"Griffin-Lim needs at least 1 iteration, not {iterations}")
    if low_band_iterations < 0:
        raise ValueError(f"Griffin-Lim of the low band needs 0 iterations or more, not {low_band_iterations}")
    if not 0 <= momentum < 1:
        raise ValueError(f"the momentum must be in [0, 1), not {momentum}")
    if not np.isfinite(magnitude).all() or (magnitude < 0).any():
        raise ValueError("a magnitude must be finite and not negative")
    target = np.ascontiguousarray(magnitude.T, dtype=np.float32)
    estimate = _first_guess(target, phase, seed)
    known = np.empty((0, N_BINS), np.complex64) if beginning is None else beginning
    estimate[: len(known)] = known
    if low_band_iterations:
        low_target, low, low_known = (_low_band(spectrum) for spectrum in (target, estimate, known))
        for _ in _improved(low, low_target, low_known, low_band_iterations, momentum):
            pass
        estimate[:, :_KEPT_BINS] = low[:, :_KEPT_BINS] / _low_band_weight()[:_KEPT_BINS]
    for iteration in _improved(estimate, target, known, iterations, momentum):
        on_progress((iteration + 1) / iterations)
    return istft(estimate)


def _improved(
    estimate: np.ndarray, target: np.ndarray, known: np.ndarray, iterations: int, momentum: float
) -> Iterator[int]:
    """Iterate on `estimate` in place, (frames, bins) complex64; yields the number of each iteration that is done."""
    size = 2 * (target.shape[1] - 1)
    is_padding_silent = size == N_FFT  # a band's share of a signal that begins suddenly begins before it
    previous = np.zeros_like(estimate)
    weight = np.float32(momentum / (1 + momentum))

    def improve(padded: np.ndarray, block: slice) -> None:
        consistent = analyse(padded, block, size)
        new = np.subtract(consistent, previous[block], out=estimate[block])
        new *= target[block] / (np.abs(new) + np.float32(1e-16))
        np.multiply(consistent, weight, out=previous[block])
        new[: len(known[block])] = known[block]

    for iteration in range(iterations):
        for _ in over_blocks(functools.partial(improve, synthesise(estimate, is_padding_silent)), len(target), size):
            pass
        yield iteration


def _low_band(spectrum: np.ndarray) -> np.ndarray:
    """Of an STFT (frames, 513), that of the same signal at the low band's rate."""
    return spectrum[:, : LOW_BAND_SIZE // 2 + 1] * _low_band_weight()


@functools.cache
def _low_band_weight() -> np.ndarray:
    """Per bin (65,) float32: a window of fewer samples has smaller sums, and a signal that ends gently below its Nyquist frequency
    has no mirror image there, which would keep its STFT from being consistent."""
    edge = np.linspace(0, np.pi / 2, _TAPERED_BINS + 1)
    weight = np.ones(LOW_BAND_SIZE // 2 + 1)
    weight[-len(edge) :] = np.cos(edge) ** 2
    return (weight * LOW_BAND_SIZE / N_FFT).astype(np.float32)


def _first_guess(target: np.ndarray, phase: np.ndarray | None, seed: int) -> np.ndarray:
    """complex64 (frames, 513)."""
    rng = np.random.default_rng(seed)
    estimate = np.empty(target.shape, np.complex64)
    for first in range(0, len(target), BLOCK_FRAMES):
        block = slice(first, first + BLOCK_FRAMES)
        radians = rng.uniform(-np.pi, np.pi, target[block].shape) if phase is None else phase.T[block]
        radians = radians.astype(np.float32)
        # NumPy's complex exponential takes 25 times as long
        np.multiply(target[block], np.cos(radians), out=estimate.real[block])
        np.multiply(target[block], np.sin(radians), out=estimate.imag[block])
    return estimate
