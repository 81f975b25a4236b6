"""The training benchmark: its yardstick computes the same mel, and its numbers belong together."""

import numpy as np
import pytest
import torch

from train.benchmark.plain_trainer import _mel
from train.benchmark.throughput import PLAIN, bench
from vocoders.features import hw2_mel, log_hw2


def test_the_plain_structure_computes_the_same_mel(tone):
    whole = tone[: len(tone) // 256 * 256]
    assert np.abs(_mel(torch.from_numpy(whole)[None])[0].numpy() - log_hw2(hw2_mel(whole)).values).max() < 1e-3


def test_every_contender_is_timed_and_a_whole_run_lies_between_its_two_phases(pack, fabric):
    turns = []
    rates = bench(pack, "v2", fabric, batch=1, segment=2048, rounds=1, on_round=lambda: turns.append(1))
    alone, joined = rates["fast-v2, generator only"], rates["fast-v2, with discriminators"]
    assert list(rates)[:2] == [PLAIN, "paper-v2"]
    assert len(turns) == 2
    assert rates["fast-v2, a whole run"] == pytest.approx(1 / (0.12 / alone + 0.88 / joined))
    assert min(rates.values()) > 0
