"""Delay, polarity and gain of an estimate relative to its reference."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from eval.compare.offset import find_offset
from eval.metrics.loudness import loudness
from eval.metrics.metric import LEVEL, metric
from vocoders.audio import SAMPLE_RATE, fit_length

MAX_DELAY_SAMPLES = 1024  # at 22 050 Hz, either way; a vocoder is late by less, or something else is wrong
INTERPOLATED_SAMPLES = (
    32  # of the correlation to each side of its maximum, from which its course between samples follows
)
# Correlation below which there is nothing to align: a phase of its own, as from Griffin-Lim, of which some multiple of a
# held note's period always fits by half
MIN_RELIABLE_CORRELATION = 0.7


@dataclass(frozen=True)
class Alignment:
    """delay: samples the estimate is late; correlation: -1 to 1 at that delay, negative when it is upside down;
    gain: dB of the estimate's power above the reference's; left: samples, within ±0.5, that it would still be late after being
    moved by `delay`."""

    delay: int
    correlation: float
    gain: float
    left: float = 0.0

    @property
    def is_reliable(self) -> bool:
        """Whether the signals correlate enough for the delay to mean anything."""
        return abs(self.correlation) >= MIN_RELIABLE_CORRELATION

    @property
    def inverted(self) -> bool:
        """Whether the estimate has the opposite polarity."""
        return self.correlation < 0


def align(reference: np.ndarray, estimate: np.ndarray, rate: int = SAMPLE_RATE) -> Alignment | None:
    """Of (n,) and (m,) at `rate` Hz, by normalised cross-correlation within `MAX_DELAY_SAMPLES`; None when either is silent."""
    estimate = fit_length(estimate, len(reference))
    powers = [float(np.sum(np.square(x, dtype=np.float64))) for x in (reference, estimate)]
    if not all(powers):
        return None
    furthest = round(MAX_DELAY_SAMPLES * rate / SAMPLE_RATE)
    size = 1 << (len(reference) + furthest).bit_length()
    spectra = [np.fft.rfft(x.astype(np.float64), size) for x in (reference, estimate)]
    correlation = np.fft.irfft(np.conj(spectra[0]) * spectra[1], size) / math.sqrt(powers[0] * powers[1])
    reach = min(furthest, len(reference) - 1)
    delays = np.arange(-reach, reach + 1)
    near = correlation[delays]
    best = int(np.argmax(np.abs(near)))
    around = np.take(
        correlation, delays[best] + np.arange(-INTERPOLATED_SAMPLES, INTERPOLATED_SAMPLES + 1), mode="wrap"
    )
    left = _between_samples(around * np.sign(near[best]))
    return Alignment(int(delays[best]), float(near[best]), 10 * math.log10(powers[1] / powers[0]), left)


def _between_samples(around: np.ndarray) -> float:
    """Where between its samples, -0.5 to 0.5, a band-limited function has its maximum near the middle of (2 m + 1,) values."""
    reach = len(around) // 2
    places = np.linspace(-0.5, 0.5, 101)
    apart = places[:, None] - np.arange(-reach, reach + 1)
    kernel = np.sinc(apart) * np.cos(np.pi * apart / (2 * reach + 2)) ** 2
    return round(float(places[np.argmax(kernel @ around)]), 2)


def apply_alignment(estimate: np.ndarray, alignment: Alignment | None) -> np.ndarray:
    """(n,) -> (n,): moved by whole samples and turned over as `alignment` says, where that is certain; a copy."""
    if not alignment or not alignment.is_reliable:
        return estimate.copy()
    moved = np.roll(estimate, -alignment.delay) * np.float32(-1 if alignment.inverted else 1)
    if alignment.delay:
        edge = slice(-alignment.delay, None) if alignment.delay > 0 else slice(0, -alignment.delay)
        moved[edge] = 0
    return moved


def residual(reference: np.ndarray, estimate: np.ndarray, alignment: Alignment | None) -> tuple[np.ndarray, float]:
    """The estimate minus the reference, (n,) as long as the reference, and its power in dB
    above the reference's: -inf for nothing left, nan for a silent reference.

    The estimate is first moved and turned over as `alignment` says, where that is certain. From an estimate with a phase of its
    own the residual is the sum of both, near +3 dB, and says nothing about how it sounds.
    """
    left = (apply_alignment(fit_length(estimate, len(reference)), alignment) - reference).astype(np.float32)
    powers = [float(np.sum(np.square(x, dtype=np.float64))) for x in (left, reference)]
    if not powers[1]:
        return left, math.nan
    return left, 10 * math.log10(powers[0] / powers[1]) if powers[0] else -math.inf


@metric(
    "loudness",
    "How much louder than the recording (ITU-R BS.1770)",
    group=LEVEL,
    unit="LU",
    better="nearest 0",
    on_request=True,
)
def loudness_difference(reference: np.ndarray, estimate: np.ndarray) -> float:
    """LU the estimate is louder; nan when either is silent."""
    levels = [loudness(np.asarray(x, np.float32)) for x in (reference, estimate)]
    return levels[1] - levels[0] if all(map(math.isfinite, levels)) else float("nan")


@metric(
    "delay",
    "How late the estimate is, up to a second, by cross-correlation; undefined where they do not correlate",
    group=LEVEL,
    unit="samples",
    better="nearest 0",
    on_request=True,
    in_place=True,
)
def delay(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Samples the estimate is late, up to a second; nan where the waveforms do not tell."""
    found = find_offset(np.asarray(reference, np.float32), np.asarray(estimate, np.float32))
    return float(found.samples) if found and found.exact else float("nan")
