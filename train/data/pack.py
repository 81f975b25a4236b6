"""A pack: every usable recording of a folder in one memory-mapped int16 file, with a manifest.

PACK/audio.int16     mono 22 050 Hz, little-endian, clip after clip
PACK/guide-*.int16   its guides, likewise, if they were made; see `train.data.guide`. Named after what they are guides of
PACK/manifest.json   where each clip lies in it, what it is, and to which split its speaker belongs
PACK/journal.jsonl   what `prepare` has done so far, one line per file; lets it go on where it was stopped
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from vocoders.audio import SAMPLE_RATE

AUDIO, MANIFEST, JOURNAL = "audio.int16", "manifest.json", "journal.jsonl"
FORMAT = 1
TRAIN, VALIDATION = "train", "validation"


class PackError(ValueError):
    """A pack that cannot be used; the message is one sentence."""


@dataclass(frozen=True)
class Clip:
    """`start` and `samples` locate it in the audio file; `sha256` is of the source file; `path` is below its folder.

    notices: what was unexpected about the recording, as in `vocoders.audio.Recording`.
    """

    path: str
    speaker: str
    start: int
    samples: int
    sha256: str
    licence: str = ""
    split: str = TRAIN
    notices: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, plain: dict) -> Clip:
        """The clip that was written as this JSON object."""
        return cls(**plain | {"notices": tuple(plain.get("notices", ()))})

    def to_json(self) -> dict:
        """Without notices where there are none: so were packs written before there were any."""
        plain = dataclasses.asdict(self)
        return plain if self.notices else {name: value for name, value in plain.items() if name != "notices"}

    @property
    def seconds(self) -> float:
        """Length."""
        return self.samples / SAMPLE_RATE


@dataclass(frozen=True)
class Pack:
    """Prepared training audio: one file of int16 samples and the clips in it."""

    root: Path
    clips: tuple[Clip, ...]
    skipped: tuple[dict, ...] = ()  # {"path", "reason"}

    @cached_property
    def audio(self) -> np.memmap:
        """(samples,) int16, read-only."""
        return np.memmap(self.root / AUDIO, dtype="<i2", mode="r")

    def samples(self, clip: Clip, length: int | None = None) -> np.ndarray:
        """The clip, or its first `length` samples, as float32 in [-1, 1)."""
        return floats(self.audio, clip, length)

    def split(self, name: str) -> tuple[Clip, ...]:
        """The clips of "train" or "validation"."""
        return tuple(clip for clip in self.clips if clip.split == name)

    def hours(self, split: str) -> float:
        """Of audio in the split."""
        return sum(clip.seconds for clip in self.split(split)) / 3600

    @property
    def fingerprint(self) -> str:
        """Changes when any clip, its place or its split does; the same on every machine the pack is copied to."""
        rows = [(clip.path, clip.start, clip.samples, clip.sha256, clip.split) for clip in self.clips]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]

    def summary(self) -> str:
        """One line: hours, clips, speakers of both splits."""
        parts = [
            f"{name} {_duration(self.hours(name))}, {len(self.split(name))} clips, "
            f"{len({clip.speaker for clip in self.split(name)})} speakers"
            for name in (TRAIN, VALIDATION)
        ]
        return "; ".join(parts)

    def licences(self) -> dict[str, int]:
        """{licence: clips}, most frequent first, of what a model is trained on."""
        return dict(Counter(clip.licence or "not stated" for clip in self.split(TRAIN)).most_common())


def floats(samples: np.memmap, clip: Clip, length: int | None) -> np.ndarray:
    """A clip, or its first `length` samples, of an int16 file as long as the pack's audio: (n,) float32 in [-1, 1)."""
    stop = clip.start + (clip.samples if length is None else length)
    return samples[clip.start : stop].astype(np.float32) / 32768


def _duration(hours: float) -> str:
    return f"{hours:.2f} h" if hours >= 1 else f"{60 * hours:.1f} min"


def open_pack(root: Path) -> Pack:
    """Errors: `PackError` when there is no complete pack."""
    try:
        content = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
        clips = tuple(Clip.from_json(clip) for clip in content["clips"])
        skipped = tuple(content["skipped"])
        size = (root / AUDIO).stat().st_size
    except FileNotFoundError as error:
        raise PackError(f"{root} is no pack: {Path(error.filename).name} is missing; make one with prepare.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise PackError(f"{root / MANIFEST} is not a pack's manifest ({error}).") from error
    if content.get("format") != FORMAT:
        raise PackError(f"{root / MANIFEST} has format {content.get('format')}; this version reads {FORMAT}.")
    needed = 2 * max((clip.start + clip.samples for clip in clips), default=0)
    if size < needed:
        raise PackError(f"{root / AUDIO} has {size:,} bytes and its manifest speaks of {needed:,}; copy it again.")
    return Pack(root, clips, skipped)
