"""The training loop: draw, step, log, validate, save; until the budget, the session or a signal ends it."""

from __future__ import annotations

import dataclasses
import json
import math
import platform
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from common.durable import write_durably
from train.config import TrainConfig
from train.curves import VALIDATION, VALIDATION_M_STFT
from train.data.crops import Crops
from train.data.pack import Pack
from train.export import BEST, checkpoint_of
from train.guards import Watchdog, check_memory, check_pack_is_the_same, out_of_memory
from train.networks.generator import fold_weight_norm
from train.networks.losses import SpectralLosses
from train.run_log import RunLog, RunningMeans, print_line
from train.saving import save, save_compact
from train.schedule import Budget, StepSettings, step_settings
from train.state import State, content_of, new_state, restore
from train.step import train_step
from train.validation import ValidationResult, ValidationSet
from vocoders.audio import SAMPLE_RATE
from vocoders.checkpoints.checkpoint import safetensors_bytes

if TYPE_CHECKING:  # slow to import
    from lightning.fabric import Fabric

LOG_INTERVAL_STEPS = 10


@dataclass(frozen=True)
class Session:
    """How this call of `fit` treats the run; none of it changes what is learned."""

    save_minutes: float = 5.0
    session_minutes: float | None = None  # leave, with everything saved, after so long; None: stay to the end
    compact: bool = False
    on_step: Callable[[int, float, dict], None] = lambda step, progress, values: None
    validate_minutes: float | None = None  # also validate after every so many minutes of training
    validate_last: bool = False  # also when it is stopped before the end
    start_counts: bool = False  # the weights it starts with may be its best generator
    on_validated: Callable[[State, ValidationResult, bool], None] = lambda state, found, is_best: None


def fit(
    run: Path,
    pack: Pack,
    config: TrainConfig,
    budget: Budget,
    fabric: Fabric,
    *,
    preset: str = "",
    session: Session = Session(),
    start_weights: Callable[[], dict[str, Tensor]] | None = None,
    discriminators_before: dict | None = None,
    before: Sequence[dict] = (),
    saved: dict | None = None,
) -> State:
    """Train until the budget is spent, and leave the run saved. Every rank calls it.

    start_weights gives plain generator weights for a new run, discriminators_before its discriminators (`read_discriminators`), before says which runs made them. `saved`, from `train.saving.load`, is a run to go on with,
    exactly where its last save was.
    Errors: `TrainingStopped`, `DoesNotFit`, `PackError`, `StateError`, `DiskFull`.
    """
    check_memory(config, fabric.device)
    run.mkdir(parents=True, exist_ok=True)
    first = (None, None) if saved else (start_weights() if start_weights else None, discriminators_before)
    state = new_state(config, fabric, *first)
    if saved:
        check_pack_is_the_same(saved["about"]["pack"]["fingerprint"], pack.fingerprint, pack.root)
        restore(state, saved)
        # The best does not travel with a compact state: then it is what is found from here on
        if not (run / BEST).is_file():
            state.best = math.inf
    else:
        state.about = _about(preset, config, pack, fabric) | {"before": list(before)}
    state.about["budget"] = dataclasses.asdict(budget)
    return _Run(run, pack, state, budget, session, fabric).go()


def _about(preset: str, config: TrainConfig, pack: Pack, fabric: Fabric) -> dict:
    data = {"fingerprint": pack.fingerprint, "summary": pack.summary(), "licences": pack.licences()}
    return {"preset": preset, "start": config.start, "pack": data, "hardware": hardware(fabric)}


def hardware(fabric: Fabric) -> str:
    """In words, for people and for the checkpoint's metadata."""
    if fabric.device.type == "cuda":
        return f"{fabric.world_size} x {torch.cuda.get_device_name(fabric.device)}"
    threads = torch.get_num_threads() * fabric.world_size
    return f"{threads} thread{'s' if threads > 1 else ''} of an {platform.machine()} CPU"


