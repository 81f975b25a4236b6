"""A check for headphones: of three tones, which is the quietest? One of them is in antiphase on the two channels, and cancels
in the air between loudspeakers but not in headphones; another is 6 dB quieter (Woods et al. 2017)."""

from __future__ import annotations

import io
import random
import wave

import numpy as np

RATE = 22_050  # Hz
ROUNDS = 6
PASSING = 5  # right answers of ROUNDS, as published
_SECONDS, _RAMP = 1.0, 0.1
_FREQUENCY, _LEVEL, _QUIETER = 200.0, 0.1, 10 ** (-6 / 20)
NAMES = ("plain", "quiet", "antiphase")


def order(seed: str, round: int) -> tuple[str, ...]:
    """The tones of a round in the order they are played; `seed` is a secret of the rater's session."""
    names = list(NAMES)
    random.Random(f"{seed}/{round}").shuffle(names)
    return tuple(names)


def right_answers(seed: str, answers: list[int]) -> int:
    return sum(answer == order(seed, round).index("quiet") for round, answer in enumerate(answers[:ROUNDS]))


def tone(name: str) -> bytes:
    """A stereo wav."""
    time = np.arange(round(_SECONDS * RATE)) / RATE
    ramp = np.clip(np.minimum(time, _SECONDS - time) / _RAMP, 0, 1)
    left = _LEVEL * np.sin(2 * np.pi * _FREQUENCY * time) * np.sin(np.pi / 2 * ramp) ** 2
    if name == "quiet":
        left = left * _QUIETER
    right = -left if name == "antiphase" else left
    samples = np.rint(np.stack([left, right], axis=1) * 32767).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return buffer.getvalue()
