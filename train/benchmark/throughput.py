"""Training throughput: this project's recipes against the usual structure, in turns, in one run on one machine."""

from __future__ import annotations

import dataclasses
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from train.benchmark.plain_trainer import PlainTrainer
from train.config import TrainConfig, preset_named
from train.data.crops import Crops
from train.data.pack import Pack
from train.networks.losses import SpectralLosses
from train.schedule import step_settings
from train.state import new_state
from train.step import multiplies_bfloat16, train_step
from vocoders.audio import SAMPLE_RATE

if TYPE_CHECKING:  # slow to import
    from lightning.fabric import Fabric

PLAIN = "plain structure"


def bench(
    pack: Pack,
    size: str,
    fabric: Fabric,
    *,
    batch: int,
    segment: int,
    rounds: int,
    on_round: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """Audio seconds trained per second, by contender: medians over `rounds` turns, after one that is not counted.

    size: v1, v2 or v3. Every contender has the same generator, batch and segment. A `fast` run spends its first share
    without discriminators, so both kinds of step are timed, and the last row is a whole run's mix of them.
    """
    same: dict[str, Any] = {"batch": batch, "long_batch": batch, "segment": segment, "long_segment": segment}
    paper, fast = (dataclasses.replace(preset_named(f"{kind}-{size}"), **same) for kind in ("paper", "fast"))
    alone, joined = f"fast-{size}, generator only", f"fast-{size}, with discriminators"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ours = _stepper(pack, fast, fabric)
        contenders: dict[str, Callable[[], None]] = {
            PLAIN: PlainTrainer(pack, paper, fabric.device, folder).step,
            f"paper-{size}": _at(_stepper(pack, paper, fabric), 0.5),
            alone: _at(ours, 0.0),
            joined: _at(ours, 1.0),
        }
        if multiplies_bfloat16(fabric.device):
            narrow = dataclasses.replace(fast, generator_bfloat16=1.0)
            contenders[f"{alone}, in bfloat16"] = _at(_stepper(pack, narrow, fabric), 0.0)
        seconds: dict[str, list[float]] = {name: [] for name in contenders}
        for turn in range(rounds + 1):
            for name, step in contenders.items():
                took = _timed(step, fabric.device)
                if turn:  # the first turn allocates and chooses algorithms
                    seconds[name].append(took)
            on_round()
    median = {name: statistics.median(values) for name, values in seconds.items()}
    median[f"fast-{size}, a whole run"] = (
        fast.generator_only * median[alone] + (1 - fast.generator_only) * median[joined]
    )
    return {name: batch * segment / SAMPLE_RATE / value for name, value in median.items()}


def _stepper(pack: Pack, config: TrainConfig, fabric: Fabric) -> Callable[[float], None]:
    """A function that trains one step as at the given share of a run."""
    state = new_state(config, fabric)
    crops = Crops(pack, config, fabric.device)
    spectral = SpectralLosses(config).to(fabric.device)

    def step(progress: float) -> None:
        now = step_settings(config, progress, state.step, epoch=0)
        train_step(state, crops.draw(state.step, now.segment, now.batch), now, spectral, fabric)

    return step


def _at(step: Callable[[float], None], progress: float) -> Callable[[], None]:
    return lambda: step(progress)


def _timed(step: Callable[[], None], device: torch.device) -> float:
    start = time.perf_counter()
    step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start
