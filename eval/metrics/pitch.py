"""F0 tracks and what is wrong with them, by the fast tracker swift-f0 (a small network; 16 ms frames).

The homework's `log2f0_mean` is CREPE's and carries another name. Octave slips dominate a mean, so the share of gross
errors stands beside it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from common import onnx_runtime
from common.content_cache import cached_by_content
from eval.metrics.metric import PITCH, metric, package
from vocoders.audio import SAMPLE_RATE, fit_length

MIN_CONFIDENCE = 0.6  # a frame counts where the reference's confidence is above
MIN_F0_HZ, MAX_F0_HZ = 50.0, 2093.0  # what counts as a pitch, up to the tracker's limit
MIN_GROSS_ERROR_SEMITONES = 0.5


@dataclass(frozen=True, eq=False)
class PitchTrack:
    """`hertz` and `confidence` (0 to 1) are (frames,), `seconds` their centres."""

    seconds: np.ndarray
    hertz: np.ndarray
    confidence: np.ndarray

    @property
    def voiced(self) -> np.ndarray:
        """(frames,) bool: confident enough, and within the range of a voice."""
        return (self.confidence > MIN_CONFIDENCE) & (self.hertz > MIN_F0_HZ) & (self.hertz < MAX_F0_HZ)


def unbroken(mask: np.ndarray) -> list[np.ndarray]:
    """Indices of each unbroken stretch of True in (n,) booleans."""
    indices = np.flatnonzero(mask)
    return [run for run in np.split(indices, np.flatnonzero(np.diff(indices) > 1) + 1) if len(run)]


tracker_missing = package("swift_f0", "swift-f0")


@functools.cache
def _tracker():
    onnx_runtime.silence()
    from swift_f0 import SwiftF0

    return SwiftF0(threads=1)  # two take twice the processor time, most of it waiting for each other


def track_pitch(samples: np.ndarray) -> PitchTrack:
    """(n,) float32 at 22 050 Hz -> F0 every 16 ms. Errors: ImportError without swift-f0."""
    result = _tracker().detect(np.ascontiguousarray(samples, dtype=np.float32), SAMPLE_RATE)
    return PitchTrack(result.timestamps, result.pitch_hz, result.confidence)


def pitch_errors(reference: PitchTrack, estimate: PitchTrack) -> np.ndarray:
    """|12 log2(reference / estimate)| in semitones, over frames voiced in the reference; may be empty."""
    frames = min(len(reference.hertz), len(estimate.hertz))
    voiced = reference.voiced[:frames] & (estimate.hertz[:frames] > 0)
    return np.abs(12 * np.log2(reference.hertz[:frames][voiced] / estimate.hertz[:frames][voiced]))


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
    return (errors > MIN_GROSS_ERROR_SEMITONES).astype(float), rate


@metric(
    "F0 error",
    "Mean pitch error where the recording is voiced, by swift-f0",
    group=PITCH,
    unit="semitones",
    requires=tracker_missing,
    quick=True,
    curve=_pitch_error,
)
def f0_error(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Mean pitch error in semitones; nan where nothing is voiced."""
    errors = _errors(reference, estimate)
    return float(errors.mean()) if len(errors) else float("nan")


@metric(
    "F0 gross errors",
    "Voiced frames more than half a semitone off, by swift-f0",
    group=PITCH,
    unit="%",
    requires=tracker_missing,
    quick=True,
    curve=_gross_pitch_error,
)
def f0_gross_errors(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Share of voiced frames more than half a semitone off, in percent; nan where nothing is voiced."""
    errors = _errors(reference, estimate)
    return float(100 * (errors > MIN_GROSS_ERROR_SEMITONES).mean()) if len(errors) else float("nan")


@metric(
    "F0 median error",
    "Median pitch error, which octave slips do not move, by swift-f0",
    group=PITCH,
    unit="semitones",
    requires=tracker_missing,
    on_request=True,
)
def f0_median_error(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Median pitch error in semitones; nan where nothing is voiced."""
    errors = _errors(reference, estimate)
    return float(np.median(errors)) if len(errors) else float("nan")


@metric(
    "F0 RMSE",
    "Root mean square pitch error where both are voiced, by swift-f0",
    group=PITCH,
    unit="cents",
    requires=tracker_missing,
    on_request=True,
)
def f0_rmse_cents(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Root mean square pitch error in cents where both are voiced; nan where that is nowhere."""
    wanted, found = _tracks(reference, estimate)
    both = wanted.voiced & found.voiced
    cents = 1200 * np.log2(wanted.hertz[both] / found.hertz[both])
    return float(np.sqrt(np.mean(cents**2))) if len(cents) else float("nan")


@metric(
    "V/UV F1",
    "Agreement on where there is a pitch at all, by swift-f0",
    group=PITCH,
    better="higher",
    requires=tracker_missing,
    on_request=True,
)
def voicing_f1(reference: np.ndarray, estimate: np.ndarray) -> float:
    """F1 of the estimate's voiced frames against the reference's, 0 to 1; nan where nothing is voiced."""
    wanted, found = (track.voiced for track in _tracks(reference, estimate))
    total = wanted.sum() + found.sum()
    return float(2 * (wanted & found).sum() / total) if wanted.any() else float("nan")


@metric(
    "periodicity RMSE",
    "Root mean square difference of swift-f0's confidence, 0 to 1",
    group=PITCH,
    requires=tracker_missing,
    on_request=True,
)
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


@cached_by_content(16)
def cached_track(samples: np.ndarray) -> PitchTrack:
    """`track_pitch`, once per content: metrics and pictures of one comparison ask for the same ones again."""
    return track_pitch(samples)
