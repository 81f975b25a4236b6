"""The headphone check of Woods et al. 2017: which of three tones is the quietest? One is 6 dB quieter; another is in antiphase on
the two channels, so that loudspeakers cancel it in the air, and headphones do not."""

from __future__ import annotations

import functools
import io
import random
import wave
from collections.abc import Mapping

import numpy as np

RATE = 22_050  # Hz
ROUNDS = 6
MIN_RIGHT_ANSWERS = 5  # of ROUNDS to pass, as published
_SECONDS, _RAMP_SECONDS = 1.0, 0.1
_FREQUENCY_HZ, _AMPLITUDE, _QUIET_GAIN = 200.0, 0.1, 10 ** (-6 / 20)
NAMES = ("plain", "quiet", "antiphase")


def order(seed: str, number: int) -> tuple[str, ...]:
    """The tones of a round in the order of playing. seed: secret, one per rater."""
    names = list(NAMES)
    random.Random(f"{seed}/{number}").shuffle(names)
    return tuple(names)


def right_answers(seed: str, answers: list[int]) -> int:
    """How many of the first `ROUNDS` answers name the slot of the quiet tone."""
    return sum(answer == order(seed, number).index("quiet") for number, answer in enumerate(answers[:ROUNDS]))


def outcome(seed: str, data: Mapping[str, object]) -> dict[str, int | bool]:
    """The event of the check. data: of the page, `answers` and `skipped` among it."""
    given = data.get("answers")
    answers = [int(answer) for answer in given if isinstance(answer, int)] if isinstance(given, list) else []
    right = right_answers(seed, answers)
    return {"right": right, "skipped": bool(data.get("skipped")), "passed": right >= MIN_RIGHT_ANSWERS}


@functools.cache
def tone(name: str) -> bytes:
    """A stereo wav file. name: one of NAMES."""
    time = np.arange(round(_SECONDS * RATE)) / RATE
    ramp = np.clip(np.minimum(time, _SECONDS - time) / _RAMP_SECONDS, 0, 1)
    left = _AMPLITUDE * np.sin(2 * np.pi * _FREQUENCY_HZ * time) * np.sin(np.pi / 2 * ramp) ** 2
    if name == "quiet":
        left = left * _QUIET_GAIN
    right = -left if name == "antiphase" else left
    samples = np.rint(np.stack([left, right], axis=1) * 32767).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return buffer.getvalue()
