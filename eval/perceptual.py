"""PESQ, wideband: how a listener would rate the estimate against the recording over the telephone (ITU-T P.862.2)."""

from __future__ import annotations

import importlib.util

import numpy as np

from vocoders.audio import SAMPLE_RATE, fit_length

RATE = 16_000  # Hz
SHORTEST = 0.25  # seconds


def pesq_missing() -> str | None:
    return None if importlib.util.find_spec("pesq") else "the package pesq, which needs a C compiler, is not installed"


def pesq_wideband(reference: np.ndarray, estimate: np.ndarray) -> float:
    """MOS-LQO, 1.04 to 4.64; nan where PESQ finds no utterance, and below 0.25 s."""
    import pesq
    import soxr

    if len(reference) < SHORTEST * SAMPLE_RATE or not reference.any() or not estimate.any():
        return float("nan")
    pair = (reference, fit_length(estimate, len(reference)))
    wanted, found = (soxr.resample(x, SAMPLE_RATE, RATE, quality="VHQ").astype(np.float32) for x in pair)
    try:
        return float(pesq.pesq(RATE, wanted, found, "wb"))
    except (pesq.NoUtterancesError, pesq.BufferTooShortError):
        return float("nan")
