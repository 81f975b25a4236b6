"""Distill-MOS: a mean opinion score predicted without a reference (Stahl & Gamper 2025, microsoft/Distill-MOS).

Trained on speech: between takes of one recording of singing it ranks plausibly, its absolute value means little there.
What its transformer makes of a recording, before that becomes a score, also serves as an embedding.
"""

from __future__ import annotations

import functools
import importlib.util
import itertools

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
    with torch.inference_mode():
        return float(_model()(torch.from_numpy(_long_enough(_resampled(estimate)))[None]))


EMBEDDING_SECONDS = 0.16  # averaged over; 8 of the model's frames


def distillmos_embeddings(samples: np.ndarray) -> np.ndarray:
    """(n,) float32 at 22 050 Hz -> (windows, 200) float32, one per 0.16 s; empty for silence.

    The recording is cut into the 7.68 s the model takes; of the last, repeated piece only what is not a repetition counts.
    """
    if not samples.any():
        return np.zeros((0, 200), np.float32)
    samples, found = _resampled(samples), []
    for first in range(0, len(samples), SHORTEST):
        piece = samples[first : first + SHORTEST]
        frames = _frames_of(_long_enough(piece))
        wanted = max(1, round(len(piece) / MODEL_RATE / EMBEDDING_SECONDS))
        count = len(frames) * EMBEDDING_SECONDS * MODEL_RATE / SHORTEST  # frames per window
        edges = np.rint(np.arange(wanted + 1) * count).astype(int)
        found += [frames[start:stop].mean(0) for start, stop in itertools.pairwise(edges) if stop <= len(frames)]
    return np.stack(found)


def _frames_of(samples: np.ndarray) -> np.ndarray:
    """What is pooled into the score: (frames, 200) of exactly `SHORTEST` samples at 16 kHz."""
    model, kept = _model(), []
    hook = model.transformer_pool_attn.pool.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))
    try:
        with torch.inference_mode():
            model(torch.from_numpy(samples)[None])
    finally:
        hook.remove()
    return kept[0][0].numpy()


def _resampled(samples: np.ndarray) -> np.ndarray:
    import soxr

    return soxr.resample(samples, SAMPLE_RATE, MODEL_RATE, quality="VHQ").astype(np.float32)


def _long_enough(samples: np.ndarray) -> np.ndarray:
    return np.tile(samples, -(-SHORTEST // len(samples)))[:SHORTEST] if len(samples) < SHORTEST else samples
