"""Runs of generators that take a guide: which one is kept as the best, and what it is exported with."""

import dataclasses
import math
import shutil

import pytest

from tests.command import command
from train.config import M_STFT, MEL_L1, PRESETS, TrainConfig
from train.curves import VALIDATION_M_STFT, read_curves
from train.data.guide import Guides
from train.data.pack import open_pack
from train.export import BEST, export
from train.loop import fit
from train.saving import load
from train.schedule import Budget
from train.state import content_of, new_state, restore
from vocoders.checkpoints.checkpoint import read_checkpoint
from vocoders.harmonic_noise.generator import HarmonicNoiseConfig
from vocoders.hifigan.guide import ITERATIONS

JOINED = 4  # steps without discriminators, of 8
SHORT = dataclasses.replace(
    PRESETS["tiny"],
    generator=HarmonicNoiseConfig(channels=16, hidden=24, blocks=1, kernel=3, guide_iterations=2),
    generator_only=JOINED / 8,
    generator_only_lr=1e-6,
    lr=0.5,  # the discriminators' part of the run is worse than what comes before
    warm_up=0,
    average=0.0,
    validate_every=2,
    validation_seconds=1.0,
)


@pytest.fixture(scope="module")
def guided(pack, tmp_path_factory):
    """A pack with guides."""
    root = tmp_path_factory.mktemp("pack") / "pack"
    shutil.copytree(pack.root, root)
    Guides(open_pack(root), SHORT.generator.guide_iterations).make(jobs=1)
    return open_pack(root)


@pytest.fixture(scope="module")
def worsening(guided, fabric, tmp_path_factory):
    """A run whose validation M-STFT is lowest before the discriminators join."""
    run = tmp_path_factory.mktemp("run")
    fit(run, guided, SHORT, Budget(steps=8), fabric, preset="tiny")
    return run


def test_before_discriminators_no_generator_is_the_best(worsening):
    validated = {row["step"]: row[VALIDATION_M_STFT] for row in read_curves(worsening) if VALIDATION_M_STFT in row}
    later = {step: loss for step, loss in validated.items() if step > JOINED}
    assert min(validated.values()) < 0.9 * min(later.values())
    about = read_checkpoint(worsening / BEST).about
    assert int(about["steps"]) == min(later, key=later.__getitem__)
    assert float(about["validation_m_stft"]) == pytest.approx(min(later.values()), rel=1e-3)


def test_a_guide_has_the_mel_already_so_m_stft_decides():
    assert PRESETS["harmonic-noise"].judged_by == PRESETS["guided-v1"].judged_by == M_STFT
    assert PRESETS["finetune-v1"].judged_by == PRESETS["fast-v1"].judged_by == MEL_L1


def test_a_run_saved_with_another_judgement_finds_its_best_anew(worsening, fabric):
    saved = load(worsening)
    state = new_state(SHORT, fabric)
    restore(state, saved)
    assert state.best == saved["best"] < math.inf
    assert content_of(state)["judged_by"] == M_STFT
    restore(state, {name: value for name, value in saved.items() if name != "judged_by"})
    assert state.best == math.inf


@pytest.mark.parametrize(("asked", "found"), [(None, ITERATIONS), (5, 5)])
def test_it_is_exported_with_a_steadier_guide_than_it_learned_with(worsening, tmp_path, asked, found):
    export(worsening, tmp_path / "mine.safetensors", guide_iterations=asked)
    assert read_checkpoint(tmp_path / "mine.safetensors").config.guide_iterations == found


def test_no_guide_at_all_cannot_be_asked_for(worsening, tmp_path):
    with pytest.raises(ValueError, match="guide_iterations is 0; allowed: 1 to"):
        export(worsening, tmp_path / "mine.safetensors", guide_iterations=0)


def test_what_was_exported_trains_on(worsening, guided, tmp_path, monkeypatch):
    """In the shape that it has. How often its guide is iterated is not part of that."""
    other = dataclasses.replace(SHORT.generator, gain_bands=8, bin_channels=2)
    monkeypatch.setitem(PRESETS, "harmonic-noise", dataclasses.replace(SHORT, generator=other))
    export(worsening, tmp_path / "mine.safetensors")
    start = ("--from", tmp_path / "mine.safetensors", "--steps", "1", "--accelerator", "cpu")
    command("train", "fit", "--data", guided.root, "--preset", "harmonic-noise", "--out", tmp_path / "next", *start)
    assert load(tmp_path / "next")["about"]["before"][0]["steps"] == read_checkpoint(worsening / BEST).about["steps"]
    assert TrainConfig.from_json(load(tmp_path / "next")["config"]).generator == SHORT.generator
