"""Opinion scores that other people's models predict, each with what it was made for; all packages are optional.

PESQ and ViSQOL compare with the recording; ViSQOL's speech mode compares spectrograms, which favours Griffin-Lim. DNSMOS
looks at the estimate alone and was made to judge noise suppression in speech.
"""

from __future__ import annotations

import functools

import numpy as np

from common import onnx_runtime
from eval.metrics.metric import OPINION, metric, package
from vocoders.audio import SAMPLE_RATE, fit_length

RATE = 16_000  # Hz, of all three
MIN_SECONDS = 0.25


@metric(
    "PESQ-WB",
    "ITU-T P.862.2 against the recording at 16 kHz; made for telephone speech",
    group=OPINION,
    unit="MOS-LQO",
    better="higher",
    requires=package("pesq", "pesq, which needs a C compiler,"),
    on_request=True,
)
def pesq_wideband(reference: np.ndarray, estimate: np.ndarray) -> float:
    """ITU-T P.862.2, MOS-LQO from 1.04 to 4.64; nan where PESQ finds no utterance, and below 0.25 s."""
    import pesq

    if not _usable(reference, estimate):
        return float("nan")
    try:
        return float(pesq.pesq(RATE, _resampled(reference), _resampled(fit_length(estimate, len(reference))), "wb"))
    except (pesq.NoUtterancesError, pesq.BufferTooShortError):
        return float("nan")


@metric(
    "ViSQOL",
    "ViSQOL v3, speech mode; compares spectrograms, and without visqol-python[lattice] it rates high",
    group=OPINION,
    unit="MOS-LQO",
    better="higher",
    requires=package("visqol", "visqol-python, part of which needs a C compiler,"),
    on_request=True,
)
def visqol_speech(reference: np.ndarray, estimate: np.ndarray) -> float:
    """ViSQOL v3 in speech mode (Chinen et al. 2020), MOS-LQO from 1 to 5; nan for silence and below 1 s."""
    if len(reference) < SAMPLE_RATE or not _usable(reference, estimate):
        return float("nan")
    pair = (_resampled(x).astype(np.float64) for x in (reference, fit_length(estimate, len(reference))))
    return float(_visqol().measure_from_arrays(*pair, sample_rate=RATE).moslqo)


@functools.cache
def _visqol():
    from visqol import VisqolApi

    api = VisqolApi()
    api.create(mode="speech")
    return api


@metric(
    "DNSMOS",
    "Overall quality without the recording; made to judge noise suppression in speech",
    group=OPINION,
    unit="MOS",
    better="higher",
    requires=package("speechmos", "speechmos"),
    on_request=True,
)
def dnsmos(_reference: np.ndarray, estimate: np.ndarray) -> float:
    """Overall quality by DNSMOS P.835 (Reddy et al. 2022), 1 to 5; the reference is not looked at. nan for silence."""
    if not _usable(estimate, estimate):
        return float("nan")
    onnx_runtime.silence()
    from speechmos import dnsmos as model

    loud = _resampled(estimate)
    return float(model.run(loud / max(1.0, float(np.abs(loud).max())), sr=RATE)["ovrl_mos"])


def _usable(reference: np.ndarray, estimate: np.ndarray) -> bool:
    return len(reference) >= MIN_SECONDS * SAMPLE_RATE and bool(reference.any()) and bool(estimate.any())


def _resampled(samples: np.ndarray) -> np.ndarray:
    import soxr

    return soxr.resample(samples, SAMPLE_RATE, RATE, quality="VHQ").astype(np.float32)
