"""F0 tracks and what is wrong with them, by the fast tracker swift-f0 (a small network; 16 ms frames).

The homework's `log2f0_mean` is CREPE's and carries another name. Octave slips dominate a mean, so the share of gross
errors stands beside it.
"""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import dataclass

import numpy as np

from common import onnx_runtime
from common.content_cache import remembered
from vocoders.audio import SAMPLE_RATE, fit_length

CONFIDENT = 0.6  # a frame counts where the reference's confidence is above
LOWEST, HIGHEST = 50.0, 2093.0  # Hz; what counts as a pitch, up to the tracker's limit
GROSS = 0.5  # semitones


@dataclass(frozen=True, eq=False)
class PitchTrack:
    """`hertz` and `confidence` (0 to 1) are (frames,), `seconds` their centres."""

    seconds: np.ndarray
    hertz: np.ndarray
    confidence: np.ndarray

    @property
    def voiced(self) -> np.ndarray:
        return (self.confidence > CONFIDENT) & (self.hertz > LOWEST) & (self.hertz < HIGHEST)


def unbroken(mask: np.ndarray) -> list[np.ndarray]:
    """Indices of each unbroken stretch of True in (n,) booleans."""
    indices = np.flatnonzero(mask)
    return [run for run in np.split(indices, np.flatnonzero(np.diff(indices) > 1) + 1) if len(run)]


def tracker_missing() -> str | None:
    return None if importlib.util.find_spec("swift_f0") else "the package swift-f0 is not installed"


@functools.cache
def _tracker():
    onnx_runtime.silence()
    from swift_f0 import SwiftF0

    return SwiftF0()


def track_pitch(samples: np.ndarray) -> PitchTrack:
    """(n,) float32 at 22 050 Hz -> F0 every 16 ms. Errors: ImportError without swift-f0."""
    result = _tracker().detect(np.ascontiguousarray(samples, dtype=np.float32), SAMPLE_RATE)
    return PitchTrack(result.timestamps, result.pitch_hz, result.confidence)


def pitch_errors(reference: PitchTrack, estimate: PitchTrack) -> np.ndarray:
    """|12 log2(reference / estimate)| in semitones, over frames voiced in the reference; may be empty."""
    frames = min(len(reference.hertz), len(estimate.hertz))
    voiced = reference.voiced[:frames] & (estimate.hertz[:frames] > 0)
    return np.abs(12 * np.log2(reference.hertz[:frames][voiced] / estimate.hertz[:frames][voiced]))


def f0_error(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Mean pitch error in semitones; nan where nothing is voiced."""
    errors = _errors(reference, estimate)
    return float(errors.mean()) if len(errors) else float("nan")


def f0_gross_errors(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Share of voiced frames more than half a semitone off, in percent; nan where nothing is voiced."""
    errors = _errors(reference, estimate)
    return float(100 * (errors > GROSS).mean()) if len(errors) else float("nan")


def f0_median_error(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Median pitch error in semitones; nan where nothing is voiced."""
    errors = _errors(reference, estimate)
    return float(np.median(errors)) if len(errors) else float("nan")


def f0_rmse_cents(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Root mean square pitch error in cents where both are voiced; nan where that is nowhere."""
    wanted, found = _tracks(reference, estimate)
    both = wanted.voiced & found.voiced
    cents = 1200 * np.log2(wanted.hertz[both] / found.hertz[both])
    return float(np.sqrt(np.mean(cents**2))) if len(cents) else float("nan")


def voicing_f1(reference: np.ndarray, estimate: np.ndarray) -> float:
    """F1 of the estimate's voiced frames against the reference's, 0 to 1; nan where nothing is voiced."""
    wanted, found = (track.voiced for track in _tracks(reference, estimate))
    total = wanted.sum() + found.sum()
    return float(2 * (wanted & found).sum() / total) if wanted.any() else float("nan")


def periodicity_rmse(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Root mean square difference of the tracker's confidence, 0 to 1 (Morrison et al. 2022, with another tracker);
    nan for recordings without a frame."""
    wanted, found = (track.confidence for track in _tracks(reference, estimate))
    return float(np.sqrt(np.mean((wanted - found) ** 2))) if len(wanted) else float("nan")


def _tracks(reference: np.ndarray, estimate: np.ndarray) -> tuple[PitchTrack, PitchTrack]:
    """Of equally many frames; what the estimate lacks of the reference's length is silence."""
    return cached_track(reference), cached_track(fit_length(estimate, len(reference)))


def _errors(reference: np.ndarray, estimate: np.ndarray) -> np.ndarray:
    return pitch_errors(*_tracks(reference, estimate))


@remembered(16)
def cached_track(samples: np.ndarray) -> PitchTrack:
    """`track_pitch`, once per content: metrics and pictures of one comparison ask for the same ones again."""
    return track_pitch(samples)
