"""Runs a generator of any family on a mel of any length: exactly, block by block, in memory that does not grow with it (but
by the waveform of a guide, for generators that take one).

PyTorch is the reference. On a GPU it is also what runs; on a CPU the compiled form of `vocoders.hifigan.openvino_generator`
does for HiFi-GAN and the smaller BigVGANs, which gives the same samples within 1e-4, and PyTorch where that cannot be had. In
bfloat16, which only OpenVINO is asked for, samples differ more: see `vocoders.hifigan.precision`.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
import torch

from vocoders.checkpoints.checkpoint import Checkpoint
from vocoders.features import Features
from vocoders.harmonic_noise.generator import HarmonicNoise
from vocoders.harmonic_noise.noise import noise
from vocoders.hifigan.generator_input import generator_input
from vocoders.hifigan.guide import Guide
from vocoders.hifigan.precision import BFLOAT16, FLOAT32, Precision, PrecisionChoice, measured_in_bfloat16
from vocoders.hifigan.windows import Window, frames_per_window, windows
from vocoders.mel import HOP
from vocoders.systems import SoundProgress, System

_log = logging.getLogger(__name__)

EngineName = Literal["auto", "pytorch", "openvino"]
MAX_LOADED = 9  # networks kept in memory: the five that come with this project, and four of a visitor


class Engine(Protocol):
    """Runs a generator over windows of its input."""

    parallel: int  # windows under way at a time
    precision: Precision

    def run(self, parts: Iterable[tuple[Window, np.ndarray]]) -> Generator[np.ndarray, None, None]:
        """Windows with their input (1, channels, frames) -> the kept samples of each, in order."""


class PyTorchGenerator:
    """On the GPU where there is one."""

    parallel = 1
    precision = FLOAT32

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._generator = checkpoint.generator().to(self._device)
        self._hop = checkpoint.config.hop

    def run(self, parts: Iterable[tuple[Window, np.ndarray]]) -> Generator[np.ndarray, None, None]:
        for window, values in parts:
            with torch.inference_mode():
                samples = self._kept(torch.from_numpy(values).to(self._device), window)[0, 0].cpu().numpy()
            yield samples

    def _kept(self, values: torch.Tensor, window: Window) -> torch.Tensor:
        first, last = window.first - window.start, window.last - window.start
        if isinstance(self._generator, HarmonicNoise):
            return self._generator(values, slice(first, last))
        return self._generator(values)[..., first * self._hop : last * self._hop]


def make_engine(checkpoint: Checkpoint, name: EngineName = "auto", precision: PrecisionChoice = "exact") -> Engine:
    """precision: of networks that run in OpenVINO; the others are exact.

    Errors: those of `OpenVINOGenerator` when it is asked for by name; "auto" logs the reason and takes PyTorch.
    """
    from vocoders.hifigan.openvino_generator import has_graph

    if name == "openvino":
        return _compiled(checkpoint, precision)
    if name == "auto" and not torch.cuda.is_available() and has_graph(checkpoint.config):
        try:
            return _compiled(checkpoint, precision)
        except (ImportError, RuntimeError) as error:
            _log.warning(
                "%s runs in PyTorch, which is slower: OpenVINO cannot be used (%s)", checkpoint.config.family, error
            )
    return PyTorchGenerator(checkpoint)


def _compiled(checkpoint: Checkpoint, precision: PrecisionChoice) -> Engine:
    from vocoders.hifigan.calibration import faster
    from vocoders.hifigan.openvino_generator import OpenVINOGenerator, digest, multiplies_bfloat16

    if precision == "exact" or not multiplies_bfloat16():
        return OpenVINOGenerator(checkpoint)
    if precision == "fast":
        return OpenVINOGenerator(checkpoint, BFLOAT16)
    measured = measured_in_bfloat16().get(digest(checkpoint))
    if measured and measured["close"]:
        try:
            return faster(checkpoint)
        except RuntimeError as error:
            _log.warning("%s runs in float32: bfloat16 cannot be used (%s)", checkpoint.config.family, error)
    return OpenVINOGenerator(checkpoint)


class HiFiGANVocoder:
    """Log mel -> waveform at the recipe's rate, with the generator of one checkpoint, of whatever family."""

    def __init__(
        self, checkpoint: Checkpoint, engine: EngineName = "auto", precision: PrecisionChoice = "exact"
    ) -> None:
        self.expects = checkpoint.recipe.log_kind
        self.rate = checkpoint.recipe.rate  # Hz, of the output
        self._engine = make_engine(checkpoint, engine, precision)
        self._config, self._recipe = checkpoint.config, checkpoint.recipe

    @property
    def precision(self) -> Precision:
        """In which the network computes, whatever was asked for."""
        return self._engine.precision

    def __call__(self, features: Features, on_progress: Callable[[float], None] = lambda fraction: None) -> np.ndarray:
        """Features of the kind this model was trained on -> (frames * hop,) float32 at `rate`.

        Errors: `FeatureMismatch` for another kind.
        """
        waveform = np.empty(features.values.shape[1] * self._config.hop - self._config.tail, dtype=np.float32)
        done = 0
        with contextlib.closing(self.stream(features)) as blocks:  # what `on_progress` raises ends the work at once
            for block in blocks:
                waveform[done : done + len(block)] = block
                done += len(block)
                if isinstance(on_progress, SoundProgress):
                    on_progress.made(waveform[:done])
                on_progress(done / len(waveform))
        return waveform

    def stream(self, features: Features) -> Generator[np.ndarray, None, None]:
        """The same samples in blocks of up to 3 s, each as soon as it is ready; leaving the loop
        ends the work."""
        mel = features.require(self.expects, by=f"this {self._config.family} generator")
        frames = mel.shape[1]
        cut = windows(frames, frames_per_window(frames, self._engine.parallel), self._config.context)
        guide = Guide(mel, self._config.guide_iterations) if self._config.is_guided else None
        return self._engine.run((window, self._input(mel, guide, window.start, window.stop)) for window in cut)

    def _input(self, mel: np.ndarray, guide: Guide | None, start: int, stop: int) -> np.ndarray:
        """The generator's input for the frames from start up to stop: (1, channels, frames), contiguous."""
        part = torch.from_numpy(np.ascontiguousarray(mel[:, start:stop]))[None]
        if not self._config.is_enriched:
            return part.numpy()
        beside = None if guide is None else torch.from_numpy(guide.between(start, stop))[None]
        drawn = torch.from_numpy(noise(start * HOP, stop * HOP))[None]
        return generator_input(part, self._config.input_channels, self._recipe, beside, drawn).contiguous().numpy()


@dataclass(frozen=True)
class LoadNetwork:
    """`System.load` of a network: reads its checkpoint when it is first called, and keeps the vocoder. Errors: those of `read`."""

    read: Callable[[], Checkpoint]
    precision: PrecisionChoice = "exact"

    def __call__(self) -> HiFiGANVocoder:
        """The vocoder, the same for equal values."""
        return _loaded(self.read, self.precision)


@functools.lru_cache(maxsize=MAX_LOADED)
def _loaded(read: Callable[[], Checkpoint], precision: PrecisionChoice) -> HiFiGANVocoder:
    return HiFiGANVocoder(read(), precision=precision)


def in_precision(system: System, precision: PrecisionChoice) -> System:
    """The same system, its network computing so; as it is where there is no choice: signal processing, ONNX, other programs."""
    if not isinstance(system.load, LoadNetwork):
        return system
    return replace(system, load=replace(system.load, precision=precision))


def precision_of(system: System) -> str:
    """In which the system's network computes here; "" where that is not known, or there is none. Loads it. Errors: those of
    `System.load`."""
    return getattr(system.load(), "precision", "")
