"""All runs of the page: one is trained at a time, a few wait, and those of long ago are removed.

The turn is a lock on a file, which the process of the run inherits: it ends with that process, however it ends, and with nothing
else. So a server that starts anew, or several that share a data directory, know what is being trained.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from common.disk_space import is_full
from common.paths import ROOT
from train.voice.progress import FILES, STOP
from ui.training.run import LOG, RECORDINGS, WAITING, Request, Run, run_named, standing

MAX_WAITING = 3  # runs in the queue, beside the one that is trained
MAX_KEPT = 20  # runs whose files are kept
KEPT_SECONDS = 6 * 3600.0  # for which a run is kept after it changed last
NEEDED_BYTES = 800e6  # of free space, to begin: recordings, pack, state, result
MAX_GIVEN_BYTES = 400e6  # of all recordings of a run
MAX_GIVEN_FILES = 100
NICENESS = 15  # of the process: comparisons, which somebody waits for, come first
OVERHEAD_MINUTES = 1.0  # of a run beside its training
TURN = "turn"
_log = logging.getLogger(__name__)


class NoTraining(ValueError):
    """A run that cannot begin; the message is a sentence for the page."""


class Runs:
    """Those below `root`. Threads and processes may share them."""

    def __init__(self, root: Path, max_minutes: float) -> None:
        """max_minutes: of training, that may be asked for."""
        self.root, self.max_minutes = root, max_minutes
        self._lock = threading.Lock()
        root.mkdir(parents=True, exist_ok=True)

    def find(self, token: str | None) -> Run | None:
        """None where there is none."""
        return run_named(self.root, token)

    def begin(self, files: Sequence[Path], minutes: float | None, steps: int | None, adapts: bool, licence: str) -> Run:
        """A new run of these recordings, which are copied: it is trained at once, or waits. Errors: `NoTraining`, `OSError`."""
        if not files:
            raise NoTraining("Drop recordings of the voice first, or record some: two minutes are a good beginning.")
        if len(files) > MAX_GIVEN_FILES:
            raise NoTraining(f"There are {len(files)} files; at most {MAX_GIVEN_FILES} are taken here.")
        if sum(path.stat().st_size for path in files) > MAX_GIVEN_BYTES:
            raise NoTraining(f"The files have more than {MAX_GIVEN_BYTES / 1e6:.0f} MB, which is the limit.")
        self._check_room()
        run = Run(token := secrets.token_urlsafe(18), self.root / token)
        part = self.root / f"{token}.part"
        try:
            _copied(files, part / RECORDINGS)
            Run(token, part).write(
                Request(min(minutes, self.max_minutes) if minutes else None, steps, adapts, licence, time.time())
            )
            part.rename(run.path)
        except OSError:
            shutil.rmtree(part, ignore_errors=True)
            raise
        self.start_next()
        return run

    def go_on(self, run: Run) -> None:
        """One that was stopped, has failed, or whose process has ended, once more. Errors: `NoTraining`."""
        self._check_room()
        run.waits(True)
        self.start_next()

    def stop(self, run: Run) -> None:
        """It leaves the queue, or ends with what it has learned."""
        with self._lock:
            if self.standing(run) == WAITING:
                run.waits(False)
            else:
                run.ask_to_stop()

    def forget(self, run: Run) -> None:
        """Removes all of a run. One that is trained is asked to stop instead."""
        if run.token == self.running():
            run.ask_to_stop()
        else:
            shutil.rmtree(run.path, ignore_errors=True)

    def standing(self, run: Run) -> str:
        """As of `ui.training.run.standing`."""
        return standing(run, self.running())

    def running(self) -> str | None:
        """The token of the run that a process works on."""
        with contextlib.suppress(FileNotFoundError), (self.root / TURN).open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read().strip() or None
        return None

    def waiting(self) -> list[Run]:
        """The queue, in its order."""
        found = []
        for run in self._all():
            with contextlib.suppress(
                OSError, ValueError, TypeError
            ):  # removed, or half written by a server of another version
                if (request := run.request).waits:
                    found.append((request.asked, run))
        return [run for _, run in sorted(found, key=lambda item: item[0])]

    def minutes_before(self, run: Run | None) -> tuple[int, float]:
        """How many runs come before one (None: a new one), and about how many minutes they take."""
        ahead = self.waiting()
        if run in ahead:
            ahead = ahead[: ahead.index(run)]
        minutes = sum((other.request.minutes or 0.0) + OVERHEAD_MINUTES for other in ahead)
        running = self.find(self.running())
        if running is not None:
            progress = running.progress
            left = progress.minutes_left if progress else None
            minutes += left if left is not None else running.request.minutes or OVERHEAD_MINUTES
        return len(ahead) + (running is not None), minutes

    def start_next(self) -> None:
        """Begins the first of the queue, unless one is being trained."""
        with self._lock, contextlib.ExitStack() as closing:
            turn = closing.enter_context((self.root / TURN).open("a+"))
            try:
                fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            if not (queue := self.waiting()):
                return
            run = queue[0]
            turn.truncate(0)
            turn.write(run.token)
            turn.flush()
            run.waits(False)
            (run.path / STOP).unlink(missing_ok=True)
            process = _started(run, turn)
        threading.Thread(target=self._until_it_ends, args=(run, process), daemon=True).start()

    def sweep(self) -> None:
        """Removes what is old, and begins what waits for a process that has ended elsewhere."""
        running = self.running()
        ended = sorted((run for run in self._all() if run.token != running), key=lambda run: -run.changed)
        for place, run in enumerate(ended):
            if time.time() - run.changed > KEPT_SECONDS or place >= MAX_KEPT:
                with contextlib.suppress(OSError):
                    if not run.request.waits:
                        shutil.rmtree(run.path, ignore_errors=True)
        self.start_next()

    def _check_room(self) -> None:
        if len(self.waiting()) >= MAX_WAITING:
            _, minutes = self.minutes_before(None)
            raise NoTraining(
                f"{MAX_WAITING} trainings wait already, for about {minutes:.0f} minutes: come back then, or train on a machine of "
                "your own, with ./run train voice."
            )
        if is_full(self.root, NEEDED_BYTES):
            raise NoTraining("The server's disk is nearly full; try again later.")

    def _all(self) -> Iterator[Run]:
        for path in self.root.iterdir():
            if run := self.find(path.name):
                yield run

    def _until_it_ends(self, run: Run, process: subprocess.Popen) -> None:
        code = process.wait()
        if code:
            _log.warning("a training ended with %d", code)
        try:
            if run.is_done:
                _tidy(run)
        finally:
            self.start_next()


def _copied(files: Sequence[Path], folder: Path) -> None:
    """The files under their own names, which tell people what could not be used."""
    folder.mkdir(parents=True)
    for number, path in enumerate(files):
        name = path.name if not (folder / path.name).exists() else f"{number}-{path.name}"
        shutil.copyfile(path, folder / name)


def _started(run: Run, turn: IO[str]) -> subprocess.Popen:
    """The process, which ends when this one does: its standard input does."""
    request = run.request
    command = [sys.executable, "-m", "train", "voice", *sorted(map(str, (run.path / RECORDINGS).iterdir()))]
    command += ["--out", str(run.path), f"--licence={request.licence}", "--nice", str(NICENESS), "--stop-with-stdin"]
    command += ["--steps", str(request.steps)] if request.steps else ["--minutes", str(request.minutes)]
    command += [] if request.adapts else ["--from-scratch"]
    with (run.path / LOG).open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=[turn.fileno()],
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )


def _tidy(run: Run) -> None:
    """Of a run that is done, nothing stays but its files to download."""
    for path in run.path.iterdir():
        if path.is_dir() and path.name != FILES:
            shutil.rmtree(path, ignore_errors=True)
