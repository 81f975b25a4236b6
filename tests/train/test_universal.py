"""Starting from UNIVERSAL_V1: the closed form for its first layer."""

import dataclasses

import pytest
import torch
from torch.nn import functional as F

from train.networks.generator import new_generator
from train.networks.universal import KERNEL_FRAMES, solve_convolution, universal_weights
from vocoders.checkpoints.checkpoint import Checkpoint, read_checkpoint
from vocoders.features import hw2_mel, log_hifigan_mel, log_hw2
from vocoders.hifigan.generator import V1, V2
from vocoders.hifigan.generator_input import WITH_GUIDE
from vocoders.hifigan.original import original_weights
from vocoders.mel import HIFIGAN, HW2


def test_a_convolution_is_recovered_from_what_it_does():
    random = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(6, 4, KERNEL_FRAMES, generator=random), torch.randn(6, generator=random)
    inputs = [torch.randn(4, frames, generator=random) for frames in (300, 200)]
    pairs = [(x, F.conv1d(x[None], weight, bias, padding=KERNEL_FRAMES // 2)[0]) for x in inputs]
    found, found_bias = solve_convolution(pairs)
    assert (found - weight).abs().max() < 0.01  # the ridge shrinks by a thousandth
    assert (found_bias - bias).abs().max() < 0.01


def test_for_its_own_mel_nothing_changes(pack):
    found = universal_weights(pack, V1, HIFIGAN)
    original = read_checkpoint(original_weights("universal"), "hifigan").weights
    assert all(torch.equal(found[name], original[name]) for name in original)


@torch.inference_mode()
def test_the_hw2_mel_gives_nearly_what_its_own_mel_gave(pack, tone):
    """On sounds like those it was solved on, the first layer answers within a few percent of what it used to."""
    weights = universal_weights(pack, V1, HW2, seconds=30)
    original = read_checkpoint(original_weights("universal"), "hifigan")
    wanted = original.generator().conv_pre(torch.from_numpy(log_hifigan_mel(tone).values)[None])
    found = Checkpoint(V1, HW2, weights).generator().conv_pre(torch.from_numpy(log_hw2(hw2_mel(tone)).values)[None])
    assert (found - wanted).norm() / wanted.norm() < 0.1
    untouched = [name for name in weights if not name.startswith("conv_pre")]
    assert all(torch.equal(weights[name], original.weights[name]) for name in untouched)


def test_a_guided_one_starts_from_the_same_solution(pack):
    guided = dataclasses.replace(V1, input_channels=WITH_GUIDE)
    wanted, found = (universal_weights(pack, config, HW2, seconds=5) for config in (V1, guided))
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    new_generator(guided, found)


def test_only_a_v1_generator_can_start_from_it(pack):
    with pytest.raises(ValueError, match="use a v1 preset"):
        universal_weights(pack, V2, HW2)
