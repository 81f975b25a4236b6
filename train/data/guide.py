"""The guides of a whole pack, made once: as many samples as PACK/audio.int16 has, each beside its own.

A guided generator is conditioned on its recordings' Griffin-Lim signals beside their mels (`vocoders.hifigan.guide`). To make one takes longer than a
training step, and it is the same every time. Each part is written at once: after a stop, the next call goes on there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import joblib
import numpy as np

from common.durable import publish, saying_when_full
from train.data.pack import Clip, Pack, PackError, floats
from vocoders.audio import to_pcm16
from vocoders.features import hw2_mel, log_hw2
from vocoders.hifigan.guide import ITERATIONS, VERSION, guide_of
from vocoders.mel import HOP
from vocoders.phase.chunks import CHUNK_FRAMES

MAX_PART_SAMPLES = CHUNK_FRAMES * HOP  # 12 s; a longer clip is done in parts, so that its length costs no memory


@dataclass(frozen=True)
class Guides:
    """The guides of all clips of a pack, made with so many iterations of Griffin-Lim."""

    pack: Pack
    iterations: int = ITERATIONS

    @property
    def path(self) -> Path:
        """The file, named for the audio, the guide's version and its iterations; it may not exist."""
        several = "" if self.iterations == ITERATIONS else f"-{self.iterations}"
        return self.pack.root / f"guide-{self.pack.fingerprint}-{VERSION}{several}.int16"

    @property
    def are_made(self) -> bool:
        """Whether they are there for every sample."""
        return self.path.is_file() and self.path.stat().st_size == self.pack.audio.nbytes

    @cached_property
    def audio(self) -> np.memmap:
        """(samples,) int16, read-only, beside `Pack.audio`. Errors: `PackError` when there is none."""
        if not self.are_made:
            raise PackError(
                f"{self.pack.root} has no guides of {self.iterations} iterations; make them first: "
                f"python -m train guide --data {self.pack.root} --iterations {self.iterations}"
            )
        return np.memmap(self.path, dtype="<i2", mode="r")

    def samples(self, clip: Clip, length: int | None = None) -> np.ndarray:
        """Of the clip, or of its first `length` samples, as float32 in [-1, 1)."""
        return floats(self.audio, clip, length)

    def make(self, jobs: int = -1, on_progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Write the file, unless it is there. on_progress: parts of clips (done, of all). Errors: `DiskFull`."""
        if self.are_made:
            return
        audio = self.pack.audio
        beside = self.path.with_name(f"{self.path.name}.part")
        parts = sorted(_parts(self.pack))
        with saying_when_full(self.path, audio.nbytes), beside.open("ab") as file:
            finished = file.tell() // 2
            left = [(start, stop) for start, stop in parts if stop > finished]
            made = joblib.Parallel(jobs, return_as="generator")(
                joblib.delayed(_guide)(audio[start:stop], self.iterations) for start, stop in left
            )
            for done, ((start, _), guide) in enumerate(zip(left, made, strict=True), len(parts) - len(left) + 1):
                file.truncate(2 * start)  # or fills up with zeros what lies between two clips
                file.write(guide.tobytes())
                file.flush()
                on_progress(done, len(parts))
            file.truncate(audio.nbytes)
            os.fsync(file.fileno())
        publish(beside, self.path)


def _parts(pack: Pack) -> Iterator[tuple[int, int]]:
    """(start, stop) in the pack's samples."""
    for clip in pack.clips:
        for start in range(clip.start, clip.start + clip.samples, MAX_PART_SAMPLES):
            yield start, min(start + MAX_PART_SAMPLES, clip.start + clip.samples)


def _guide(recording: np.ndarray, iterations: int) -> np.ndarray:
    """(n,) int16 -> (n,) int16."""
    mel = log_hw2(hw2_mel(recording.astype(np.float32) / 32768)).values
    return to_pcm16(guide_of(mel, iterations)[: len(recording)]).astype("<i2")
