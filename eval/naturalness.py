"""Distill-MOS: a mean opinion score predicted without a reference (Stahl & Gamper 2025, microsoft/Distill-MOS).

Trained on speech: between takes of one recording of singing it ranks plausibly, its absolute value means little there.
"""

from __future__ import annotations

import functools
import importlib.util

import numpy as np
import torch

from vocoders.audio import SAMPLE_RATE
from vocoders.torchaudio_cpu import import_torchaudio

MODEL_RATE = 16_000  # Hz
SHORTEST = round(7.68 * MODEL_RATE)  # samples; shorter clips are repeated, since padding with silence lowers the score


def model_missing() -> str | None:
    return None if importlib.util.find_spec("distillmos") else "the package distillmos is not installed"


@functools.cache
def _model() -> torch.nn.Module:
    import_torchaudio()  # distillmos imports it, which fails beside CPU torch without the shim
    import contextlib
    import io

    import distillmos

    with contextlib.redirect_stdout(io.StringIO()):  # it prints where its weights are
        return distillmos.ConvTransformerSQAModel().eval()


def distill_mos(_reference: np.ndarray, estimate: np.ndarray) -> float:
    """Predicted MOS of (n,) float32 at 22 050 Hz, about 1 to 5; the reference is not looked at. nan for silence."""
    if not estimate.any():
        return float("nan")
    import soxr

    samples = soxr.resample(estimate, SAMPLE_RATE, MODEL_RATE, quality="VHQ").astype(np.float32)
    if len(samples) < SHORTEST:
        samples = np.tile(samples, -(-SHORTEST // len(samples)))[:SHORTEST]
    with torch.inference_mode():
        return float(_model()(torch.from_numpy(samples)[None]))
