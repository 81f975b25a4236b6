"""Training losses: closed forms, optimum, and an independent implementation."""

import dataclasses

import auraloss
import numpy as np
import pytest
import torch

from eval.metrics.spectral import log_mel_l1
from train.config import PRESETS, RESOLUTIONS, SCALES
from train.networks.losses import (
    HopLineLoss,
    MelLoss,
    MultiScaleMelLoss,
    PhaseAdvanceLoss,
    SpectralLosses,
    adversarial_loss,
    discriminator_loss,
    feature_loss,
)
from vocoders.audio import SAMPLE_RATE
from vocoders.mel import HOP


@pytest.fixture
def noise():
    return torch.randn(2, 1, 8192, generator=torch.Generator().manual_seed(0)) * 0.2


def test_every_loss_of_a_perfect_estimate_is_zero(noise):
    for config in (PRESETS["paper-v1"], PRESETS["fast-v1"], PRESETS["polish-v1"]):
        assert all(abs(loss) < 1e-4 for loss in SpectralLosses(config)(noise, noise).values())


def test_half_the_gain_moves_log_power_by_2_ln_2_and_every_scale_by_log10_2(noise):
    assert MelLoss("hw2")(noise, noise / 2).item() == pytest.approx(2 * np.log(2), abs=1e-4)
    assert MelLoss("hifigan")(noise, noise / 2).item() == pytest.approx(np.log(2), abs=1e-3)
    # the two shortest windows have bands without a single bin, which stay at the floor
    loss = MultiScaleMelLoss(SCALES[2:])(noise, noise / 2).item()
    assert loss == pytest.approx(len(SCALES[2:]) * np.log10(2), rel=0.02)


def test_the_papers_mel_loss_is_the_homeworks_validation_metric(noise):
    other = noise + 0.05 * torch.randn_like(noise)
    wanted = np.mean([log_mel_l1(a[0].numpy(), b[0].numpy()) for a, b in zip(noise, other)])
    assert MelLoss("hw2")(noise, other).item() == pytest.approx(wanted, rel=1e-5)


def test_the_stft_loss_is_auralosses_at_the_presets_windows(noise):
    other = noise + 0.05 * torch.randn_like(noise)
    hops = [size // 4 for size in RESOLUTIONS]
    reference = auraloss.freq.MultiResolutionSTFTLoss(list(RESOLUTIONS), hops, list(RESOLUTIONS))
    found = SpectralLosses(PRESETS["fast-v1"])(noise, other)["stft"]
    assert found.item() == pytest.approx(reference(other, noise).item(), rel=1e-5)


def test_longer_windows_are_taken_from_the_configuration(noise):
    config = dataclasses.replace(PRESETS["fast-v1"], mel_windows=(4096,), stft_windows=(4096,), resolution_windows=())
    assert all(loss > 0 for loss in SpectralLosses(config)(noise, noise / 2).values())
    with pytest.raises(ValueError, match="multiples of 4 from 16 to 4096"):
        dataclasses.replace(config, stft_windows=(8192,))


@pytest.mark.parametrize("config", [PRESETS["paper-v1"], PRESETS["fast-v1"], PRESETS["polish-v1"]])
def test_gradients_are_finite_also_for_silence(config):
    estimate = torch.zeros(1, 1, 8192, requires_grad=True)
    sum(SpectralLosses(config)(torch.randn(1, 1, 8192), estimate).values()).backward()
    assert torch.isfinite(estimate.grad).all()


def test_least_squares_losses_by_hand():
    real, fake = [[torch.tensor([2.0]), torch.tensor([1.0, 0.5])]], [[torch.tensor([1.5]), torch.tensor([0.0, 0.5])]]
    assert discriminator_loss(real, fake) == (0 + 0.25) / 2 + (0 + 0.25) / 2
    assert adversarial_loss(fake) == (1 + 0.25) / 2
    assert feature_loss(real, fake) == 0.5 + 0.5


def tone_at(hertz: float, phase: float = 0.0) -> torch.Tensor:
    time = torch.arange(16_384, dtype=torch.float64) / 22_050
    return 0.3 * torch.sin(2 * torch.pi * hertz * time + phase).float()[None, None]


@pytest.mark.parametrize("window", [1024, 2048])
def test_phases_that_advance_too_fast_cost_one_minus_the_cosine_of_the_angle(window):
    """A tone sharp by f Hz is ahead by 2 pi f hop / rate after every hop; which phase it has costs nothing."""
    loss, hop = PhaseAdvanceLoss([window]), window / 4
    assert loss(tone_at(440), tone_at(440, phase=2.0)).item() == pytest.approx(0, abs=1e-4)
    for off in (1.0, 4.0, -9.0):
        angle = 2 * np.pi * off * hop / 22_050
        assert loss(tone_at(440), tone_at(440 + off)).item() == pytest.approx(1 - np.cos(angle), rel=0.03)


def test_a_loud_partial_that_wavers_costs_more_than_a_quiet_one():
    loss, steady, high = PhaseAdvanceLoss([2048]), tone_at(440), tone_at(1000)
    loud_off, quiet_off = (
        loss(steady + 0.1 * high, tone_at(443) + 0.1 * high),
        loss(0.1 * steady + high, 0.1 * tone_at(443) + high),
    )
    assert loud_off > 5 * quiet_off > 0


def test_buzz_at_the_hop_rate_is_heard_and_what_lies_between_its_lines_is_not(noise):
    loss, quiet = HopLineLoss(), torch.cat([noise, noise], dim=-1) * 0.01
    assert loss(quiet, quiet / 2).item() == pytest.approx(np.log(2), abs=1e-4)
    on, between = (quiet + 0.1 * tone_at(line * SAMPLE_RATE / HOP) for line in (12, 12.5))
    alone = loss(quiet, on).item() * HopLineLoss.LINES
    assert 4 < alone < 8, "one line of 92, louder than the noise by a factor of some hundreds"
    assert loss(quiet, between) * HopLineLoss.LINES < 0.02 * alone


def test_lines_at_the_hop_rate_need_segments_that_hold_their_window():
    with pytest.raises(ValueError, match="segment is 4096; allowed: 8192 or more"):
        dataclasses.replace(PRESETS["polish-v1"], segment=4096)
