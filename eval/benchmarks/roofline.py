"""How far every layer of a generator is from what this processor can do: the roofline of Williams et al. 2009, on one thread.

A layer's time is bounded by its multiply-adds at the speed of a large matrix product, and by its memory traffic at the speed of a copy:
by the slower of the two. `python -m eval roofline`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from common.memory import give_back
from vocoders.checkpoints.checkpoint import Checkpoint
from vocoders.hifigan.generator import HiFiGANConfig
from vocoders.hifigan.openvino_generator import build_graph, has_graph, openvino_core
from vocoders.hifigan.precision import FLOAT32, HINTS, Precision

PRODUCT_SIZE = 1024  # rows and columns of the matrices, which stay in a cache of this size
COPIED_BYTES = 256 * 1024 * 1024  # more than any cache holds
TRIES = 5  # of everything that is timed; the fastest counts, since other work only slows down
BYTES = 4  # of a number: weights, inputs and outputs are float32 in memory whatever the arithmetic is


@dataclass(frozen=True)
class Peaks:
    """Of one thread: multiply-adds and bytes a second."""

    arithmetic: float
    memory: float


@dataclass(frozen=True)
class Layers:
    """Some convolutions of the generator, or everything else. seconds: they took."""

    name: str
    seconds: float
    multiply_adds: float = 0.0
    bytes: float = 0.0

    def bound(self, peaks: Peaks) -> float:
        """Seconds that they take at least."""
        return max(self.multiply_adds / peaks.arithmetic, self.bytes / peaks.memory)


@dataclass(frozen=True)
class Roofline:
    """audio: seconds that were made."""

    peaks: Peaks
    layers: Sequence[Layers]
    audio: float
    precision: Precision


def measure_peaks(precision: Precision) -> Peaks:
    """On one thread, through the engine that runs the generators."""
    from openvino import Model, opset13

    size = PRODUCT_SIZE
    values = np.ones((size, size), np.float32)
    given, weights = opset13.parameter([size, size], np.float32), opset13.constant(values)
    request = _request(Model([opset13.matmul(given, weights, False, False)], [given], "product"), precision)
    product = min(_seconds(lambda: request.infer([values])) for _ in range(1 + TRIES))
    source = np.ones(COPIED_BYTES // BYTES, np.float32)
    target = np.empty_like(source)
    copy = min(_seconds(lambda: np.copyto(target, source)) for _ in range(TRIES))
    return Peaks(size**3 / product, 2 * COPIED_BYTES / copy)


def roofline(checkpoint: Checkpoint, seconds: float, precision: Precision = FLOAT32) -> Roofline:
    """Of a window of that many seconds. Errors: ValueError for a generator without an OpenVINO graph of HiFi-GAN."""
    config = checkpoint.config
    if not (isinstance(config, HiFiGANConfig) and has_graph(config)):
        raise ValueError(f"a roofline is drawn of HiFi-GAN generators; this is a {config.family} generator")
    frames = max(1, round(seconds * checkpoint.recipe.rate / config.hop))
    request = _request(build_graph(checkpoint), precision)
    before = measure_peaks(precision)
    values = [np.random.default_rng(0).normal(-4, 2, (1, config.input_channels, frames)).astype(np.float32)]
    values.append(np.zeros((len(config.upsample_rates), 2), np.int64))
    best = None
    for _ in range(1 + TRIES):
        request.infer(values)
        found = {node.node_name: node.real_time.total_seconds() for node in request.profiling_info}
        if best is None or sum(found.values()) < sum(best.values()):
            best = found
    assert best is not None
    give_back()
    after = measure_peaks(precision)  # again: other work on the machine may have slowed down the first
    peaks = Peaks(max(before.arithmetic, after.arithmetic), max(before.memory, after.memory))
    layers = layers_of(checkpoint, config, frames, best)
    return Roofline(peaks, layers, frames * config.hop / checkpoint.recipe.rate, precision)


def layers_of(checkpoint: Checkpoint, config: HiFiGANConfig, frames: int, times: dict[str, float]) -> list[Layers]:
    """The convolutions by their place in the network, then all other nodes. A node that the compiler fused into a convolution has
    its time there. times: {node: seconds}."""
    found: dict[str, Layers] = {}
    for name, weight in checkpoint.weights.items():
        node = name.removesuffix(".weight")
        if node not in times or weight.ndim != 3:
            continue
        group, stage = _place(node, len(config.resblock_kernel_sizes))
        before_it = config.upsample_rates if stage is None else config.upsample_rates[: stage + 1]
        samples = frames * int(np.prod(before_it))
        reads = samples // config.upsample_rates[stage] if stage is not None and node.startswith("ups.") else samples
        outputs, inputs, taps = weight.shape
        if node.startswith("ups."):  # (inputs, outputs, taps), of which an input sample meets all
            inputs, outputs = outputs, inputs
            work = inputs * outputs * taps * reads
        else:
            work = inputs * outputs * taps * samples
        moved = BYTES * (inputs * reads + outputs * samples + weight.numel())
        before = found.get(group, Layers(group, 0.0))
        found[group] = Layers(group, before.seconds + times[node], before.multiply_adds + work, before.bytes + moved)
    convolutions = sum(layers.seconds for layers in found.values())
    return [*found.values(), Layers("all else", sum(times.values()) - convolutions)]


def _place(node: str, parallel: int) -> tuple[str, int | None]:
    """The group of a convolution, and the upsampling that it is or follows: -1 before the first, None after the last."""
    kind, *rest = node.split(".")
    if kind == "conv_pre":
        return "input convolution", -1
    if kind == "conv_post":
        return "output convolution", None
    if kind == "ups":
        return f"upsampling {int(rest[0]) + 1}", int(rest[0])
    stage, block = divmod(int(rest[0]), parallel)
    return f"residual blocks {stage + 1}, kernel {block + 1}", stage


def _request(model, precision: Precision):
    settings = {
        "PERF_COUNT": True,
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": 1,
        "ENABLE_CPU_PINNING": False,
        "INFERENCE_PRECISION_HINT": HINTS[precision],
    }
    return openvino_core().compile_model(model, "CPU", settings).create_infer_request()


def _seconds(work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def as_text(found: Roofline) -> str:
    """A table in Markdown."""
    peaks, total = found.peaks, sum(layers.seconds for layers in found.layers)
    work, bound = (sum(values) for values in zip(*((one.multiply_adds, one.bound(peaks)) for one in found.layers)))
    lines = [
        f"{found.precision}, one thread: {peaks.arithmetic / 1e9:.0f} billion multiply-adds a second in a matrix product, "
        f"{peaks.memory / 1e9:.1f} GB/s in a copy; {found.audio:.1f} s of sound in {total:.2f} s",
        "",
        "| layers | share of the time | multiply-adds, billions | per second, billions | multiply-adds per byte | of the roofline |",
        "|---|---|---|---|---|---|",
    ]
    for one in found.layers:
        share = f"| {one.name} | {one.seconds / total:.1%} "
        if not one.multiply_adds:
            lines.append(f"{share}| - | - | - | - |")
            continue
        lines.append(
            f"{share}| {one.multiply_adds / 1e9:.2f} | {one.multiply_adds / one.seconds / 1e9:.1f} "
            f"| {one.multiply_adds / one.bytes:.0f} | {one.bound(peaks) / one.seconds:.0%} |"
        )
    lines.append(f"| **together** | 100 % | {work / 1e9:.2f} | {work / total / 1e9:.1f} | | {bound / total:.0%} |")
    return "\n".join(lines)
