"""Random phrases of the synthetic singer: steadier than any person's, and without a room's noise."""

from __future__ import annotations

import numpy as np

from train.small_models.singer.synthesis import SAMPLE_RATE, sing
from train.small_models.singer.voices import BARITONE, SOPRANO, Note
from vocoders.audio import resample


def sung_phrase(rng: np.random.Generator) -> np.ndarray:
    """One to five notes within a fifth, sung by either voice; (n,) float32 at 22 050 Hz."""
    voice, lowest = ((BARITONE, 45), (SOPRANO, 62))[rng.integers(2)]
    tonic = lowest + rng.integers(8)
    score = tuple(
        Note(
            pitch=float(tonic + rng.integers(8)),
            seconds=rng.uniform(0.3, 1.2),
            vowel=str(rng.choice(sorted(voice.formants))),
            onset=str(rng.choice(["", "m", "l", "n"])) if place else "",
            level=rng.uniform(-12, 0),
            fade=rng.uniform(-6, 3),
            breath=rng.uniform(-6, 10),
            vibrato=rng.uniform(0, 60),
        )
        for place in range(rng.integers(1, 6))
    )
    audio = sing(score, voice, seed=int(rng.integers(2**31)))
    return resample(audio.astype(np.float32), SAMPLE_RATE)
