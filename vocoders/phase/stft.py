"""The short-time Fourier transform behind Griffin-Lim: NumPy arrays, frame-major, framed exactly as the mels are.

    PAD zeros |  samples  | PAD zeros          frame i covers padded samples [256 i, 256 i + 1024)

Frame-major (frames, 513) keeps each FFT contiguous, and with a hop of a quarter window the overlap-add is four
shifted additions. Frames are handled in blocks that stay in the cache, on all cores: SciPy's real FFTs keep float32,
and they and NumPy let other threads run meanwhile.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
from scipy import fft

from vocoders.mel import HOP, N_BINS, N_FFT, PAD, frame_count

OVERLAP = N_FFT // HOP  # windows over any one sample
BLOCK_FRAMES = 256  # of 513 bins, a megabyte of spectrum; more of fewer bins


def stft(samples: np.ndarray) -> np.ndarray:
    """(n,) float32 -> complex64 (n // 256, 513)."""
    frames = frame_count(len(samples))
    padded = np.pad(samples, PAD)[: (frames + OVERLAP - 1) * HOP]
    spectrum = np.empty((frames, N_BINS), np.complex64)

    def analyse_into(block: slice) -> None:
        spectrum[block] = analyse(padded, block)

    for _ in over_blocks(analyse_into, frames):
        pass
    return spectrum


def istft(spectrum: np.ndarray) -> np.ndarray:
    """complex64 (frames, 513) -> (frames * 256,) float32: the least-squares signal (Griffin & Lim 1984)."""
    return synthesise(spectrum)[PAD : PAD + len(spectrum) * HOP]


def synthesise(spectrum: np.ndarray, is_padding_silent: bool = True) -> np.ndarray:
    """complex64 (frames, size / 2 + 1) -> the least-squares signal with its padding; ((frames + 3) * size / 4,).

    size: samples of a window, 1024, or fewer at a lower rate.
    """
    frames, size = len(spectrum), 2 * (spectrum.shape[1] - 1)
    hop, pad = size // OVERLAP, PAD * size // N_FFT
    padded = np.zeros((frames + OVERLAP - 1) * hop, np.float32)

    def overlap_add(block: slice) -> tuple[slice, np.ndarray]:
        windowed = fft.irfft(spectrum[block], size, axis=1)
        windowed *= _window(size)
        return block, _overlap_add(windowed)

    for block, part in over_blocks(overlap_add, frames, size):
        padded[block.start * hop : (block.stop + OVERLAP - 1) * hop] += part
    padded *= _inverse_weight(frames, size)
    if is_padding_silent:
        padded[:pad] = 0
        padded[pad + frames * hop :] = 0
    return padded


def analyse(padded: np.ndarray, block: slice, size: int = N_FFT) -> np.ndarray:
    """The spectrum (frames, size / 2 + 1) complex64 of a block of frames of a padded signal."""
    hop = size // OVERLAP
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[block.start * hop : block.stop * hop : hop]
    return fft.rfft(frames * _window(size), axis=1)


def over_blocks(work: Callable[[slice], object], frames: int, size: int = N_FFT) -> Iterator:
    """The results of `work` for each block of frames, in order; blocks are worked on side by side. size: samples of a window."""
    length = BLOCK_FRAMES * N_FFT // size
    blocks = [slice(first, min(first + length, frames)) for first in range(0, frames, length)]
    return map(work, blocks) if len(blocks) < 2 else _threads().map(work, blocks)


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(joblib.cpu_count(), thread_name_prefix="stft")


@functools.cache
def _window(size: int) -> np.ndarray:
    """Periodic Hann window (size,) float32."""
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)
    window.flags.writeable = False
    return window


def _overlap_add(windows: np.ndarray) -> np.ndarray:
    """(frames, size) -> ((frames + 3) * size / 4,)."""
    frames, size = windows.shape
    quarters = windows.reshape(frames, OVERLAP, size // OVERLAP)
    total = np.zeros((frames + OVERLAP - 1, size // OVERLAP), dtype=np.float32)
    for shift in range(OVERLAP):
        total[shift : shift + frames] += quarters[:, shift]
    return total.reshape(-1)


@functools.lru_cache(maxsize=8)
def _inverse_weight(frames: int, size: int) -> np.ndarray:
    """One over the sum of squared windows, which is constant but for the ends; ((frames + 3) * size / 4,) float32."""
    few, hop = min(frames, 2 * OVERLAP), size // OVERLAP
    weight = 1 / np.maximum(_overlap_add(np.tile(_window(size) ** 2, (few, 1))), np.float32(1e-8))
    middle = OVERLAP * hop
    weight = np.insert(weight, middle, np.full((frames - few) * hop, weight[middle])) if frames > few else weight
    weight.flags.writeable = False
    return weight
