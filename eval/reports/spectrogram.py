"""Spectrograms as data and as palette PNGs: fixed limits, so that two pictures can always be compared.

Level is dB relative to a full-scale sine. A *difference* is the level of the estimate minus that of the reference, both
floored at `MIN_DB` first, so that silence against silence is 0 dB and not noise.
"""

from __future__ import annotations

import functools
import io
import math

import numpy as np
from scipy import fft
from scipy.signal import get_window

from vocoders.audio import SAMPLE_RATE
from vocoders.mel import HOP, N_FFT
from vocoders.phase.stft import over_blocks, stft

MIN_DB, MAX_DB = -100.0, 0.0  # colour limits of a spectrogram
MAX_DIFFERENCE_DB = 30.0  # colour limit of a difference map, either way
MAX_FREQUENCY_HZ = SAMPLE_RATE / 2  # upper edge of a picture at 22 050 Hz
MEL_RANGE = (-11.5, 9.0)  # log of power: the model input's floor, log 1e-5, to what a loud voice reaches
LEVEL_MAP, DIFFERENCE_MAP = "magma", "berlin"  # perceptually uniform; the difference map is black at 0 dB
_FULL_SCALE = N_FFT / 4  # |X| of a full-scale sine under a Hann window of 1024


def level(samples: np.ndarray, rate: int = SAMPLE_RATE) -> np.ndarray:
    """(n,) -> dB (513, frames) float32, row 0 at 0 Hz, frames = ceil(n / 256).

    At another rate windows and hops last as long, so frames are as many, at the same times; rows are as far apart, 21.5 Hz, and
    reach to rate / 2.
    """
    if rate == SAMPLE_RATE:
        magnitude = np.abs(stft(np.pad(samples, (0, -len(samples) % HOP)))).T / _FULL_SCALE
    else:
        magnitude = _magnitude_at(samples, rate)
    with np.errstate(divide="ignore"):
        return np.maximum(20 * np.log10(magnitude), np.float32(MIN_DB))  # after the logarithm: the floor is exact


def _magnitude_at(samples: np.ndarray, rate: int) -> np.ndarray:
    """(n,) at `rate` Hz -> (bins, frames), 1 for a full-scale sine."""
    ratio = rate / SAMPLE_RATE
    size, frames = 2 * round(N_FFT / 2 * ratio), math.ceil(round(len(samples) / ratio) / HOP)
    middles = (np.arange(frames) * HOP + HOP / 2) * ratio  # as those of `vocoders.phase.stft`
    starts = np.rint(middles + size / 2).astype(int)  # of the padded signal
    views = np.lib.stride_tricks.sliding_window_view(np.pad(samples, (size, 2 * size)), size)
    window = get_window("hann", size).astype(np.float32)

    def analyse(block: slice) -> np.ndarray:
        return np.abs(fft.rfft(views[starts[block]] * window, axis=1))

    return np.concatenate(list(over_blocks(analyse, frames))).T / np.float32(size / 4)


def difference(reference: np.ndarray, estimate: np.ndarray, rate: int = SAMPLE_RATE) -> np.ndarray:
    """dB (513, frames), or as many rows as `level` has: level of `estimate` minus level of `reference`. Both (n,)."""
    return level(estimate, rate) - level(reference, rate)


def level_png(decibels: np.ndarray) -> bytes:
    """dB (513, frames) -> PNG, one pixel per bin and frame, high frequencies on top."""
    return _png(decibels, MIN_DB, MAX_DB, LEVEL_MAP)


def difference_png(decibels: np.ndarray) -> bytes:
    """(frequencies, frames) dB of difference -> png."""
    return _png(decibels, -MAX_DIFFERENCE_DB, MAX_DIFFERENCE_DB, DIFFERENCE_MAP)


def colour_stops(name: str, count: int) -> list[str]:
    """`count` evenly spaced colours of a colour map as #rrggbb, for a legend."""
    palette = _palette(name)
    return ["#{:02x}{:02x}{:02x}".format(*palette[round(i * 255 / (count - 1))]) for i in range(count)]


@functools.cache
def _palette(name: str) -> np.ndarray:
    """(256, 3) uint8."""
    from matplotlib import colormaps

    return colormaps[name](np.arange(256), bytes=True)[:, :3]


def _png(values: np.ndarray, low: float, high: float, colours: str) -> bytes:
    from PIL import Image

    scaled = np.clip((values - low) * (255 / (high - low)), 0, 255)
    image = Image.fromarray(np.rint(scaled).astype(np.uint8)[::-1], mode="P")
    image.putpalette(_palette(colours).tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def mel_png(log_mel: np.ndarray) -> bytes:
    """Natural-log power hw2 mel (80, frames) -> PNG, one pixel per band and frame."""
    return _png(log_mel, *MEL_RANGE, LEVEL_MAP)
