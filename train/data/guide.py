"""The guides of a whole pack, made once: as many samples as PACK/audio.int16 has, each beside its own.

A guided generator is conditioned on its recordings' Griffin-Lim signals beside their mels (`vocoders.hifigan.guide`). To make one takes longer than a
training step, and it is the same every time. Each part is written at once: after a stop, the next call goes on there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import joblib
import numpy as np

from common.durable import publish, saying_when_full
from train.data.pack import Pack
from vocoders.audio import to_pcm16
from vocoders.features import hw2_mel, log_hw2
from vocoders.hifigan.guide import guide_of
from vocoders.mel import HOP
from vocoders.phase.chunks import CHUNK_FRAMES

MAX_PART_SAMPLES = CHUNK_FRAMES * HOP  # 12 s; a longer clip is done in parts, so that its length costs no memory


def make_guide(pack: Pack, jobs: int = -1, on_progress: Callable[[int, int], None] = lambda done, total: None) -> None:
    """Write the pack's guides, unless they are there. on_progress: parts of clips (done, of all). Errors: `DiskFull`."""
    if pack.has_guide:
        return
    beside = pack.guide_path.with_name(f"{pack.guide_path.name}.part")
    parts = sorted(_parts(pack))
    with saying_when_full(pack.guide_path, pack.audio.nbytes), beside.open("ab") as file:
        finished = file.tell() // 2
        left = [(start, stop) for start, stop in parts if stop > finished]
        made = joblib.Parallel(jobs, return_as="generator")(
            joblib.delayed(_guide)(pack.audio[start:stop]) for start, stop in left
        )
        for done, ((start, _), guide) in enumerate(zip(left, made, strict=True), len(parts) - len(left) + 1):
            file.truncate(2 * start)  # or fills up with zeros what lies between two clips
            file.write(guide.tobytes())
            file.flush()
            on_progress(done, len(parts))
        file.truncate(pack.audio.nbytes)
        os.fsync(file.fileno())
    publish(beside, pack.guide_path)


def _parts(pack: Pack) -> Iterator[tuple[int, int]]:
    """(start, stop) in the pack's samples."""
    for clip in pack.clips:
        for start in range(clip.start, clip.start + clip.samples, MAX_PART_SAMPLES):
            yield start, min(start + MAX_PART_SAMPLES, clip.start + clip.samples)


def _guide(recording: np.ndarray) -> np.ndarray:
    """(n,) int16 -> (n,) int16."""
    mel = log_hw2(hw2_mel(recording.astype(np.float32) / 32768)).values
    return to_pcm16(guide_of(mel)[: len(recording)]).astype("<i2")
