"""Mels as people make them, right and wrong ones: many analyses times many scales, for fitting and trying the diagnosis."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import fft
from scipy.ndimage import gaussian_filter

from vocoders.audio import SAMPLE_RATE
from vocoders.mel import LOG_FLOOR

DB = 10 / np.log(10)


@dataclass(frozen=True)
class Analysis:
    """A linear mel of 80 bands; the defaults are what both recipes have in common, and HiFi-GAN's bands. lowest, highest: Hz."""

    name: str
    htk: bool = False
    area: bool = True
    power: int = 1
    rate: int = SAMPLE_RATE
    n_fft: int = 1024
    window: int = 1024
    hop: int = 256
    lowest: float = 0.0
    highest: float = 8000.0

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """(n,) at 22 050 Hz -> (80, frames) float64."""
        if self.rate != SAMPLE_RATE:
            import soxr

            samples = soxr.resample(samples, SAMPLE_RATE, self.rate)
        pad = (self.n_fft - self.hop) // 2
        mode: Literal["constant", "reflect"] = "constant" if self.htk or len(samples) <= pad else "reflect"
        padded = np.pad(samples.astype(np.float64), pad, mode=mode)
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.n_fft)[:: self.hop]
        spectrum = np.abs(fft.rfft(frames * _window(self.n_fft, self.window), axis=1)).T
        if self.power == 1:
            spectrum = np.sqrt(spectrum**2 + 1e-9)
        return _bank(self) @ spectrum**self.power


@functools.cache
def _window(n_fft: int, length: int) -> np.ndarray:
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    return np.pad(window, (n_fft - length) // 2)


@functools.cache
def _bank(analysis: Analysis) -> np.ndarray:
    import librosa

    return librosa.filters.mel(
        sr=analysis.rate,
        n_fft=analysis.n_fft,
        n_mels=80,
        fmin=analysis.lowest,
        fmax=analysis.highest,
        htk=analysis.htk,
        norm="slaney" if analysis.area else None,
        dtype=np.float64,
    )


KNOWN = (
    Analysis("hw2 power", htk=True, area=False, power=2),
    Analysis("hw2 magnitude", htk=True, area=False),
    Analysis("hifigan power", power=2),
    Analysis("hifigan magnitude"),
)
OTHER = (
    Analysis("other: librosa's default", power=2, n_fft=2048, window=2048, hop=512, highest=SAMPLE_RATE / 2),
    Analysis("other: up to 11 025 Hz", highest=SAMPLE_RATE / 2),
    Analysis("other: up to 11 025 Hz", power=2, highest=SAMPLE_RATE / 2),
    Analysis("other: up to 11 025 Hz", htk=True, area=False, power=2, highest=SAMPLE_RATE / 2),
    Analysis("other: hop 512", hop=512),
    Analysis("other: hop 512", htk=True, area=False, power=2, hop=512),
    Analysis("other: hop 512", power=2, hop=512),
    Analysis("other: hop 128", hop=128),
    Analysis("other: hop 128", htk=True, area=False, power=2, hop=128),
    Analysis("other: FFT of 2048", n_fft=2048, window=2048),
    Analysis("other: FFT of 2048", htk=True, area=False, power=2, n_fft=2048, window=2048),
    Analysis("other: FFT of 512", htk=True, area=False, power=2, n_fft=512, window=512),
    Analysis("other: 16 kHz", power=2, rate=16_000, n_fft=400, window=400, hop=160),
    Analysis("other: 16 kHz", rate=16_000, lowest=80, highest=7600),
    Analysis("other: 16 kHz", htk=True, area=False, power=2, rate=16_000),
    Analysis("other: 24 kHz", rate=24_000, n_fft=2048, window=1200, hop=300, lowest=80, highest=7600),
    Analysis("other: 24 kHz", rate=24_000, highest=12_000),
    Analysis("other: bands", htk=True, area=True, power=2),
    Analysis("other: bands", area=False, power=2),
    Analysis("other: bands", area=False, power=1),
)


SCALES = ("linear", "e", "10", "db")


def usable_scales(linear: np.ndarray, power: int, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """Linear and the three logarithms, with a clamp that is in use."""
    least = float(rng.choice([LOG_FLOOR, LOG_FLOOR, 1e-10, 1e-7, 1e-12]))
    safe = np.maximum(linear, least)
    yield from zip(SCALES, (linear, np.log(safe), np.log10(safe), DB * (2 // power) * np.log(safe)), strict=True)


def other_scales(linear: np.ndarray, power: int, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """Other scales of mels that are in use, which need constants that are not in the file, or cannot be used at all."""
    decibel = DB * (2 // power) * np.log(np.maximum(linear, 1e-10))
    natural = np.log(np.maximum(linear, LOG_FLOOR))
    below = decibel - decibel.max()
    yield "dB below the maximum", np.maximum(below, -80) if rng.random() < 0.7 else below
    yield "dB clipped to 0..80", np.clip(np.maximum(below, -80) + 80 if rng.random() < 0.5 else decibel + 80, 0, 80)
    yield "log1p", np.log1p(linear)
    chosen = natural if rng.random() < 0.5 else np.maximum(below, -100)
    low, high = chosen.min(), chosen.max() + 1e-9
    if rng.random() < 0.3:  # by constants of a data set
        low, high = low - abs(rng.normal(0, 2)), high + abs(rng.normal(0, 1))
    unit = np.clip((chosen - low) / (high - low), 0, 1)
    yield "normalized", unit
    yield "normalized", 8 * unit - 4
    yield "normalized", 2 * unit - 1
    yield "normalized", (chosen - chosen.mean()) / (chosen.std() + 1e-9)
    each = chosen.std(axis=1, keepdims=True) + 1e-3
    yield "normalized", (chosen - chosen.mean(axis=1, keepdims=True)) / each
    yield "picture", np.round(255 * unit)
    yield "int16-scaled", linear * 32768.0**power
    if power == 2:
        yield "root", np.sqrt(linear)
    if linear.shape[1] >= 80:
        piece = natural if rng.random() < 0.5 else linear
        yield "turned", piece[:, :80].T
    width = rng.uniform(0.7, 3.0)
    yield "smoothed", gaussian_filter(natural, (rng.uniform(0, 1) * width, width))


def variants(samples: np.ndarray, rng: np.random.Generator, share: float = 1.0) -> Iterator[tuple[str, np.ndarray]]:
    """Kind, as `vocoders.mel_files.diagnosis` names it, and float32 array (80, frames) of one recording in every way; of the ways
    that cannot be used only a `share`. One in ten has been stored as float16."""
    for analysis in KNOWN:
        linear = analysis(samples)
        for scale, values in usable_scales(linear, analysis.power, rng):
            yield f"{analysis.name} {scale}", _stored(values, rng)
        for scale, values in other_scales(linear, analysis.power, rng):
            if rng.random() < share:
                yield f"other: {scale}", _stored(values, rng)
    for analysis in OTHER:
        kept = [rng.random() < share for _ in SCALES]
        scales = usable_scales(analysis(samples), analysis.power, rng) if any(kept) else ()
        yield from (
            (analysis.name, _stored(values, rng)) for (_, values), keep in zip(scales, kept, strict=False) if keep
        )


def _stored(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    half = rng.random() < 0.1 and np.abs(values).max() < 6e4
    return values.astype(np.float16 if half else np.float32).astype(np.float32)
