"""Level: BS.1770 loudness, true peak, and the static gains that make a set of signals comparable by ear."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vocoders.audio import SAMPLE_RATE, Waveform

TARGET_LUFS = -23.0  # EBU R 128
MAX_TRUE_PEAK_DBTP = -1.0  # of any output after its gain
MIN_GATED_SECONDS = 0.4  # one gating block of BS.1770
_RMS_TO_LUFS = -0.691  # BS.1770's offset between mean power and loudness, for the fallback


@dataclass(frozen=True)
class Level:
    """Loudness and true peak of one signal, and the gain that matches it to the others."""

    lufs: float  # integrated loudness; -inf for silence
    true_peak: float  # dBTP
    gain: float  # dB, applied when loudness is matched


def loudness(samples: np.ndarray, rate: int = SAMPLE_RATE) -> float:
    """Integrated loudness in LUFS (ITU-R BS.1770-4); below 0.4 s the ungated, unweighted power on the same scale."""
    if len(samples) < MIN_GATED_SECONDS * rate:
        power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
        return _RMS_TO_LUFS + 10 * math.log10(power) if power > 0 else -math.inf
    import pyloudnorm

    with np.errstate(divide="ignore"):
        return float(pyloudnorm.Meter(rate).integrated_loudness(samples.astype(np.float64)))


def true_peak(samples: np.ndarray) -> float:
    """Peak of the four times oversampled signal in dBTP; -inf for silence."""
    from scipy.signal import resample_poly

    peak = float(np.abs(resample_poly(samples, 4, 1)).max()) if len(samples) else 0.0
    return 20 * math.log10(peak) if peak > 0 else -math.inf


def level_of(waveform: Waveform) -> tuple[float, float]:
    """Loudness in LUFS and true peak in dBTP, at the waveform's own rate."""
    return loudness(waveform.samples, waveform.rate), true_peak(waveform.samples)


def match_levels(measured: Mapping[str, tuple[float, float]]) -> dict[str, Level]:
    """{name: (LUFS, dBTP)} -> {name: Level} with one static gain each, so that all are at `TARGET_LUFS`.

    Where any signal would pass `MAX_TRUE_PEAK_DBTP`, the whole set is lowered together. Silence gets no gain.
    """
    gains = {name: TARGET_LUFS - lufs if math.isfinite(lufs) else 0.0 for name, (lufs, _) in measured.items()}
    excess = max((gains[name] + peak - MAX_TRUE_PEAK_DBTP for name, (_, peak) in measured.items()), default=0.0)
    return {
        name: Level(lufs, peak, gains[name] - max(0.0, excess) if math.isfinite(lufs) else 0.0)
        for name, (lufs, peak) in measured.items()
    }
