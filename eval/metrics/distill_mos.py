"""Distill-MOS: a mean opinion score predicted without a reference (Stahl & Gamper 2025, microsoft/Distill-MOS).

Trained on speech: between outputs for one recording of singing it ranks plausibly, its absolute value means little there.
The transformer's activations, before they become a score, also serve as an embedding.
"""

from __future__ import annotations

import functools
import itertools
import threading

import numpy as np
import torch

from common.content_cache import cached_by_content
from eval.metrics.metric import OPINION, metric, package
from vocoders.audio import SAMPLE_RATE
from vocoders.torchaudio_cpu import import_torchaudio

MODEL_RATE = 16_000  # Hz
MIN_MODEL_SAMPLES = round(7.68 * MODEL_RATE)  # shorter clips are repeated: padding with silence lowers the score
MAX_STEP_SAMPLES = MODEL_RATE  # between the starts of pieces of a longer one
PIECES_AT_A_TIME = 2  # more take more processor time each, and 30 MB each


model_missing = package("distillmos", "distillmos")


@functools.cache
def _model() -> torch.nn.Module:
    import_torchaudio()  # distillmos imports it, which fails beside CPU torch without the shim
    import contextlib
    import io

    import distillmos

    with contextlib.redirect_stdout(io.StringIO()):  # it prints where its weights are
        return distillmos.ConvTransformerSQAModel(segmenting_in_forward=False).eval()


@metric(
    "Distill-MOS",
    "Opinion score predicted without the recording; made for speech",
    group=OPINION,
    unit="MOS",
    better="higher",
    requires=model_missing,
)
def distill_mos(_reference: np.ndarray, estimate: np.ndarray) -> float:
    """Predicted MOS of (n,) float32 at 22 050 Hz, about 1 to 5; the reference is not looked at. nan for silence."""
    return _look(estimate)[0] if estimate.any() else float("nan")


EMBEDDING_SECONDS = 0.16  # averaged over; 8 of the model's frames
_LOOKING = threading.Lock()  # what is pooled is caught by a hook, which must not see another thread's


def distillmos_embeddings(samples: np.ndarray) -> np.ndarray:
    """(n,) float32 at 22 050 Hz -> (windows, 200) float32, one per 0.16 s; empty for silence."""
    if not samples.any():
        return np.zeros((0, 200), np.float32)
    frames = _look(samples)[1]
    wanted = max(1, round(len(samples) / SAMPLE_RATE / EMBEDDING_SECONDS))
    edges = np.rint(np.linspace(0, len(frames), wanted + 1)).astype(int)
    return np.stack([frames[start : max(stop, start + 1)].mean(0) for start, stop in itertools.pairwise(edges)])


@cached_by_content(8)
def _look(samples: np.ndarray) -> tuple[float, np.ndarray]:
    """The score, and what was pooled into it: (frames, 200), one frame per 20 ms of the recording.

    The model looks at overlapping pieces of 7.68 s, cut here as the package cuts them; of each, only what the ones before did not
    cover is kept, and of a short recording, which is repeated, only the first time.
    """
    import soxr

    samples = soxr.resample(samples, SAMPLE_RATE, MODEL_RATE, quality="VHQ")
    length, model, kept, scores = len(samples), _model(), [], []
    if length < MIN_MODEL_SAMPLES:
        samples = np.tile(samples, -(-MIN_MODEL_SAMPLES // length))[:MIN_MODEL_SAMPLES]
    surplus = len(samples) - MIN_MODEL_SAMPLES
    starts = np.linspace(0, 1, -(-surplus // MAX_STEP_SAMPLES) + 1) * surplus
    cut = [torch.from_numpy(samples[int(start) :][:MIN_MODEL_SAMPLES].astype(np.float32)) for start in starts]
    with _LOOKING, torch.inference_mode():
        hook = model.transformer_pool_attn.pool.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))
        try:
            for first in range(0, len(cut), PIECES_AT_A_TIME):
                scores.append(model(torch.stack(cut[first : first + PIECES_AT_A_TIME])))
        finally:
            hook.remove()
    score, pieces = float(torch.cat(scores).mean()), torch.cat(kept).numpy()  # (pieces, frames, 200)
    per_piece = pieces.shape[1]
    found, covered = [], 0.0
    for start, frames in zip(starts, pieces):
        found.append(frames[round((covered - start) / MIN_MODEL_SAMPLES * per_piece) :] if covered > start else frames)
        covered = start + MIN_MODEL_SAMPLES
    every = np.concatenate(found)
    return score, every[: max(1, round(length / MIN_MODEL_SAMPLES * per_piece))]
