"""Every metric there is, in groups, with what it means and when it is computed. The functions have files of their own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from eval.metrics.alignment import delay, loudness_difference
from eval.metrics.crepe import crepe_missing, log2f0_mean
from eval.metrics.distill_mos import distill_mos, model_missing
from eval.metrics.names import BETTER
from eval.metrics.note_stability import amplitude_flutter, f0_jitter, hop_buzz
from eval.metrics.pitch import (
    f0_error,
    f0_gross_errors,
    f0_median_error,
    f0_rmse_cents,
    periodicity_rmse,
    tracker_missing,
    voicing_f1,
)
from eval.metrics.predicted_mos import (
    dnsmos,
    dnsmos_missing,
    pesq_missing,
    pesq_wideband,
    visqol_missing,
    visqol_speech,
)
from eval.metrics.spectral import (
    log_mel_l1,
    log_spectral_distance,
    m_stft,
    mel_cepstral_distortion,
    spectral_convergence,
)

SPECTRAL, PITCH, TREMBLE, LEVEL, PERCEPTUAL = (
    "spectral fidelity",
    "pitch and periodicity",
    "tremble of held notes",
    "level and time",
    "predicted opinion",
)


@dataclass(frozen=True)
class Metric:
    name: str
    unit: str
    about: str
    group: str
    compute: Callable[
        [np.ndarray, np.ndarray], float
    ]  # (reference, estimate), see `eval.metrics.spectral` for conventions
    why_not: Callable[[], str | None] = lambda: None  # reason it cannot be computed here
    quick: bool = False  # shown on the page with its take: far faster than real time, and few
    on_request: bool = False  # computed only where it is asked for by name: slow, or one more view of the same
    in_place: bool = False  # of an estimate as it lies, never moved onto its reference

    @property
    def better(self) -> str:
        return BETTER[self.name]

    def value(self, reference: np.ndarray, estimate: np.ndarray) -> float | None:
        """What `compute` gives; None where it cannot be computed here or is undefined."""
        if self.why_not():
            return None
        value = self.compute(reference, estimate)
        return value if math.isfinite(value) else None


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            "M-STFT",
            "",
            "Multi-resolution STFT distance, as auraloss computes it",
            SPECTRAL,
            m_stft,
            quick=True,
        ),
        Metric(
            "log-mel L1",
            "Np",
            "Mean error of the log-power hw2 mel; 1 is 4.34 dB",
            SPECTRAL,
            log_mel_l1,
            quick=True,
        ),
        Metric(
            "spectral convergence",
            "",
            "Relative error of STFT magnitudes",
            SPECTRAL,
            spectral_convergence,
            quick=True,
        ),
        Metric(
            "log-spectral distance",
            "dB",
            "Root mean square level difference per frame",
            SPECTRAL,
            log_spectral_distance,
            on_request=True,
        ),
        Metric(
            "MCD",
            "dB",
            "Mel-cepstral distortion: 13 coefficients of the hw2 mel, no warping",
            SPECTRAL,
            mel_cepstral_distortion,
            on_request=True,
        ),
        Metric(
            "F0 error",
            "semitones",
            "Mean pitch error where the recording is voiced, by swift-f0",
            PITCH,
            f0_error,
            tracker_missing,
            quick=True,
        ),
        Metric(
            "F0 gross errors",
            "%",
            "Voiced frames more than half a semitone off, by swift-f0",
            PITCH,
            f0_gross_errors,
            tracker_missing,
            quick=True,
        ),
        Metric(
            "F0 median error",
            "semitones",
            "Median pitch error, which octave slips do not move, by swift-f0",
            PITCH,
            f0_median_error,
            tracker_missing,
            on_request=True,
        ),
        Metric(
            "F0 RMSE",
            "cents",
            "Root mean square pitch error where both are voiced, by swift-f0",
            PITCH,
            f0_rmse_cents,
            tracker_missing,
            on_request=True,
        ),
        Metric(
            "V/UV F1",
            "",
            "Agreement on where there is a pitch at all, by swift-f0",
            PITCH,
            voicing_f1,
            tracker_missing,
            on_request=True,
        ),
        Metric(
            "periodicity RMSE",
            "",
            "Root mean square difference of swift-f0's confidence, 0 to 1",
            PITCH,
            periodicity_rmse,
            tracker_missing,
            on_request=True,
        ),
        Metric(
            "log2f0_mean",
            "semitones",
            "The homework's mean pitch error, by CREPE medium with Viterbi decoding",
            PITCH,
            log2f0_mean,
            crepe_missing,
            on_request=True,
        ),
        Metric(
            "F0 jitter",
            "dB",
            "F0 movement at 8 to 40 Hz on held notes, against the recording's",
            TREMBLE,
            f0_jitter,
            tracker_missing,
        ),
        Metric(
            "amplitude flutter",
            "dB",
            "Level movement of the fundamental at 10 to 40 Hz on held notes, against the recording's",
            TREMBLE,
            amplitude_flutter,
            tracker_missing,
        ),
        Metric(
            "hop buzz",
            "dB",
            "Lines at multiples of 86.13 Hz between the harmonics of held notes, against the recording's",
            TREMBLE,
            hop_buzz,
            tracker_missing,
        ),
        Metric(
            "loudness",
            "LU",
            "How much louder than the recording (ITU-R BS.1770)",
            LEVEL,
            loudness_difference,
            on_request=True,
        ),
        Metric(
            "delay",
            "samples",
            "How late the take is, up to a second, by cross-correlation; undefined where they do not correlate",
            LEVEL,
            delay,
            on_request=True,
            in_place=True,
        ),
        Metric(
            "PESQ-WB",
            "MOS-LQO",
            "ITU-T P.862.2 against the recording at 16 kHz; made for telephone speech",
            PERCEPTUAL,
            pesq_wideband,
            pesq_missing,
            on_request=True,
        ),
        Metric(
            "ViSQOL",
            "MOS-LQO",
            "ViSQOL v3, speech mode; compares spectrograms, and without visqol-python[lattice] it rates high",
            PERCEPTUAL,
            visqol_speech,
            visqol_missing,
            on_request=True,
        ),
        Metric(
            "DNSMOS",
            "MOS",
            "Overall quality without the recording; made to judge noise suppression in speech",
            PERCEPTUAL,
            dnsmos,
            dnsmos_missing,
            on_request=True,
        ),
        Metric(
            "Distill-MOS",
            "MOS",
            "Opinion score predicted without the recording; made for speech",
            PERCEPTUAL,
            distill_mos,
            model_missing,
        ),
    )
}


def choose_metrics(text: str | None) -> list[Metric]:
    """Metrics from a comma-separated list; those computed unasked when None, every one for "all".

    Errors: ValueError listing the known names.
    """
    if text is None:
        return [metric for metric in METRICS.values() if not metric.on_request]
    if text.strip() == "all":
        return list(METRICS.values())
    names = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := [name for name in names if name not in METRICS] or not names:
        raise ValueError(f"unknown metric {', '.join(unknown) if names else '(none)'!r}; known: {', '.join(METRICS)}")
    return [METRICS[name] for name in names]
