"""The roofline: operations as PyTorch counts them, and a bound that is the slower of two."""

import dataclasses

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from eval.benchmarks.roofline import Layers, Peaks, as_text, layers_of, roofline
from tests.command import command
from vocoders.checkpoints.checkpoint import Checkpoint
from vocoders.harmonic_noise.generator import HarmonicNoiseConfig
from vocoders.hifigan.generator import V3, Generator
from vocoders.mel import HW2

FRAMES = 20


@pytest.fixture(scope="module")
def checkpoint():
    return Checkpoint(V3, HW2, Generator(V3).state_dict())


def test_a_layer_is_bounded_by_the_slower_of_arithmetic_and_memory():
    peaks = Peaks(arithmetic=100.0, memory=10.0)
    assert Layers("dense", 9.0, multiply_adds=200.0, bytes=10.0).bound(peaks) == 2.0
    assert Layers("thin", 9.0, multiply_adds=100.0, bytes=50.0).bound(peaks) == 5.0


def test_multiply_adds_are_those_of_the_network(checkpoint):
    generator = checkpoint.generator()
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        generator(torch.zeros(1, 80, FRAMES))
    times = {name.removesuffix(".weight"): 1.0 for name in checkpoint.weights if name.endswith(".weight")}
    found = layers_of(checkpoint, V3, FRAMES, times | {"Slice_1": 3.0})
    assert sum(layers.multiply_adds for layers in found) == pytest.approx(counter.get_total_flops() / 2, rel=0.01)
    assert found[-1] == Layers("all else", 3.0)
    assert sum(layers.seconds for layers in found) == sum(times.values()) + 3.0


def test_every_convolution_of_a_profile_is_found(checkpoint):
    found = roofline(checkpoint, 0.2)
    convolutions = [layers for layers in found.layers if layers.multiply_adds]
    assert len(convolutions) == 2 + len(V3.upsample_rates) * (1 + len(V3.resblock_kernel_sizes))
    assert all(layers.seconds > 0 for layers in convolutions)
    assert min(found.peaks.arithmetic, found.peaks.memory) > 1e8
    assert "| upsampling 1 |" in as_text(found)


def test_other_families_and_lengths_are_refused(checkpoint):
    other = dataclasses.replace(checkpoint, config=HarmonicNoiseConfig())
    with pytest.raises(
        ValueError, match="a roofline is drawn of HiFi-GAN generators; this is a harmonic-noise generator"
    ):
        roofline(other, 0.2)
    assert "--seconds is above 0" in command("eval", "roofline", "--seconds", "0", code=1).stderr
