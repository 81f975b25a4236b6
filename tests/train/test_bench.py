"""The training benchmark: its yardstick computes the same mel, and its numbers belong together."""

import dataclasses

import numpy as np
import pytest
import torch

from train.benchmark import throughput
from train.benchmark.plain_trainer import _mel
from train.benchmark.throughput import PLAIN, bench
from train.config import preset_named
from vocoders.features import hw2_mel, log_hw2


def test_the_plain_structure_computes_the_same_mel(tone):
    whole = tone[: len(tone) // 256 * 256]
    assert np.abs(_mel(torch.from_numpy(whole)[None])[0].numpy() - log_hw2(hw2_mel(whole)).values).max() < 1e-3


def with_narrow_discriminators(name):
    """The preset with all its discriminators, but for those of one fixed width, of which one is left."""
    preset = preset_named(name)
    narrow = {
        "period_channels": 4,
        "resolution_channels": 4,
        "scale_discriminators": min(1, preset.scale_discriminators),
    }
    return dataclasses.replace(preset, **narrow)


def test_every_contender_is_timed_and_a_whole_run_lies_between_its_two_phases(pack, fabric, monkeypatch):
    monkeypatch.setattr(throughput, "preset_named", with_narrow_discriminators)
    turns = []
    rates = bench(pack, "v2", fabric, batch=1, segment=2048, rounds=1, on_round=lambda: turns.append(1))
    alone, joined = rates["fast-v2, generator only"], rates["fast-v2, with discriminators"]
    assert list(rates)[:2] == [PLAIN, "paper-v2"]
    assert len(turns) == 2
    assert rates["fast-v2, a whole run"] == pytest.approx(1 / (0.12 / alone + 0.88 / joined))
    assert min(rates.values()) > 0
