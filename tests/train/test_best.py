"""Which generator of a run is kept as its best."""

import dataclasses
import math
import shutil

import pytest

from train.config import M_STFT, MEL_L1, PRESETS
from train.curves import VALIDATION_M_STFT, read_curves
from train.data.guide import Guides
from train.data.pack import open_pack
from train.export import BEST
from train.loop import fit
from train.saving import load
from train.schedule import Budget
from train.state import content_of, new_state, restore
from vocoders.checkpoints.checkpoint import read_checkpoint
from vocoders.harmonic_noise.generator import HarmonicNoiseConfig

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
def worsening(pack, fabric, tmp_path_factory):
    """A run with a guide whose validation M-STFT is lowest before the discriminators join."""
    copied = tmp_path_factory.mktemp("pack") / "pack"
    shutil.copytree(pack.root, copied)
    guided = open_pack(copied)
    Guides(guided, SHORT.generator.guide_iterations).make(jobs=1)
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
