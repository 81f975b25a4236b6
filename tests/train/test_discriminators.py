"""The discriminators: the papers' sizes and shapes, and their windows."""

import dataclasses

import pytest
import torch

from train.config import PRESETS
from train.networks.discriminators import Discriminators, PeriodDiscriminator, ResolutionDiscriminator

PAPER, FAST, TINY = PRESETS["paper-v1"], PRESETS["fast-v1"], PRESETS["tiny"]


def millions(module) -> float:
    return sum(parameter.numel() for parameter in module.parameters()) / 1e6


def test_sizes_are_the_papers():
    paper = Discriminators(PAPER).families
    fast = Discriminators(dataclasses.replace(FAST, resolution_channels=32)).families
    assert list(paper) == ["mpd", "msd"]
    assert round(millions(paper["mpd"]), 1) == 41.1
    assert round(millions(paper["msd"]), 1) == 29.6
    assert round(millions(fast["mrd"]), 2) == 0.28
    assert millions(fast["mpd"]) < millions(paper["mpd"]) / 14  # a quarter of the channels


def test_the_paper_has_five_periods_and_three_scales_each_with_every_layers_output():
    waveform = torch.randn(2, 1, 8192)
    verdicts = Discriminators(PAPER)(waveform)
    assert [len(maps) for maps in verdicts["mpd"]] == [6] * 5
    assert [len(maps) for maps in verdicts["msd"]] == [8] * 3
    assert [maps[-1].shape[-1] for maps in verdicts["mpd"]] == [2, 3, 5, 7, 11]
    assert [maps[0].shape[-1] for maps in verdicts["msd"]] == [8192, 4097, 2049]


def test_a_period_discriminator_compares_samples_one_period_apart():
    discriminator = PeriodDiscriminator(5, 4)
    waveform = torch.randn(1, 1, 1000, requires_grad=True)
    discriminator(waveform)[0][0, 0, :, 3].sum().backward()  # one column of the first layer
    touched = waveform.grad[0, 0].nonzero()[:, 0]
    assert set((touched % 5).tolist()) == {3}


def test_a_resolution_discriminator_sees_magnitudes_only():
    discriminator = ResolutionDiscriminator(512, 4, 0.3)
    waveform = torch.randn(1, 1, 4096)
    assert all(torch.allclose(a, b) for a, b in zip(discriminator(waveform), discriminator(-waveform)))
    assert discriminator(waveform)[0].shape == (1, 4, 4096 // 128, 257)


def test_silence_has_finite_gradients():
    waveform = torch.zeros(1, 1, 4096, requires_grad=True)
    sum(maps[-1].sum() for each in Discriminators(TINY)(waveform).values() for maps in each).backward()
    assert torch.isfinite(waveform.grad).all()


@pytest.mark.parametrize("config", [TINY, dataclasses.replace(TINY, scale_discriminators=1)])
@torch.no_grad()
def test_one_pass_over_two_batches_is_two_passes(config):
    discriminators = Discriminators(config).eval()
    a, b = torch.randn(2, 2, 1, 8192)
    together, apart = discriminators(torch.cat([a, b])), (discriminators(a), discriminators(b))
    for family, each in together.items():
        for index, maps in enumerate(each):
            for layer, whole in enumerate(maps):
                halves = torch.cat([critic[family][index][layer] for critic in apart])
                assert torch.allclose(whole, halves, atol=1e-5)
