"""How far a run is, as a small file of JSON that is always whole: what a page follows from another process.

VOICE/progress.json  what `Progress` holds
VOICE/stop           whoever writes it asks the run to keep what it has learned, and to end
VOICE/lock           locked for as long as a process works on the run
VOICE/files/         what may be downloaded: sounds, their pictures, weights, card, curves, the zip
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.durable import write_text_durably

STATE, STOP, LOCK, FILES = "progress.json", "stop", "lock", "files"
PREPARING, GUIDE, TRAINING, EXPORTING = "preparing", "guide", "training", "exporting"  # the phases, in their order
DONE, STOPPED, FAILED = "done", "stopped", "failed"  # and the three ends
ENDS = (DONE, STOPPED, FAILED)
WEIGHTS, CARD, CREDITS, CURVES, TABLE = "voice.safetensors", "voice.md", "CREDITS.md", "curves.png", "curves.csv"
PACKED = "voice.zip"
ORIGINAL, GRIFFIN_LIM, BEFORE = (
    "original",
    "griffin-lim",
    "before",
)  # of the sounds; the others are named for their step


def difference_of(sound: str) -> str:
    """The name of the picture of how a sound differs from the recording."""
    return f"{sound}-difference.png"


@dataclass(frozen=True)
class Sound:
    """The held-out passages, one after another, as something makes them: `files/ID.wav`, with its picture `ID.png`.

    minutes: of training until then; loudness: LUFS and dBTP.
    """

    id: str
    minutes: float
    loudness: tuple[float, float]

    @property
    def step(self) -> int:
        """Of the generator that made it; 0 before training, and -1 for what no generator made."""
        if self.id == BEFORE:
            return 0
        name, _, number = self.id.rpartition("-")
        return int(number) if name == "step" else -1


@dataclass(frozen=True)
class Validation:
    """The averaged generator's distance to the held-out passages after so many minutes of training."""

    step: int
    minutes: float
    m_stft: float
    mel_l1: float
    best: bool  # of all until then


@dataclass(frozen=True)
class Progress:
    """share: of the phase that is over, 0 to 1. minutes_left: of the training; None while that is not known. spent: minutes of it
    that are over. curves: as of `train.export.thinned_curves`. skipped: (file, reason) of those that could not be used. notes:
    what was unexpected about the others, and what was done about it. seconds: of sound to learn from, and held out. error: why
    it failed, in words.
    """

    phase: str = PREPARING
    share: float = 0.0
    minutes_left: float | None = None
    spent: float = 0.0
    step: int = 0
    adapts: bool = True
    curves: dict[str, list[list[float]]] = field(default_factory=dict)
    validations: tuple[Validation, ...] = ()
    sounds: tuple[Sound, ...] = ()
    held_out: str = ""
    skipped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    seconds: tuple[float, float] = (0.0, 0.0)
    error: str = ""

    @property
    def best(self) -> Validation | None:
        """That of the generator which is exported."""
        return next((found for found in reversed(self.validations) if found.best), None)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Progress:
        """What was written as this object."""
        plain = dict(values)
        plain["validations"] = tuple(Validation(**found) for found in plain["validations"])
        plain["sounds"] = tuple(Sound(s["id"], s["minutes"], tuple(s["loudness"])) for s in plain["sounds"])
        plain["skipped"] = tuple((name, reason) for name, reason in plain["skipped"])
        plain["notes"], plain["seconds"] = tuple(plain["notes"]), tuple(plain["seconds"])
        return cls(**plain)


def read_progress(voice: Path) -> Progress | None:
    """None where nothing has begun, or something else lies there."""
    try:
        return Progress.from_json(json.loads((voice / STATE).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_progress(voice: Path, progress: Progress) -> None:
    """Errors: `DiskFull`."""
    write_text_durably(voice / STATE, json.dumps(dataclasses.asdict(progress), ensure_ascii=False))


class AlreadyRunning(ValueError):
    """Another process works on the run."""


@contextlib.contextmanager
def working_on(voice: Path) -> Iterator[None]:
    """No other process may meanwhile. The lock ends with the process, however that ends. Errors: `AlreadyRunning`."""
    with (voice / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(f"{voice} is being trained by another process") from error
        yield
