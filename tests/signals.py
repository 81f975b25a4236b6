"""Signals that many tests use."""

from __future__ import annotations

import numpy as np

from vocoders.audio import SAMPLE_RATE


def harmonic_tone(seconds: float = 1.5, f0: float = 196.0, vibrato: float = 0.03, seed: int = 0) -> np.ndarray:
    """A bright sung-like tone: 40 falling harmonics with 5.5 Hz vibrato and a little noise; (n,) float32, peak 0.5."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * np.cumsum(f0 * (1 + vibrato * np.sin(2 * np.pi * 5.5 * time))) / SAMPLE_RATE
    harmonics = [np.sin(k * phase) / k for k in range(1, 41) if k * f0 * (1 + vibrato) < SAMPLE_RATE / 2]
    noise = np.random.default_rng(seed).normal(0, 0.01, len(time))
    tone = np.sum(harmonics, axis=0) + noise
    return (0.5 * tone / np.abs(tone).max()).astype(np.float32)
