"""The HiFi-GAN generator as an OpenVINO graph: the same arithmetic as `vocoders.hifigan.generator`, compiled for the CPU it runs on.

Two things are done differently, with the same result:

* A transposed convolution that makes r samples of one is a plain convolution that makes r x channels, phase by phase,
  whose phases are then interleaved. Plain convolutions are what compilers do best.
* A window carries context that only the first layers need. Every upsampling drops what no later layer looks at, see
  `vocoders.hifigan.windows.trims`; it costs nothing, because the interleaved phases need their ends cut anyway.

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

from vocoders.checkpoints.checkpoint import Checkpoint
from vocoders.hifigan.generator import LAST_SLOPE, HiFiGANConfig
from vocoders.hifigan.windows import Window, trims
from vocoders.mel import HOP, N_MELS

if TYPE_CHECKING:
    import openvino

MAX_CACHED = 8  # compiled generators kept on disk; one of V1 takes 56 MB
MAX_STREAMS = 4  # windows computed at a time


def has_graph(config: object) -> bool:
    """Whether `build_graph` knows this generator: a HiFi-GAN with a convolution at the end and zeros beyond the ends."""
    return isinstance(config, HiFiGANConfig) and not config.istft_n_fft and config.edges == "zeros"


class OpenVINOGenerator:
    """Errors: ImportError without OpenVINO; RuntimeError when it cannot compile the graph, or knows none."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        config = checkpoint.config
        if not (isinstance(config, HiFiGANConfig) and has_graph(config)):
            raise RuntimeError("there is no OpenVINO graph of this generator")
        self._config = config
        self.parallel = min(MAX_STREAMS, joblib.cpu_count())  # which knows of a container's share of the machine
        settings = {
            "INFERENCE_PRECISION_HINT": "f32",  # some CPUs would take bfloat16 by themselves
            "NUM_STREAMS": self.parallel,  # whole windows side by side wait for each other less than parts of one
            "INFERENCE_NUM_THREADS": joblib.cpu_count(),
            "ENABLE_CPU_PINNING": False,  # other work shares these cores
        }
        if folder := _cache_folder(checkpoint):
            settings["CACHE_DIR"] = str(folder)
        graph = build_graph(config, {name: tensor.numpy() for name, tensor in checkpoint.weights.items()})
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
    import openvino

    return openvino.Core()


def build_graph(config: HiFiGANConfig, weights: dict[str, np.ndarray]):
    """Inputs: (1, input_channels, frames) float32, and trims (upsamplings, 2) int64; output (1, 1, samples)."""
    from openvino import Model, opset13

    features = opset13.parameter([1, config.input_channels, -1], np.float32)
    cuts = opset13.parameter([len(config.upsample_rates), 2], np.int64)
    make = _Layers(opset13, weights, config.slope)
    mel, guide = make.split(features) if config.is_guided else (features, None)
    x = make.conv(mel, "conv_pre")
    parallel = len(config.resblock_kernel_sizes)
    for stage, rate in enumerate(config.upsample_rates):
        x = make.upsample(make.leaky(x), stage, rate, cuts)
        if guide is not None:
            x = opset13.add(x, make.guide(guide, stage, config, cuts))
        blocks = [
            make.block(x, f"resblocks.{stage * parallel + index}", dilations)
            for index, dilations in enumerate(config.resblock_dilation_sizes)
        ]
        x = opset13.multiply(make.total(blocks), np.float32(1 / parallel))
    x = opset13.tanh(make.conv(make.leaky(x, LAST_SLOPE), "conv_post"))
    return Model([x], [features, cuts], "hifigan")


