"""The guides of a whole pack, made once: PACK/guide.int16, sample for sample beside PACK/audio.int16.

A guided generator hears its recordings' Griffin-Lim beside their mels (`vocoders.guide`). To make one takes longer than a
training step, and it is the same every time.
"""

from __future__ import annotations

from collections.abc import Callable

import joblib
import numpy as np

from train.durable import write_durably
from train.pack import GUIDE, Pack
from vocoders.audio import to_pcm16
from vocoders.features import hw2_mel, log_hw2
from vocoders.guide import guide_of


def make_guide(pack: Pack, jobs: int = -1, on_progress: Callable[[int, int], None] = lambda done, total: None) -> None:
    """Write PACK/guide.int16, unless it is there. on_progress: clips (done, of all). Errors: `DiskFull`."""
    if pack.has_guide:
        return
    samples = np.zeros(len(pack.audio), dtype="<i2")
    clips = [clip for clip in pack.clips if clip.samples]
    made = joblib.Parallel(jobs, return_as="generator")(joblib.delayed(_guide)(pack.samples(clip)) for clip in clips)
    for done, (clip, guide) in enumerate(zip(clips, made), 1):
        samples[clip.start : clip.start + clip.samples] = guide
        on_progress(done, len(clips))
    write_durably(pack.root / GUIDE, samples.tobytes())


def _guide(recording: np.ndarray) -> np.ndarray:
    """(n,) float32 -> (n,) int16."""
    return to_pcm16(guide_of(log_hw2(hw2_mel(recording)).values)[: len(recording)])
