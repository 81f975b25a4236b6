"""Signals that many tests use."""

from __future__ import annotations

import numpy as np

from vocoders.audio import SAMPLE_RATE


def harmonic_tone(seconds: float = 1.5, f0: float = 196.0, vibrato: float = 0.03, seed: int = 0) -> np.ndarray:
    """A bright sung-like tone: 40 falling harmonics with 5.5 Hz vibrato and a little noise; (n,) float32, peak 0.5."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * np.cumsum(f0 * (1 + vibrato * np.sin(2 * np.pi * 5.5 * time))) / SAMPLE_RATE
    tone = np.random.default_rng(seed).normal(0, 0.01, len(time))
    before, harmonic, twice_cos = np.zeros(len(time)), np.sin(phase), 2 * np.cos(phase)
    for k in range(1, 1 + min(40, int(SAMPLE_RATE / 2 / (f0 * (1 + vibrato))))):
        tone += harmonic / k
        before, harmonic = (
            harmonic,
            twice_cos * harmonic - before,
        )  # sin((k + 1) x) = 2 cos(x) sin(k x) - sin((k - 1) x)
    return (0.5 * tone / np.abs(tone).max()).astype(np.float32)
