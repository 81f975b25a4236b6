"""Conditions that stop a run, and their messages."""

import dataclasses
import math

import pytest
import torch

from train import guards
from train.config import PRESETS
from train.guards import (
    COLLAPSE_PATIENCE_STEPS,
    MAX_COLLAPSED_LOSS,
    DoesNotFit,
    TrainingStopped,
    Watchdog,
    check_memory,
    free_bytes,
    needed_bytes,
)
from train.state import new_state

CPU = torch.device("cpu")


def test_memory_grows_with_batch_and_segment_and_covers_what_adam_keeps(fabric):
    config = PRESETS["fast-v2"]
    double = dataclasses.replace(config, batch=2 * config.batch, long_batch=2 * config.long_batch)
    assert 1.8 < needed_bytes(double) / needed_bytes(config) < 2.1
    state = new_state(PRESETS["tiny"], fabric)
    weights = sum(p.numel() * 4 for p in state.generator.parameters())
    assert needed_bytes(PRESETS["tiny"]) > 5 * weights


def test_activations_are_counted_as_torch_keeps_them():
    """Against the memory that a real pass really holds, counted by what its graph keeps alive."""
    from train.guards import _activations
    from train.networks.discriminators import Discriminators
    from vocoders.hifigan.generator import Generator

    config = PRESETS["tiny"]
    with torch.device("meta"):
        expected = _activations(Generator(config.generator), Discriminators(config), config, 4096, 4)
    real = _activations(Generator(config.generator), Discriminators(config), config, 4096, 4, device="cpu")
    assert expected == pytest.approx(real, rel=0.02)


def test_a_preset_that_does_not_fit_is_refused_before_it_starts():
    huge = dataclasses.replace(PRESETS["fast-v1"], batch=100_000)
    with pytest.raises(DoesNotFit, match=r"needs about \d+\.\d GiB and \d+\.\d GiB are free on cpu; choose a smaller"):
        check_memory(huge, CPU)
    check_memory(PRESETS["tiny"], CPU)


def test_a_containers_limit_counts(monkeypatch, tmp_path):
    monkeypatch.setattr(guards, "CGROUP", tmp_path)
    whole = free_bytes(CPU)
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 50000\n")
    assert free_bytes(CPU) == 650_000
    (tmp_path / "memory.max").write_text("max\n")
    assert free_bytes(CPU) > whole / 2


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_the_run(value):
    with pytest.raises(TrainingStopped, match=r"mel is not a number at step 7: .* resume from the last save"):
        Watchdog({}).look(7, {"total": 1.0, "mel": value})


def test_discriminators_that_always_win_stop_the_run_after_a_while():
    watchdog = Watchdog({"mpd": 5})
    won, open_ = {"d/mpd": 5 * MAX_COLLAPSED_LOSS / 2}, {"d/mpd": 2.5}
    for step in range(0, COLLAPSE_PATIENCE_STEPS, 10):
        watchdog.look(step, won)
    watchdog.look(COLLAPSE_PATIENCE_STEPS - 1, open_)  # a moment of doubt starts the count again
    for step in range(COLLAPSE_PATIENCE_STEPS, 2 * COLLAPSE_PATIENCE_STEPS, 10):
        watchdog.look(step, won)
        if step % 400 == 0:
            watchdog.look(step, {"validation mel": 1.0})  # says nothing about discriminators
    with pytest.raises(TrainingStopped, match="mpd discriminators have been right about everything for 1000 steps"):
        watchdog.look(2 * COLLAPSE_PATIENCE_STEPS, won)
