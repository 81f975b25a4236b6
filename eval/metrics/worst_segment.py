"""Where in a recording a metric is worst: the second to listen to."""

from __future__ import annotations

import numpy as np
import torch

from eval.metrics.registry import METRICS
from vocoders.audio import SAMPLE_RATE, fit_length

LOOP_SECONDS = 1.0


def worst_second(metric: str, reference: np.ndarray, estimate: np.ndarray) -> tuple[float, float] | None:
    """(start, stop) in seconds of the second in which `metric` is worst; None for a metric without a place, a perfect
    one, or a recording shorter than that. M-STFT is looked for at one of its resolutions."""
    curve = METRICS[metric].curve
    if curve is None or len(reference) <= LOOP_SECONDS * SAMPLE_RATE:
        return None
    with torch.inference_mode():
        errors, rate = curve(reference, fit_length(estimate, len(reference)))
    frames = round(LOOP_SECONDS * rate)
    if len(errors) <= frames or not errors.max() > 0:
        return None
    start = int(np.argmax(np.convolve(errors, np.ones(frames), "valid"))) / rate
    stop = min(start + LOOP_SECONDS, len(reference) / SAMPLE_RATE)
    return round(stop - LOOP_SECONDS, 3), round(stop, 3)
