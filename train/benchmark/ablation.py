"""What each choice of the harmonic-plus-noise vocoder is worth: every variant is trained alike, from nothing, and measured alike.

The runs are short, and without discriminators, whose part is another one. A difference between two rows that is smaller than that
between two seeds of one row says nothing.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from common.durable import write_text_durably
from eval.metrics.metric import Metric
from train.config import TrainConfig
from train.data.crops import Crops
from train.data.pack import Pack
from train.networks.losses import SpectralLosses
from train.schedule import step_settings
from train.state import new_state
from train.step import train_step
from vocoders.audio import fit_length
from vocoders.features import hw2_mel, log_hw2
from vocoders.harmonic_noise.noise import noise
from vocoders.hifigan.generator_input import WITH_GUIDE_AND_NOISE, generator_input
from vocoders.hifigan.guide import guide_of
from vocoders.mel import HW2

if TYPE_CHECKING:  # slow to import
    from lightning.fabric import Fabric

Rows = dict[str, dict[str, dict[str, float]]]  # {variant: {group of clips: {metric: mean}}}


def ablate(
    pack: Pack,
    runs: Mapping[str, TrainConfig],
    groups: Mapping[str, Sequence[np.ndarray]],
    metrics: Sequence[Metric],
    steps: int,
    fabric: Fabric,
    file: Path,
    on_row: Callable[[int, int], None] = lambda done, count: None,
) -> Rows:
    """runs: by what a row is called. groups: clips at 22 050 Hz, by what they are called. file: JSON, written after every run; those
    that are in it are not done again. Errors: those of `train.data`; ValueError for a file of other settings.
    """
    samples = {name: sum(map(len, clips)) for name, clips in groups.items()}
    settings = {"steps": steps, "pack": pack.fingerprint, "samples": samples, "metrics": [m.name for m in metrics]}
    rows = _rows_in(file, settings)
    takes = {name: [_Take(clip) for clip in clips] for name, clips in groups.items()}
    for done, (name, config) in enumerate(runs.items()):
        on_row(done, len(runs))
        if name in rows:
            continue
        generator = trained(pack, dataclasses.replace(config, generator_only=1.0), steps, fabric)
        rows[name] = {group: _means(generator, clips, metrics) for group, clips in takes.items()}
        rows[name]["network"] = {"millions of parameters": sum(p.numel() for p in generator.parameters()) / 1e6}
        write_text_durably(file, json.dumps({**settings, "rows": rows}, indent=1))
    return rows


def _rows_in(file: Path, settings: dict) -> Rows:
    """Those that are done already. Rows of other settings must not stand in one table."""
    if not file.is_file():
        return {}
    content = json.loads(file.read_text())
    if other := [name for name, value in settings.items() if content.get(name) != value]:
        raise ValueError(f"{file} holds rows of other {', '.join(other)}; choose another --out, or the same settings")
    return content["rows"]


def trained(pack: Pack, config: TrainConfig, steps: int, fabric: Fabric) -> nn.Module:
    """The averaged generator after so many steps, the schedule spread over them."""
    state = new_state(config, fabric)
    crops, spectral = Crops(pack, config, fabric.device), SpectralLosses(config).to(fabric.device)
    while state.step < steps:
        now = step_settings(config, state.step / steps, state.step, epoch=0)
        train_step(state, crops.draw(state.step, now.segment, now.batch), now, spectral, fabric)
    generator = state.plain_generator
    generator.load_state_dict(state.average.values)
    return generator.eval()


class _Take:
    """A clip and what a generator is given of it."""

    def __init__(self, samples: np.ndarray) -> None:
        self.samples = samples
        log = log_hw2(hw2_mel(samples)).values
        guide = guide_of(log)
        log_mel, *waves = (torch.from_numpy(part)[None] for part in (log, guide, noise(0, len(guide))))
        self.features: Tensor = generator_input(log_mel, WITH_GUIDE_AND_NOISE, HW2, *waves)


@torch.inference_mode()
def _means(generator: nn.Module, takes: Sequence[_Take], metrics: Sequence[Metric]) -> dict[str, float]:
    device = next(generator.parameters()).device
    values: dict[str, list[float]] = {metric.name: [] for metric in metrics}
    for take in takes:
        estimate = generator(take.features.to(device))[0, 0].cpu().numpy()
        for metric in metrics:
            if (value := metric.value(take.samples, fit_length(estimate, len(take.samples)))) is not None:
                values[metric.name].append(value)
    return {name: float(np.mean(found)) for name, found in values.items() if found}
