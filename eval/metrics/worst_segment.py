"""Where in a recording a metric is worst: the second to listen to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from eval.metrics.pitch import GROSS, cached_track, tracker_missing
from vocoders.audio import SAMPLE_RATE, fit_length
from vocoders.mel import HOP, HW2, log_mel_of
from vocoders.phase.stft import stft

LENGTH = 1.0  # seconds that are looped
_FLOOR = np.float32(1e-4)

Curve = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, float]]  # -> error per frame, frames per second


def _log_magnitude_error(reference: np.ndarray, estimate: np.ndarray) -> tuple[np.ndarray, float]:
    wanted, found = (np.log(np.maximum(np.abs(stft(x)), _FLOOR)) for x in (reference, estimate))
    return np.abs(wanted - found).mean(axis=1), SAMPLE_RATE / HOP


def _log_mel_error(reference: np.ndarray, estimate: np.ndarray) -> tuple[np.ndarray, float]:
    return np.abs(log_mel_of(reference, HW2) - log_mel_of(estimate, HW2)).mean(axis=0), SAMPLE_RATE / HOP


def _magnitude_error(reference: np.ndarray, estimate: np.ndarray) -> tuple[np.ndarray, float]:
    wanted, found = (np.abs(stft(x)) for x in (reference, estimate))
    return ((wanted - found) ** 2).sum(axis=1), SAMPLE_RATE / HOP


def _pitch_error(reference: np.ndarray, estimate: np.ndarray) -> tuple[np.ndarray, float]:
    if tracker_missing():
        return np.zeros(0), 1.0
    wanted, found = cached_track(reference), cached_track(estimate)
    frames = min(len(wanted.hertz), len(found.hertz))
    if frames < 2:
        return np.zeros(0), 1.0
    errors = np.abs(12 * np.log2(np.maximum(wanted.hertz[:frames], 1) / np.maximum(found.hertz[:frames], 1)))
    rate = 1 / float(np.mean(np.diff(wanted.seconds[:frames])))
    return np.where(wanted.voiced[:frames] & (found.hertz[:frames] > 0), errors, 0.0), rate


def _gross_pitch_error(reference: np.ndarray, estimate: np.ndarray) -> tuple[np.ndarray, float]:
    errors, rate = _pitch_error(reference, estimate)
    return (errors > GROSS).astype(float), rate


CURVES: dict[str, Curve] = {
    "M-STFT": _log_magnitude_error,
    "log-mel L1": _log_mel_error,
    "spectral convergence": _magnitude_error,
    "F0 error": _pitch_error,
    "F0 gross errors": _gross_pitch_error,
}


def worst_second(metric: str, reference: np.ndarray, estimate: np.ndarray) -> tuple[float, float] | None:
    """(start, stop) in seconds of the second in which `metric` is worst; None for a metric without a place, a perfect
    one, or a recording shorter than that. M-STFT is looked for at one of its resolutions."""
    if metric not in CURVES or len(reference) <= LENGTH * SAMPLE_RATE:
        return None
    with torch.inference_mode():
        errors, rate = CURVES[metric](reference, fit_length(estimate, len(reference)))
    frames = round(LENGTH * rate)
    if len(errors) <= frames or not errors.max() > 0:
        return None
    start = int(np.argmax(np.convolve(errors, np.ones(frames), "valid"))) / rate
    stop = min(start + LENGTH, len(reference) / SAMPLE_RATE)
    return round(stop - LENGTH, 3), round(stop, 3)
