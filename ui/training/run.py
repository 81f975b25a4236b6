"""One run of the page on disk: what was asked for, how it stands, what may be downloaded.

DATA/training/TOKEN/request.json  what was asked for, and whether it still waits
DATA/training/TOKEN/recordings/   the recordings that were given; removed when the run is done
DATA/training/TOKEN/log.txt       what the process says
DATA/training/TOKEN/...           what `python -m train voice` makes, see `train.voice.progress`
"""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass
from pathlib import Path

from common.durable import write_text_durably
from train.voice.progress import DONE, ENDS, FILES, PACKED, STOP, WEIGHTS, Progress, read_progress

REQUEST, RECORDINGS, LOG = "request.json", "recordings", "log.txt"
WAITING, RUNNING, DIED = "waiting", "running", "died"  # what a run may be beside at one of its `ENDS`
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,40}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,60}\.(?:wav|png|csv|md|zip|safetensors)")


@dataclass(frozen=True)
class Request:
    """minutes: of training; steps: instead, for a trial. asked: seconds since 1970, its place in the queue; waits: whether it is
    in the queue."""

    minutes: float | None
    steps: int | None
    adapts: bool
    licence: str
    asked: float
    waits: bool = True


@dataclass(frozen=True)
class Run:
    """A run under its unguessable token."""

    token: str
    path: Path

    @property
    def request(self) -> Request:
        """Errors: `OSError` for a run that was removed."""
        return Request(**json.loads((self.path / REQUEST).read_text(encoding="utf-8")))

    def write(self, request: Request) -> None:
        """Errors: `DiskFull`."""
        write_text_durably(self.path / REQUEST, json.dumps(dataclasses.asdict(request)))

    def waits(self, waiting: bool) -> None:
        """Puts it into the queue, or takes it out."""
        self.write(dataclasses.replace(self.request, waits=waiting))

    @property
    def progress(self) -> Progress | None:
        """None before its process has begun."""
        return read_progress(self.path)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to be trained."""
        progress = self.progress
        return progress is not None and progress.phase == DONE

    @property
    def weights(self) -> Path | None:
        """What it has learned; None before it was exported."""
        path = self.path / FILES / WEIGHTS
        return path if path.is_file() and (self.path / FILES / PACKED).is_file() else None

    def ask_to_stop(self) -> None:
        """Its process keeps what was learned, and ends."""
        (self.path / STOP).touch()

    def url(self, name: str) -> str:
        """Of one of its files; relative, so that it also holds behind a proxy's prefix."""
        return f"training/{self.token}/{name}"

    @property
    def changed(self) -> float:
        """When it last was: seconds since 1970; 0 for one that was removed."""
        times = [path.stat().st_mtime for path in self.path.glob("*.json") if path.is_file()]
        return max(times, default=0.0)


def standing(run: Run, running: str | None) -> str:
    """`WAITING`, `RUNNING`, `DIED`, or one of `train.voice.progress.ENDS`. running: the token of the run that a process works on."""
    progress = run.progress
    if run.token == running and not (progress and progress.phase == DONE):
        return RUNNING
    if run.request.waits:
        return WAITING
    return progress.phase if progress and progress.phase in ENDS else DIED


def run_named(root: Path, token: str | None) -> Run | None:
    """The run of that token; None where there is none, or the token is malformed."""
    if not token or not _TOKEN.fullmatch(token):
        return None
    path = root / token
    return Run(token, path) if (path / REQUEST).is_file() else None


def file_of(root: Path, token: str, name: str) -> Path | None:
    """A file of a run that may be downloaded; nothing else of it, such as the recordings, can be had."""
    run = run_named(root, token)
    if run is None or not _NAME.fullmatch(name):
        return None
    path = run.path / FILES / name
    return path if path.is_file() else None
