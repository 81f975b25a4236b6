"""The records of a run: TensorBoard, the CSV and its picture, samples to listen to, a line now and then."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from eval.reports.spectrogram import level, level_png
from train.curves import VALIDATION, VALIDATION_M_STFT, Curves, draw_curves
from train.guards import Watchdog
from train.validation import ValidationResult
from vocoders.audio import SAMPLE_RATE, write_wav

AUDIO_CLIPS = 4  # validation clips written out, and sent to TensorBoard, each time
THROUGHPUT = "audio seconds per second"


class RunningMeans:
    """Means of scalars since it was read last, summed on the device so that a GPU is not waited for."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}
        self._audio_seconds = 0.0
        self.restart()

    def restart(self) -> None:
        """The clock of the throughput starts now: what came before was no training."""
        self._since = time.monotonic()

    def add(self, values: Mapping[str, Tensor], audio_seconds: float) -> None:
        """audio_seconds: of the step, on all devices."""
        for name, value in values.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value.clone()
            self._counts[name] = self._counts.get(name, 0) + 1
        self._audio_seconds += audio_seconds

    def read(self) -> dict[str, float]:
        """Empty when nothing was added."""
        means = {name: float(total) / self._counts[name] for name, total in self._sums.items()}
        if means:
            means[THROUGHPUT] = self._audio_seconds / max(1e-9, time.monotonic() - self._since)
        self._sums, self._counts, self._audio_seconds = {}, {}, 0.0
        self.restart()
        return means


class RunLog:
    """One per run, on the first rank only."""

    def __init__(self, run: Path, columns: list[str], step: int, watchdog: Watchdog) -> None:
        self.run = run
        self.curves = Curves(run, ["step", "minutes", "lr", *columns, THROUGHPUT, VALIDATION, VALIDATION_M_STFT], step)
        self.watchdog = watchdog
        self.board = _tensorboard(run / "tensorboard", step)

    def log(self, step: int, minutes: float, lr: float, values: Mapping[str, float]) -> None:
        """Errors: `TrainingStopped` when the values say that the run is lost."""
        self.curves.add({"step": step, "minutes": minutes, "lr": lr, **values})
        if self.board:
            for name, value in {**values, "lr": lr}.items():
                self.board.add_scalar(name, value, step)
        self.watchdog.look(step, values)

    def validated(self, step: int, minutes: float, found: ValidationResult, title: str) -> None:
        """Curves, picture, and what the run sounds like now. Errors: `TrainingStopped`."""
        losses = {VALIDATION: found.mel_l1, VALIDATION_M_STFT: found.m_stft}
        self.watchdog.look(step, losses)
        self.curves.add({"step": step, "minutes": minutes, **losses})
        draw_curves(self.run, title)
        self._samples(f"step-{step:07}", step, found.waveforms)
        if self.board:
            for name, loss in losses.items():
                self.board.add_scalar(name, loss, step)
            self.board.flush()

    def references(self, waveforms: list[Tensor]) -> None:
        """Stores the validation clips once, for comparison. waveforms: (n,) each, in [-1, 1]."""
        self._samples("reference", 0, [waveform.cpu() for waveform in waveforms])

    def _samples(self, folder: str, step: int, waveforms: list[Tensor]) -> None:
        for number, waveform in enumerate(waveforms[:AUDIO_CLIPS]):
            samples = waveform.numpy()
            path = self.run / "samples" / folder / f"{number}.wav"
            write_wav(path, samples)
            picture = level_png(level(samples))
            path.with_suffix(".png").write_bytes(picture)
            if self.board:
                name = f"{'reference' if folder == 'reference' else 'validation'}/{number}"
                self.board.add_audio(name, torch.from_numpy(samples)[None], step, SAMPLE_RATE)
                self.board.add_image(name, _pixels(picture), step, dataformats="HWC")

    def close(self) -> None:
        """Closes the TensorBoard log, if there is one."""
        if self.board:
            self.board.close()


def _tensorboard(folder: Path, step: int):
    """A writer that hides what an interrupted run wrote past `step`; None without the tensorboard package."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        print_line("the package tensorboard is not installed: curves go to the CSV and its picture only")
        return None
    return SummaryWriter(str(folder), purge_step=step + 1 if step else None)


def _pixels(png: bytes) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def print_line(text: str) -> None:
    """A line on stderr, above a progress bar."""
    tqdm.write(text, file=sys.stderr)
    sys.stderr.flush()
