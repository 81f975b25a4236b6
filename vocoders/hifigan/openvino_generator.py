"""Generators as OpenVINO graphs, compiled for the CPU they run on: HiFi-GAN's and BigVGAN's, see `openvino_graph` of each.

The result of compilation is kept on disk, in a folder named after the content it was made from.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import shutil
from collections import deque
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
import numpy as np

from vocoders.bigvgan import openvino_graph as bigvgan
from vocoders.bigvgan.generator import BigVGANConfig
from vocoders.checkpoints.checkpoint import Checkpoint
from vocoders.hifigan import openvino_graph as hifigan
from vocoders.hifigan.generator import HiFiGANConfig, parameter_count
from vocoders.hifigan.precision import FLOAT32, HINTS, Precision
from vocoders.hifigan.windows import Window, trims

if TYPE_CHECKING:
    import openvino

MAX_CACHED = 12  # compiled generators kept on disk; one of V1 takes 56 MB
MAX_BIGVGAN_PARAMETERS = 30_000_000  # the base has 14; with 112, OpenVINO takes 2 GB of memory and PyTorch 0.8
MAX_STREAMS = 4  # windows computed at a time
MAX_LAYERS_KEPT = 256  # that are compiled for lengths of windows which come no more: of a V1, each length takes 90 MB
SETTINGS = {"CPU_RUNTIME_CACHE_CAPACITY": MAX_LAYERS_KEPT // 2}  # of every network that OpenVINO runs here


def has_graph(config: object) -> bool:
    """Whether there is a graph of this generator: a HiFi-GAN with a convolution at the end and zeros beyond the ends, or a BigVGAN
    that is not too large for it."""
    if isinstance(config, HiFiGANConfig):
        return not config.istft_n_fft and config.edges == "zeros"
    return isinstance(config, BigVGANConfig) and parameter_count(config) <= MAX_BIGVGAN_PARAMETERS


def build_graph(checkpoint: Checkpoint) -> openvino.Model:
    """The generator's graph. Errors: ImportError without OpenVINO; RuntimeError where there is none."""
    config = checkpoint.config
    weights = {name: tensor.numpy() for name, tensor in checkpoint.weights.items()}
    if isinstance(config, HiFiGANConfig) and has_graph(config):
        return hifigan.build_graph(config, weights)
    if isinstance(config, BigVGANConfig) and has_graph(config):
        return bigvgan.build_graph(config, weights)
    raise RuntimeError("there is no OpenVINO graph of this generator")


class OpenVINOGenerator:
    """Errors: ImportError without OpenVINO; RuntimeError when it cannot compile the graph, or knows none."""

    def __init__(self, checkpoint: Checkpoint, precision: Precision = FLOAT32) -> None:
        """precision: of the arithmetic; bfloat16 is for processors that multiply it, see `multiplies_bfloat16`."""
        config = checkpoint.config
        self.precision = precision
        graph = build_graph(checkpoint)
        assert isinstance(config, (HiFiGANConfig, BigVGANConfig)), "others have no graph"
        self._config = config
        self.parallel = min(MAX_STREAMS, joblib.cpu_count())  # which knows of a container's share of the machine
        settings = {
            **SETTINGS,
            "INFERENCE_PRECISION_HINT": HINTS[precision],  # left out, some CPUs would take bfloat16 by themselves
            "NUM_STREAMS": self.parallel,  # whole windows side by side wait for each other less than parts of one
            "INFERENCE_NUM_THREADS": joblib.cpu_count(),
            "ENABLE_CPU_PINNING": False,  # other work shares these cores
        }
        if folder := cache_folder(checkpoint, precision):
            settings["CACHE_DIR"] = str(folder)
        try:
            self._compiled = openvino_core().compile_model(graph, "CPU", settings)
        except RuntimeError:
            if settings.pop("CACHE_DIR", None) is None:
                raise
            # another process writes the same file, or has removed the folder: nothing is kept this time
            self._compiled = openvino_core().compile_model(graph, "CPU", settings)

    def run(self, parts: Iterable[tuple[Window, np.ndarray]]) -> Generator[np.ndarray, None, None]:
        """Windows with their input (1, channels, frames) -> the kept samples of each, in order, several under way."""
        waiting: deque = deque()
        idle = [self._compiled.create_infer_request() for _ in range(self.parallel)]
        try:
            for window, values in parts:
                if not idle:
                    yield self._finish(waiting, idle)
                cut = trims(window, self._config)
                request = idle.pop()
                request.start_async([values, np.array(cut.stages, np.int64)])
                waiting.append((request, cut.output))
            while waiting:
                yield self._finish(waiting, idle)
        finally:
            for request, _ in waiting:  # a cancelled one would leave its stream with shapes that break the next run
                request.wait()

    @staticmethod
    def _finish(waiting: deque, idle: list) -> np.ndarray:
        request, (left, right) = waiting.popleft()
        request.wait()
        idle.append(request)
        samples = request.get_output_tensor().data[0, 0]
        return samples[left : len(samples) - right].copy()


@functools.cache
def openvino_core() -> openvino.Core:
    """One for the process, for as long as it lives: its plugin for CPUs moves the stack on which a thread's signals are handled,
    and when it goes it frees that stack. Of two that go in the order in which they came, the second puts the freed stack of
    the first back, and the next signal, SIGTERM above all, ends the process."""
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(MAX_LAYERS_KEPT))  # of the library below OpenVINO
    import openvino

    return openvino.Core()


@functools.cache
def multiplies_bfloat16() -> bool:
    """Whether this processor has instructions for it. Errors: ImportError without OpenVINO."""
    return "BF16" in openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def cache_folder(checkpoint: Checkpoint, precision: Precision) -> Path | None:
    """Where the compiled form of exactly this content is or will be; None where nothing can be written."""
    import platformdirs

    root = Path(os.environ.get("VOCODER_CACHE_DIR") or platformdirs.user_cache_path("vocoder-listening-lab"))
    folder = root / "openvino" / f"{digest(checkpoint)}-{precision}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.touch()  # the most recently used are kept
        others = sorted(folder.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:
        return None
    for old in others[MAX_CACHED:]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def digest(checkpoint: Checkpoint) -> str:
    """Of shape and weights: 32 hexadecimal digits."""
    content = hashlib.blake2b(json.dumps(dataclasses.asdict(checkpoint.config)).encode(), digest_size=16)
    for name in sorted(checkpoint.weights):
        content.update(name.encode())
        content.update(checkpoint.weights[name].contiguous().numpy())
    return content.hexdigest()
