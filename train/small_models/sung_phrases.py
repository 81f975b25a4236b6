"""Random phrases of the synthetic singer in assets/examples: steadier than any person's, and without a room's noise."""

from __future__ import annotations

import functools
import importlib.util
import sys
from types import ModuleType

import numpy as np

from common.paths import ASSETS
from vocoders.audio import resample

_PROGRAM = ASSETS / "examples" / "sing.py"


def sung_phrase(rng: np.random.Generator) -> np.ndarray:
    """One to five notes within a fifth, sung by either voice; (n,) float32 at 22 050 Hz."""
    singer = _singer()
    voice, lowest = ((singer.BARITONE, 45), (singer.SOPRANO, 62))[rng.integers(2)]
    tonic = lowest + rng.integers(8)
    score = tuple(
        singer.Note(
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
    audio = singer.sing(score, voice, seed=int(rng.integers(2**31)))
    return resample(audio.astype(np.float32), singer.SAMPLE_RATE)


@functools.cache
def _singer() -> ModuleType:
    """The program; assets is not a package."""
    spec = importlib.util.spec_from_file_location("examples_sing", _PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
