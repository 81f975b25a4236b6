"""A run's course, and configurations that make no sense."""

import dataclasses
import json

import pytest

from train.config import PRESETS, TrainConfig, preset_named, with_input
from train.schedule import ADVERSARIAL_RAMP_SHARE, Budget, step_settings

FAST, PAPER = PRESETS["fast-v1"], PRESETS["paper-v1"]


def test_a_fast_run_goes_from_generator_only_to_long_segments():
    start, before, joined, full, late = (
        step_settings(FAST, progress, 10_000, 0) for progress in (0.0, 0.119, 0.12, 0.12 + ADVERSARIAL_RAMP_SHARE, 0.67)
    )
    assert [now.with_discriminators for now in (start, before, joined, full, late)] == [False, False, True, True, True]
    assert [now.adversarial for now in (before, joined, full)] == [0.0, 0.0, pytest.approx(1.0)]
    assert (start.segment, start.batch, late.segment, late.batch) == (8192, 32, 16_384, 16)
    assert start.lr == FAST.generator_only_lr
    assert joined.lr < FAST.lr


def test_rates_warm_up_then_follow_a_cosine_to_their_last_share():
    assert step_settings(FAST, 0.0, 0, 0).lr == pytest.approx(FAST.generator_only_lr / 100)
    assert step_settings(FAST, 0.5, 10_000, 0).lr == pytest.approx(FAST.lr * (1 + FAST.final_share) / 2)
    end = step_settings(FAST, 1.0, 10_000, 0)
    assert (end.lr, end.discriminator_lr) == pytest.approx((FAST.lr * 0.05, FAST.discriminator_lr * 0.05))


def test_the_paper_decays_by_epoch_and_has_discriminators_from_the_start():
    now = step_settings(PAPER, 0.5, 5000, 12.7)
    assert now.lr == pytest.approx(2e-4 * 0.999**12)
    assert step_settings(PAPER, 0.0, 0, 0).adversarial == 1.0
    assert (now.segment, now.batch) == (8192, 16)


def test_a_generator_waits_for_discriminators_that_join():
    config = dataclasses.replace(FAST, generator_only=0.2, discriminators_only=0.3)
    alone, waiting, ramp, full = (step_settings(config, progress, 10_000, 0) for progress in (0.1, 0.3, 0.5, 0.56))
    assert [now.with_generator for now in (alone, waiting, ramp, full)] == [True, False, True, True]
    assert [now.is_adversarial for now in (alone, waiting, ramp, full)] == [False, False, True, True]
    assert [now.adversarial for now in (ramp, full)] == pytest.approx([0.0, 1.0])


def test_a_fine_tuning_run_ends_in_float32():
    assert [
        step_settings(PRESETS["finetune-v1"], progress, 500, 0).bfloat16 for progress in (0.0, 0.84, 0.85, 1.0)
    ] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("budget", "step", "seconds", "progress"),
    [
        (Budget(steps=200), 50, 1e9, 0.25),
        (Budget(minutes=10), 7, 150, 0.25),
        (Budget(steps=10), 12, 0, 1.0),
    ],
)
def test_progress_is_counted_in_the_budgets_own_unit(budget, step, seconds, progress):
    assert budget.progress(step, seconds) == progress


@pytest.mark.parametrize("values", [{}, {"steps": 1, "minutes": 1.0}, {"steps": -1}, {"minutes": 0.0}])
def test_a_budget_is_one_positive_number(values):
    with pytest.raises(ValueError, match="budget"):
        Budget(**values)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_json(name):
    config = PRESETS[name]
    if config.generator.family == "hifigan":
        config = with_input(config, "guide" if name.endswith("v2") else "amplitude")
    assert TrainConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_an_unknown_preset_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown preset 'v4'; known: paper-v1, .*tiny"):
        preset_named("v4")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"segment": 8000}, "segment is 8000; allowed: a multiple of 256"),
        ({"batch": 0}, "batch is 0; allowed: 1 or more"),
        ({"generator_only": 1.5}, "a share from 0 to 1"),
        ({"discriminators_only": -0.1}, "a share from 0 to 1"),
        ({"generator_only": 0.6, "discriminators_only": 0.5}, "what generator_only leaves of the run"),
        ({"resolution_exponent": 0.0}, "above 0, up to 1"),
        ({"recipe": "mel"}, "unknown mel recipe 'mel'"),
        ({"lr": 0.0}, "lr is 0.0"),
        ({"pitch_shift": 13.0}, "0 to 12 semitones"),
        ({"start": "lj"}, "scratch, universal, checkpoint"),
        ({"period_channels": 0, "resolution_windows": ()}, "name a discriminator"),
    ],
)
def test_an_impossible_configuration_is_refused(change, reason):
    with pytest.raises(ValueError, match=reason):
        dataclasses.replace(FAST, **change)