class _Run:
    """One session of a run: its collaborators, and the few things they do in turn."""

    def __init__(self, run: Path, pack: Pack, state: State, budget: Budget, session: Session, fabric: Fabric) -> None:
        self.run, self.state, self.budget, self.session, self.fabric = run, state, budget, session, fabric
        config = state.config
        self.crops = Crops(pack, config, fabric.device, fabric.global_rank)
        self.clips = len(pack.split("train"))
        self.spectral = SpectralLosses(config).to(fabric.device)
        self.means = RunningMeans()
        self.seconds_before = state.seconds
        self.validated_step, self.validated_seconds = -1, state.seconds
        self.validation: ValidationSet | None = None
        self.run_log: RunLog | None = None
        if fabric.is_global_zero:
            # At once: the first steps of a large network can take a minute each
            print_line(f"{run}: {state.about['preset']} on {hardware(fabric)}; {pack.summary()}")
            self.validation = ValidationSet(pack, config, fabric.device)
            self.run_log = RunLog(run, _columns(state), state.step, _watchdog(state))
            description = {**state.about, "config": config.to_json()}
            write_durably(run / "run.json", json.dumps(description, indent=1, ensure_ascii=False).encode())
            if state.step == 0:
                self.run_log.references(self.validation.waveforms)

    def go(self) -> State:
        state = self.state
        self.began = self.saved_at = time.monotonic()  # not earlier: what it takes to get ready is no training
        self.means.restart()
        was_adversarial = step_settings(state.config, self._progress(), state.step, self._epoch()).is_adversarial
        with _Signals() as signals:
            if state.step == 0:
                if state.config.start != "scratch":
                    self._validate()  # the curve begins with what the run was given
                self._save()  # what stops a run in its first minutes is cured by resuming, like everything later
            while not self._agreed(signals.stopped or self._session_is_over()):
                progress = self._progress()
                if progress >= 1:
                    break
                now = step_settings(state.config, progress, state.step, self._epoch())
                if now.is_adversarial and not was_adversarial:
                    state.best = math.inf  # what comes before has another objective, and would win by any spectral loss
                was_adversarial = now.is_adversarial
                self._step(now)
                if state.step % LOG_INTERVAL_STEPS == 0:
                    self._log()
                if state.step % state.config.validate_every == 0 or self._agreed(self._minutes_are_over()):
                    self._validate()
                if self._agreed(time.monotonic() - self.saved_at > 60 * self.session.save_minutes):
                    self._save()
            ended = self._progress() >= 1 or (self.session.validate_last and state.step > 0)
            if ended and self.validated_step != state.step and state.step % state.config.validate_every:
                self._validate()
            self._save()
        if self.run_log:
            self.run_log.close()
        return state

    def _step(self, now: StepSettings) -> None:
        state = self.state
        try:
            batch = self.crops.draw(state.step, now.segment, now.batch)
            values = train_step(state, batch, now, self.spectral, self.fabric)
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise out_of_memory(state.config, error) from error
        audio_seconds = now.batch * now.segment / SAMPLE_RATE * self.fabric.world_size
        state.audio_seconds += audio_seconds
        state.seconds = self.seconds_before + time.monotonic() - self.began
        self.means.add(values, audio_seconds)
        self.lr = now.lr

    def _log(self) -> None:
        """Reads the values since the last call. Errors: `TrainingStopped`."""
        values = self.means.read()
        if values and self.run_log:
            self.run_log.log(self.state.step, self.state.seconds / 60, self.lr, values)
            self.session.on_step(self.state.step, self._own_progress(), values)

    def _validate(self) -> None:
        """On the first rank; a new best generator is written at once, ready to load."""
        self._log()  # first, so that nothing that has gone wrong is judged
        state = self.state
        if self.validation is not None and self.run_log is not None:
            found = self.validation.evaluate(fold_weight_norm(state.average.values))
            minutes = state.seconds / 60
            self.run_log.validated(state.step, minutes, found, self._title())
            # The start weights are validated for the curve; they are no result of the run, unless asked for
            counts = (state.step > 0 or self.session.start_counts) and not found.soundless
            if is_best := counts and (judged := found.judged(state.config)) < state.best:
                state.best = judged
                checkpoint = checkpoint_of(content_of(state), self.run, found)
                write_durably(self.run / BEST, safetensors_bytes(checkpoint))
            print_line(
                f"step {state.step}, {minutes:.1f} min, {100 * self._own_progress():.0f} %: {VALIDATION} "
                f"{found.mel_l1:.4f}, {VALIDATION_M_STFT} {found.m_stft:.4f}{' (best so far)' if is_best else ''}{' (no sound: its output is constant)' if found.soundless else ''}"
            )
            self.session.on_validated(state, found, is_best)
        self.validated_step, self.validated_seconds = state.step, state.seconds
        state.best = self._from_first(state.best)
        self.means.restart()

    def _save(self) -> None:
        self._log()  # first, so that nothing that has gone wrong is saved
        self.saved_at = time.monotonic()
        if self.fabric.is_global_zero:
            content = content_of(self.state)
            save(self.run, content)
            if self.session.compact:
                save_compact(self.run, content)
        self.fabric.barrier()
        self.means.restart()

    def _progress(self) -> float:
        """The same on every rank, though their clocks differ."""
        return self._from_first(self._own_progress())

    def _own_progress(self) -> float:
        return self.budget.progress(self.state.step, self.state.seconds)

    def _minutes_are_over(self) -> bool:
        every = self.session.validate_minutes
        if every is None:
            return False
        return self.state.seconds // (60 * every) > self.validated_seconds // (60 * every)

    def _session_is_over(self) -> bool:
        limit = self.session.session_minutes
        return limit is not None and time.monotonic() - self.began >= 60 * limit

    def _agreed(self, wish: bool) -> bool:
        """Ranks act together: what any of them wishes happens on all."""
        if self.fabric.world_size == 1:
            return wish
        wishes = self.fabric.all_reduce(torch.tensor(float(wish), device=self.fabric.device), reduce_op="sum")
        return bool(wishes > 0)

    def _from_first(self, value: float) -> float:
        if self.fabric.world_size == 1:
            return value
        mine = value if self.fabric.is_global_zero else 0.0
        tensor = torch.tensor(mine, device=self.fabric.device, dtype=torch.float64)
        return float(self.fabric.all_reduce(tensor, reduce_op="sum"))

    def _epoch(self) -> float:
        """How often as many segments as there are clips were drawn: the paper's epoch."""
        return self.state.step * self.state.config.batch * self.fabric.world_size / self.clips

    def _title(self) -> str:
        about = self.state.about
        return f"{about['preset']}, step {self.state.step}, {self.state.seconds / 60:.0f} min on {about['hardware']}"


def _columns(state: State) -> list[str]:
    losses = ["total", "mel"]
    if state.config.stft_windows:
        losses.append("stft")
    if state.config.phase_windows:
        losses.append("phase")
    if state.config.hop_weight:
        losses.append("hop")
    discriminators = state.plain_discriminators
    if discriminators is None:
        return [*losses, "norm/generator"]
    families = [f"d/{name}" for name in discriminators.families]
    return [*losses, "adversarial", "features", *families, "norm/generator", "norm/discriminators"]


def _watchdog(state: State) -> Watchdog:
    discriminators = state.plain_discriminators
    return Watchdog(
        {name: len(family) for name, family in discriminators.families.items()} if discriminators is not None else {}
    )


class _Signals:
    """SIGTERM and Ctrl-C ask the run to save and leave; a second Ctrl-C leaves at once."""

    def __init__(self) -> None:
        self.stopped = False
        self._old: dict[int, Any] = {}

    def __enter__(self) -> _Signals:
        if threading.current_thread() is threading.main_thread():
            self._old = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def _stop(self, number: int, frame: object) -> None:
        if self.stopped and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.stopped = True

    def __exit__(self, *_) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)
