"""The short-time Fourier transform behind Griffin-Lim: NumPy arrays, frame-major, framed exactly as the mels are.

    PAD zeros |  samples  | PAD zeros          frame i covers padded samples [256 i, 256 i + 1024)

Frame-major (frames, 513) keeps each FFT contiguous, and with a hop of a quarter window the overlap-add is four
shifted additions. SciPy's real FFTs keep float32 and use both cores.
"""

from __future__ import annotations

import functools
import os

import numpy as np
from scipy import fft

from vocoders.mel import HOP, N_FFT, PAD, frame_count

OVERLAP = N_FFT // HOP  # windows over any one sample
WORKERS = min(4, os.cpu_count() or 1)


@functools.cache
def _window() -> np.ndarray:
    """Periodic Hann window (1024,) float32."""
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)).astype(np.float32)
    window.flags.writeable = False
    return window


@functools.lru_cache(maxsize=8)
def _inverse_weight(frames: int) -> np.ndarray:
    """Window over the sum of squared windows, (frames, 4, 256): what an inverse FFT is multiplied with."""
    squares = np.broadcast_to(_window() ** 2, (frames, N_FFT)).reshape(frames, OVERLAP, HOP)
    total = np.maximum(_overlap_add(squares), 1e-8).reshape(-1, HOP)
    blocks = np.lib.stride_tricks.sliding_window_view(total, OVERLAP, axis=0).transpose(0, 2, 1)
    weight = (_window().reshape(OVERLAP, HOP) / blocks).astype(np.float32)
    weight.flags.writeable = False
    return weight


def _overlap_add(blocks: np.ndarray) -> np.ndarray:
    """(frames, 4, 256) -> padded signal ((frames + 3) * 256,)."""
    frames = len(blocks)
    total = np.zeros((frames + OVERLAP - 1, HOP), dtype=np.float32)
    for shift in range(OVERLAP):
        total[shift : shift + frames] += blocks[:, shift]
    return total.reshape(-1)


def stft(samples: np.ndarray) -> np.ndarray:
    """(n,) float32 -> complex64 (n // 256, 513)."""
    return _analyse(np.pad(samples, PAD)[: (frame_count(len(samples)) + OVERLAP - 1) * HOP])


def istft(spectrum: np.ndarray) -> np.ndarray:
    """complex (frames, 513) -> (frames * 256,) float32: the least-squares signal (Griffin & Lim 1984)."""
    return _synthesise(spectrum)[PAD : PAD + len(spectrum) * HOP]


def project(spectrum: np.ndarray) -> np.ndarray:
    """The STFT nearest to `spectrum` that a signal can have: `stft(istft(spectrum))`, the ends forced to silence."""
    padded = _synthesise(spectrum)
    padded[:PAD] = 0
    padded[PAD + len(spectrum) * HOP :] = 0
    return _analyse(padded)


def _analyse(padded: np.ndarray) -> np.ndarray:
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    return fft.rfft(frames * _window(), axis=1, workers=WORKERS)


def _synthesise(spectrum: np.ndarray) -> np.ndarray:
    blocks = fft.irfft(spectrum, N_FFT, axis=1, workers=WORKERS).reshape(-1, OVERLAP, HOP)
    blocks *= _inverse_weight(len(spectrum))
    return _overlap_add(blocks)
