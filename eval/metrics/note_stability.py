"""Stability of long notes: F0 jitter, amplitude flutter, and buzz at the hop rate.

Only *sustained* stretches of the reference count: voiced, and with a slowly moving F0. On each of them the fundamental of
both signals is brought down to 0 Hz along the reference's smoothed F0,

    z(t) = lowpass[ x(t) exp(-2 pi i  integral f(t)) ]         half-width 0.4 f

so that what is left of its phase is the F0's fast movement, sample by sample, with no tracker's window in between. Vibrato
lives at 3 to 8 Hz and must stay; what a vocoder adds lies above.

Every metric compares the estimate with the reference, in dB: 0 is the optimum, above it there is more movement than was
sung. nan where the reference has no sustained stretch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal

from common.content_cache import cached_by_content
from eval.metrics.metric import STABILITY, metric
from eval.metrics.pitch import PitchTrack, cached_track, tracker_missing, unbroken
from vocoders.audio import SAMPLE_RATE, fit_length
from vocoders.mel import F_MAX, HOP

SMOOTHING_SECONDS = 0.24  # moving average of the F0 track: longer than a period of vibrato
MAX_SLOPE_SEMITONES_PER_SECOND = 6.0  # of the smoothed F0
MIN_NOTE_SECONDS = 0.4
EDGE_SECONDS = 0.06  # cut off both ends of a note after filtering
RATE_DIVISOR = 110  # samples per point of a modulation curve
CURVE_RATE_HZ = SAMPLE_RATE / RATE_DIVISOR  # 200
MAX_SHOWN_RATE_HZ = 40.0  # end of the modulation spectrum that is shown
JITTER_BAND_HZ, FLUTTER_BAND_HZ = (8.0, 40.0), (10.0, 40.0)
HOP_RATE_HZ = SAMPLE_RATE / HOP  # 86.13


@dataclass(frozen=True, eq=False)
class SustainedNote:
    """Samples [start, stop) and the smoothed F0 of each, in Hz."""

    start: int
    stop: int
    hertz: np.ndarray


def sustained(track: PitchTrack) -> list[SustainedNote]:
    """The sustained notes of a recording."""
    step = float(np.median(np.diff(track.seconds))) if len(track.seconds) > 1 else SMOOTHING_SECONDS
    width = max(1, round(SMOOTHING_SECONDS / step))
    notes = []
    for run in unbroken(track.voiced):
        if len(run) < max(width, MIN_NOTE_SECONDS / step):
            continue
        semitones = 12 * np.log2(track.hertz[run])
        smooth = np.convolve(np.pad(semitones, width // 2, mode="edge"), np.ones(width) / width, "valid")[: len(run)]
        steady = np.abs(np.gradient(smooth, step)) < MAX_SLOPE_SEMITONES_PER_SECOND
        for part in unbroken(steady):
            if len(part) * step >= MIN_NOTE_SECONDS:
                notes.append(_sustained_note(track.seconds[run[part]], smooth[part]))
    return notes


def _sustained_note(seconds: np.ndarray, semitones: np.ndarray) -> SustainedNote:
    start, stop = round(seconds[0] * SAMPLE_RATE), round(seconds[-1] * SAMPLE_RATE)
    times = np.arange(start, stop) / SAMPLE_RATE
    return SustainedNote(start, stop, 2 ** (np.interp(times, seconds, semitones) / 12))


@dataclass(frozen=True, eq=False)
class Modulation:
    """Of a held note's fundamental, 200 values per second: its F0 in cents from the smoothed one, its level in dB."""

    cents: np.ndarray
    decibels: np.ndarray


def modulation(samples: np.ndarray, note: SustainedNote) -> Modulation:
    """How the fundamental moves around the note's F0. samples: the whole signal, (n,)."""
    x = samples[note.start : note.stop].astype(np.float64)
    phase = 2 * np.pi * np.cumsum(note.hertz) / SAMPLE_RATE
    lowpass = signal.butter(4, 0.4 * np.median(note.hertz), fs=SAMPLE_RATE, output="sos")
    z = signal.sosfiltfilt(lowpass, x * np.exp(-1j * phase))
    hertz = np.diff(np.unwrap(np.angle(z))) * SAMPLE_RATE / (2 * np.pi) + note.hertz[1:]
    cents = 1200 * np.log2(np.maximum(hertz, 1.0) / note.hertz[1:])
    decibels = 20 * np.log10(np.abs(z[1:]) + 1e-9)
    cut = round(EDGE_SECONDS * SAMPLE_RATE)
    return Modulation(_thinned(cents[cut:-cut]), _thinned(decibels[cut:-cut]))


def _thinned(values: np.ndarray) -> np.ndarray:
    whole = len(values) // RATE_DIVISOR * RATE_DIVISOR
    return values[:whole].reshape(-1, RATE_DIVISOR).mean(axis=1)


