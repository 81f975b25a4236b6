"""Which precision is faster on this machine: measured once for each network, and kept beside its compiled form."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from common.durable import write_text_durably
from vocoders.checkpoints.checkpoint import Checkpoint
from vocoders.hifigan.openvino_generator import OpenVINOGenerator, cache_folder
from vocoders.hifigan.precision import BFLOAT16, FLOAT32, Precision
from vocoders.hifigan.windows import windows

CALIBRATION_SECONDS = 1.0  # of the sound that is made
ROUNDS = 2  # timed turns of each precision, after one that is not; the faster counts, since other work only slows down
MIN_SPEEDUP = 1.1  # below it bfloat16 is not worth a difference


def faster(checkpoint: Checkpoint) -> OpenVINOGenerator:
    """The generator in bfloat16 where that takes at least `MIN_SPEEDUP` times less time here, else in float32. Errors: those of
    `OpenVINOGenerator`."""
    folder = cache_folder(checkpoint, BFLOAT16)
    speedup = _stored(folder)
    if speedup is not None:
        return OpenVINOGenerator(checkpoint, _chosen(speedup))
    engines: dict[Precision, OpenVINOGenerator] = {p: OpenVINOGenerator(checkpoint, p) for p in (FLOAT32, BFLOAT16)}
    speedup = measure_speedup(checkpoint, engines)
    if folder:
        write_text_durably(_file(folder), json.dumps({"machine": _machine(), "speedup": speedup}))
    return engines[_chosen(speedup)]


def measure_speedup(checkpoint: Checkpoint, engines: Mapping[Precision, OpenVINOGenerator]) -> float:
    """How many times less time the generator takes in bfloat16, in turns with float32, on one second of noise."""
    config = checkpoint.config
    frames = max(1, round(CALIBRATION_SECONDS * checkpoint.recipe.rate / config.hop))
    values = np.random.default_rng(0).normal(-4.0, 2.0, (1, config.input_channels, frames)).astype(np.float32)
    parts = [(window, values[:, :, window.start : window.stop]) for window in windows(frames, frames, config.context)]
    taken: dict[Precision, list[float]] = {precision: [] for precision in engines}
    for _ in range(1 + ROUNDS):
        for precision, engine in engines.items():
            began = time.perf_counter()
            for _ in engine.run(parts):
                pass
            taken[precision].append(time.perf_counter() - began)
    return min(taken[FLOAT32][1:]) / min(taken[BFLOAT16][1:])


def _chosen(speedup: float) -> Precision:
    return BFLOAT16 if speedup >= MIN_SPEEDUP else FLOAT32


def _stored(folder: Path | None) -> float | None:
    """Measured before on this machine, with this OpenVINO."""
    if folder is None:
        return None
    try:
        content = json.loads(_file(folder).read_text(encoding="utf-8"))
        return float(content["speedup"]) if content["machine"] == _machine() else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _file(folder: Path) -> Path:
    return folder / "speedup.json"


def _machine() -> list[str]:
    """A cache folder may be shared by machines, and outlives an OpenVINO."""
    import openvino

    from vocoders.hifigan.openvino_generator import openvino_core

    return [platform.node(), openvino_core().get_property("CPU", "FULL_DEVICE_NAME"), openvino.__version__]
