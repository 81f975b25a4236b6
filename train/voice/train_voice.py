"""The run: recordings -> pack -> guide -> generator -> files to download. Each part begins where the one before was stopped."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from train.config import TrainConfig
from train.data.guide import Guides
from train.data.pack import Pack
from train.export import thinned_curves
from train.guards import TrainingStopped
from train.loop import Session, fit
from train.saving import STATE as SAVED
from train.saving import load
from train.schedule import Budget
from train.state import State
from train.validation import ValidationResult
from train.voice.progress import (
    BEFORE,
    DONE,
    EXPORTING,
    FAILED,
    FILES,
    GUIDE,
    PREPARING,
    STOP,
    STOPPED,
    TRAINING,
    Progress,
    Validation,
    read_progress,
    working_on,
    write_progress,
)
from train.voice.recipe import PRESET, config_of, start_of
from train.voice.recordings import held_out, pack_recordings
from train.voice.result import write_result
from train.voice.sounds import write_references, write_sound

if TYPE_CHECKING:  # slow to import
    from lightning.fabric import Fabric

FIT = "fit"  # the folder of the run itself, see `train.loop`
SAVE_MINUTES = 1.0  # that a kill costs at most
LOOK_SECONDS = 0.5  # between two looks for a wish to stop


@dataclass(frozen=True)
class Wish:
    """What was asked for. budget: of the training alone; licence: of the recordings; batch: as of `config_of`."""

    inputs: tuple[Path, ...]
    budget: Budget
    adapts: bool = True
    licence: str = ""
    batch: int | None = None


class Asked(BaseException):
    """The run was asked to stop."""


def train_voice(
    voice: Path, wish: Wish, fabric: Fabric, tell: Callable[[Progress], None] = lambda progress: None
) -> Progress:
    """Trains, or goes on with what lies in `voice`, and returns how it ended: done, stopped, or with nothing more to do.

    tell: called with whatever is written to the file of the progress. Errors: ValueError in words, also written there;
    `AlreadyRunning`, `DiskFull`.
    """
    voice.mkdir(parents=True, exist_ok=True)
    with working_on(voice):
        before = read_progress(voice)
        if before and before.phase == DONE:
            return before
        run = _VoiceRun(voice, wish, fabric, before or Progress(adapts=wish.adapts), tell)
        try:
            with _asked_to_stop(voice):
                return run.go()
        except Asked:
            return run.now(phase=STOPPED, minutes_left=None)
        except (ValueError, TrainingStopped, MemoryError) as error:
            words = " ".join(str(error).split()) or "there was not enough memory"
            run.now(phase=FAILED, error=words, minutes_left=None)
            raise ValueError(words) from error
        except OSError as error:
            run.try_to_tell(phase=FAILED, error=" ".join(str(error).split()), minutes_left=None)
            raise
        finally:
            (voice / STOP).unlink(missing_ok=True)


class _VoiceRun:
    def __init__(
        self, voice: Path, wish: Wish, fabric: Fabric, progress: Progress, tell: Callable[[Progress], None]
    ) -> None:
        self.voice, self.wish, self.fabric, self.tell = voice, wish, fabric, tell
        self.progress = dataclasses.replace(progress, error="", adapts=wish.adapts)
        self.config = config_of(wish.adapts, wish.budget.steps, wish.batch)
        (voice / FILES).mkdir(exist_ok=True)

    def now(self, **changes: Any) -> Progress:
        """The progress with these changes, on disk."""
        self.progress = dataclasses.replace(self.progress, **changes)
        write_progress(self.voice, self.progress)
        self.tell(self.progress)
        return self.progress

    def try_to_tell(self, **changes: Any) -> None:
        """The same, where even that may be impossible."""
        with contextlib.suppress(OSError):
            self.now(**changes)

    def go(self) -> Progress:
        self.now(phase=PREPARING, share=0.0)
        pack, told = pack_recordings(self.voice, self.wish.inputs, self.wish.licence, self._share)
        seconds = tuple(3600 * pack.hours(split) for split in ("train", "validation"))
        about = {
            "held_out": held_out(pack),
            "skipped": tuple(told.skipped),
            "notes": tuple(told.notes),
            "seconds": seconds,
        }
        self.now(phase=GUIDE, share=0.0, **about)
        Guides(pack, self.config.generator.guide_iterations).make(jobs=1, on_progress=self._share)
        self._fit(pack)
        return self._export(pack)

    def _share(self, done: int, total: int) -> None:
        self.now(share=done / max(1, total))

    def _fit(self, pack: Pack) -> None:
        run = self.voice / FIT
        saved = load(run) if (run / SAVED).is_file() else None
        config = self._config(saved)
        reached = saved["step"] if saved else -1
        kept = [sound for sound in self.progress.sounds if max(sound.step, 0) <= reached]
        sounds = kept or write_references(self.voice, pack, config)
        found = tuple(found for found in self.progress.validations if found.step <= reached)
        self.now(phase=TRAINING, share=0.0, sounds=tuple(sounds), validations=found)
        start = start_of(self.wish.adapts and saved is None)
        weights = start.weights
        fit(
            run,
            pack,
            config,
            self.wish.budget,
            self.fabric,
            preset=PRESET,
            session=Session(
                save_minutes=SAVE_MINUTES,
                on_step=self._stepped,
                validate_minutes=1.0 if self.wish.budget.steps is None else None,
                validate_last=True,
                start_counts=self.wish.adapts,
                on_validated=self._validated,
            ),
            start_weights=(lambda: dict(weights)) if weights is not None else None,
            discriminators_before=start.discriminators,
            before=start.before,
            saved=saved,
        )

    def _config(self, saved: dict | None) -> TrainConfig:
        """Errors: ValueError for a run that began otherwise."""
        if saved is None:
            return self.config
        began = TrainConfig.from_json(saved["config"])
        if (began.start == "checkpoint") != self.wish.adapts:
            how = "adapts the shipped model" if began.start == "checkpoint" else "trains a new model"
            raise ValueError(f"the run in {self.voice} {how}; for the other, choose another folder")
        return dataclasses.replace(began, validate_every=self.config.validate_every)

    def _stepped(self, step: int, share: float, values: dict) -> None:
        curves = thinned_curves(self.voice / FIT)
        self.now(share=share, step=step, curves=curves, minutes_left=self._minutes_left(share))

    def _minutes_left(self, share: float) -> float | None:
        if self.wish.budget.minutes is not None:
            return (1 - share) * self.wish.budget.minutes
        return self.progress.spent * (1 - share) / share if share else None

    def _validated(self, state: State, found: ValidationResult, is_best: bool) -> None:
        minutes = state.seconds / 60
        name = BEFORE if state.step == 0 else f"step-{state.step:07}"
        sound = write_sound(self.voice, name, [waveform.numpy() for waveform in found.waveforms], minutes)
        validation = Validation(state.step, minutes, found.m_stft, found.mel_l1, is_best)
        share = self.wish.budget.progress(state.step, state.seconds)
        self.now(
            spent=minutes,
            step=state.step,
            share=share,
            minutes_left=self._minutes_left(share),
            curves=thinned_curves(self.voice / FIT),
            sounds=(*(other for other in self.progress.sounds if other.id != name), sound),
            validations=(*(v for v in self.progress.validations if v.step != state.step), validation),
        )

    def _export(self, pack: Pack) -> Progress:
        ended = load(self.voice / FIT)
        is_over = self.wish.budget.progress(ended["step"], ended["seconds"]) >= 1
        if self.progress.best is None:
            raise Asked
        self.now(phase=EXPORTING, share=0.0, spent=ended["seconds"] / 60, step=ended["step"], minutes_left=None)
        with _undisturbed():
            write_result(self.voice, self.voice / FIT, self.progress, pack, self.wish.licence)
        return self.now(phase=DONE if is_over else STOPPED, share=1.0)


@contextlib.contextmanager
def _asked_to_stop(voice: Path) -> Iterator[None]:
    """A signal, or the file that asks for it, ends what can be done again as `Asked`, and a training as `fit` ends it: saved."""
    if threading.current_thread() is not threading.main_thread():
        yield  # of a program that cannot be signalled; the file is for processes of their own
        return
    ended = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        raise Asked

    def look() -> None:
        while not ended.wait(LOOK_SECONDS):
            if (voice / STOP).exists():
                (voice / STOP).unlink(missing_ok=True)
                os.kill(os.getpid(), signal.SIGTERM)  # not of this thread alone: the main one may be waiting

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    threading.Thread(target=look, daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """The few seconds at the end are not stopped again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