class _Layers:
    """The generator's layers as graph nodes; names are those of the weights."""

    def __init__(self, ops, weights: dict[str, np.ndarray], slope: float) -> None:
        self._ops, self._weights, self._slope = ops, weights, slope

    def leaky(self, x, slope: float | None = None):
        return self._ops.prelu(x, np.array([self._slope if slope is None else slope], np.float32))

    def total(self, terms: list):
        first, *others = terms
        for term in others:
            first = self._ops.add(first, term)
        return first

    def conv(self, x, name: str, dilation: int = 1):
        kernel = self._weights[f"{name}.weight"]
        pad = dilation * (kernel.shape[2] - 1) // 2
        bias = self._weights.get(f"{name}.bias", np.zeros(len(kernel), np.float32))
        return self._plain(x, kernel, bias, pad, dilation)

    def _plain(self, x, kernel: np.ndarray, bias: np.ndarray, pad: int, dilation: int = 1):
        y = self._ops.convolution(x, self._ops.constant(kernel), [1], [pad], [pad], [dilation])
        return self._ops.add(y, bias.reshape(1, -1, 1))

    def block(self, x, name: str, dilations: tuple[int, ...]):
        for index, dilation in enumerate(dilations):
            if f"{name}.convs1.0.weight" in self._weights:
                inner = self.conv(self.leaky(x), f"{name}.convs1.{index}", dilation)
                inner = self.conv(self.leaky(inner), f"{name}.convs2.{index}")
            else:
                inner = self.conv(self.leaky(x), f"{name}.convs.{index}", dilation)
            x = self._ops.add(x, inner)
        return x

    def upsample(self, x, stage: int, rate: int, cuts):
        """A transposed convolution, less what `cuts` says. Tap j = m * rate + phase of the kernel moves an input
        sample m places on, in that phase; the taps are thus (phase x channels) kernels of length m."""
        ops, bias = self._ops, self._weights[f"ups.{stage}.bias"]
        kernel = self._weights[f"ups.{stage}.weight"]  # (in, out, taps)
        inputs, outputs, taps = kernel.shape
        padding = (taps - rate + 1) // 2  # that the transposed convolution takes off at the left end
        places = max(2, -(-taps // rate))
        kernel = np.pad(kernel, ((0, 0), (0, 0), (0, places * rate - taps))).reshape(inputs, outputs, places, rate)
        kernel = np.ascontiguousarray(kernel[:, :, ::-1].transpose(3, 1, 0, 2).reshape(rate * outputs, inputs, places))
        y = self._plain(x, kernel, np.tile(bias, rate), pad=places - 1)
        y = ops.depth_to_space(y, "blocks_first", rate)
        left, right = (self._cut(cuts, stage, side) for side in (0, 1))
        excess = (places - 1) * rate - padding  # at the right end; never 0, so -excess counts from there
        start, stop = ops.add(left, np.array([padding], np.int64)), ops.subtract(np.array([-excess], np.int64), right)
        return ops.slice(y, start, stop, np.array([1], np.int64), np.array([2], np.int64))

    def _cut(self, cuts, stage: int, side: int):
        """(1,) samples that an upsampling drops at its left (0) or right (1) end."""
        return self._ops.gather_nd(cuts, np.array([[stage, side]], np.int64))

    def split(self, features):
        """A guided generator's input -> mel (1, 80, frames), guide (1, 1, samples)."""
        ops = self._ops
        mel, frames = ops.variadic_split(features, np.int64(1), np.array([N_MELS, HOP], np.int64)).outputs()
        return mel, ops.reshape(
            ops.transpose(frames, np.array([0, 2, 1], np.int64)), np.array([1, 1, -1], np.int64), False
        )

    def guide(self, guide, stage: int, config: HiFiGANConfig, cuts):
        """The guide at the rate of an upsampling, less what this one and those before it dropped."""
        ops, (length, stride) = self._ops, config.guide_kernels[stage]
        dropped = []
        for side in (0, 1):
            total = np.array([0], np.int64)
            for earlier, rate in enumerate(config.upsample_rates[: stage + 1]):
                total = ops.add(ops.multiply(total, np.array([rate], np.int64)), self._cut(cuts, earlier, side))
            dropped.append(total)
        pad = (length - stride) // 2
        kernel = ops.constant(self._weights[f"guides.{stage}.weight"])
        y = ops.convolution(guide, kernel, [stride], [pad], [pad], [1])
        end = ops.subtract(ops.gather(ops.shape_of(y), np.array([2], np.int64), np.int64(0)), dropped[1])
        return ops.slice(y, dropped[0], end, np.array([1], np.int64), np.array([2], np.int64))


def _cache_folder(checkpoint: Checkpoint) -> Path | None:
    """Where the compiled form of exactly this content is or will be; None where nothing can be written."""
    import platformdirs

    root = Path(os.environ.get("VOCODER_CACHE_DIR") or platformdirs.user_cache_path("vocoder-listening-lab"))
    folder = root / "openvino" / _content_hash(checkpoint)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.touch()  # the most recently used are kept
        others = sorted(folder.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:
        return None
    for old in others[MAX_CACHED:]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def _content_hash(checkpoint: Checkpoint) -> str:
    content = hashlib.blake2b(json.dumps(dataclasses.asdict(checkpoint.config)).encode(), digest_size=16)
    for name in sorted(checkpoint.weights):
        content.update(name.encode())
        content.update(checkpoint.weights[name].contiguous().numpy())
    return content.hexdigest()