def modulation_spectrum(samples: np.ndarray, note: SustainedNote) -> tuple[np.ndarray, np.ndarray]:
    """How much the F0 moves, by how fast: (Hz, level in dB re 1 cent), from 1 Hz to `MAX_SHOWN_RATE_HZ`, Welch's method."""
    cents = modulation(samples, note).cents
    rate, power = signal.welch(cents, CURVE_RATE_HZ, nperseg=min(len(cents), round(CURVE_RATE_HZ)), scaling="spectrum")
    kept = (rate > 1) & (rate <= MAX_SHOWN_RATE_HZ)
    return rate[kept], 10 * np.log10(power[kept] + 1e-4)


def band_power(values: np.ndarray, band: tuple[float, float]) -> float:
    """Mean square of what lies in a band of a modulation curve, Hz."""
    filtered = signal.sosfiltfilt(
        signal.butter(4, band, "bandpass", fs=CURVE_RATE_HZ, output="sos"), values - values.mean()
    )
    return float(np.mean(filtered**2))


@metric(
    "F0 jitter",
    "F0 movement at 8 to 40 Hz on held notes, against the recording's",
    group=STABILITY,
    unit="dB",
    better="nearest 0",
    requires=tracker_missing,
)
def f0_jitter(reference: np.ndarray, estimate: np.ndarray) -> float:
    """F0 movement at 8 to 40 Hz on held notes, estimate against reference, in dB."""
    return _compared(reference, estimate, lambda moves: band_power(moves.cents, JITTER_BAND_HZ))


@metric(
    "amplitude flutter",
    "Level movement of the fundamental at 10 to 40 Hz on held notes, against the recording's",
    group=STABILITY,
    unit="dB",
    better="nearest 0",
    requires=tracker_missing,
)
def amplitude_flutter(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Level movement of the fundamental at 10 to 40 Hz on held notes, estimate against reference, in dB."""
    return _compared(reference, estimate, lambda moves: band_power(moves.decibels, FLUTTER_BAND_HZ))


def _compared(reference: np.ndarray, estimate: np.ndarray, power) -> float:
    """Powers averaged over the notes, weighted by their length, then compared."""
    notes = _sustained_in(reference)
    if not notes:
        return float("nan")
    estimate = fit_length(estimate, len(reference))
    weights = [note.stop - note.start for note in notes]
    wanted, found = (
        np.average([power(modulation(samples, note)) for note in notes], weights=weights)
        for samples in (reference, estimate)
    )
    return float(10 * np.log10(max(found, 1e-12) / max(wanted, 1e-12)))


@cached_by_content(16)
def _sustained_in(samples: np.ndarray) -> list[SustainedNote]:
    return sustained(cached_track(samples))


@metric(
    "hop buzz",
    "Lines at multiples of 86.13 Hz, the rate of mel frames, between the harmonics of held notes: heard as a buzz; against the recording's",
    group=STABILITY,
    unit="dB",
    better="nearest 0",
    requires=tracker_missing,
)
def hop_buzz(reference: np.ndarray, estimate: np.ndarray) -> float:
    """How far lines at multiples of the hop rate, 86.13 Hz, stand out between the harmonics of held notes, estimate
    against reference, in dB."""
    notes = _sustained_in(reference)
    estimate = fit_length(estimate, len(reference))
    differences, weights = [], []
    for note in notes:
        wanted, found = (_standing_out(samples, note) for samples in (reference, estimate))
        if wanted is not None and found is not None:
            differences.append(found - wanted)
            weights.append(note.stop - note.start)
    return float(np.average(differences, weights=weights)) if differences else float("nan")


def _standing_out(samples: np.ndarray, note: SustainedNote) -> float | None:
    """dB of those lines above their surroundings, on average; None where harmonics cover all of them."""
    x = samples[note.start : note.stop].astype(np.float64)
    window = signal.windows.blackmanharris(len(x))
    power = np.abs(np.fft.rfft(x * window)) ** 2 + 1e-20
    resolution = SAMPLE_RATE / len(x)
    f0 = float(np.median(note.hertz))
    lines = np.arange(1, int(F_MAX / HOP_RATE_HZ) + 1) * HOP_RATE_HZ
    lines = lines[np.abs(lines / f0 - np.rint(lines / f0)) > 0.3]  # well between two harmonics
    if not len(lines):
        return None
    reach = 3 * resolution  # half the main lobe of the window, and a bit
    hertz = np.arange(len(power)) * resolution
    above = []
    for line in lines:
        distance = np.abs(hertz - line)
        around = power[(distance > reach) & (distance < reach + 0.15 * f0)]
        above.append(10 * np.log10(power[distance <= reach].max() / np.median(around)))
    return float(np.mean(above))
