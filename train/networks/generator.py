"""A generator on its way: weight-normalised while it trains, averaged beside, folded when it leaves.

Weight normalisation (Salimans & Kingma 2016) as HiFi-GAN trains with it; `fold_weight_norm` gives the plain weights back.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from vocoders.harmonic_noise.generator import HarmonicNoise, HarmonicNoiseConfig
from vocoders.hifigan.generator import Generator, HiFiGANConfig

_INITIAL_STD = 0.01  # of the upsampling and residual convolutions, as in the original


def new_generator(
    config: HiFiGANConfig | HarmonicNoiseConfig, weights: Mapping[str, Tensor] | None = None
) -> Generator | HarmonicNoise:
    """Fresh, or with given plain weights: a HiFi-GAN under weight norm, a harmonic-plus-noise generator without."""
    if isinstance(config, HiFiGANConfig):
        return _new_hifigan(config, weights)
    generator = config.build()
    if weights is not None:
        generator.load_state_dict(weights)
    return generator


def in_shape_of(given: HarmonicNoiseConfig, planned: HarmonicNoiseConfig) -> HarmonicNoiseConfig:
    """What a run trains that goes on from a generator: that shape, whatever was planned, with the planned iterations of the guide,
    which change what a network is given and not its shape."""
    return dataclasses.replace(given, guide_iterations=planned.guide_iterations)


def _new_hifigan(config: HiFiGANConfig, weights: Mapping[str, Tensor] | None) -> Generator:
    """Every convolution but those of the guide under weight norm. Weights of a generator without a guide will do for one with
    it."""
    generator = Generator(config)
    for layer in generator.guides:
        nn.init.zeros_(layer.weight)  # zero: the guided generator starts identical to the unguided one
    if weights is not None:
        silent = {f"guides.{name}": value for name, value in generator.guides.state_dict().items()}
        generator.load_state_dict({**silent, **weights})
    else:
        for module in (*generator.ups.modules(), *generator.resblocks.modules(), generator.conv_post):
            if isinstance(module, (nn.Conv1d, nn.ConvTranspose1d)):
                nn.init.normal_(module.weight, 0.0, _INITIAL_STD)
    unscaled = set(generator.guides)
    for module in list(generator.modules()):
        if isinstance(module, (nn.Conv1d, nn.ConvTranspose1d)):
            if module not in unscaled:  # a norm of 0 has no direction to learn
                weight_norm(module)
            module.forward = partial(_convolve, module, module.forward)
    return generator


def _convolve(module: nn.Conv1d | nn.ConvTranspose1d, plain: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The same convolution; under bfloat16 on a CPU as one over images one pixel high with their channels last.

    There PyTorch's own conv1d lays its input out anew every time, and falls back to slow code for wide dilated kernels:
    a step of V1 took 0.76 of its time this way.
    """
    if not torch.is_autocast_enabled("cpu"):
        return plain(x)
    x = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)
    weight = module.weight.unsqueeze(2).contiguous(memory_format=torch.channels_last)
    stride, across, spread = (1, module.stride[0]), (0, module.padding[0]), (1, module.dilation[0])
    if isinstance(module, nn.ConvTranspose1d):
        return F.conv_transpose2d(x, weight, module.bias, stride, across, dilation=spread).squeeze(2)
    return F.conv2d(x, weight, module.bias, stride, across, spread).squeeze(2)


def fold_weight_norm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A weight-normalised generator's state -> plain weights named as in `Generator`, float32 on the CPU."""
    suffix = ".parametrizations.weight.original"
    plain = {}
    for name, tensor in state.items():
        tensor = tensor.detach().float().cpu()
        if name.endswith(f"{suffix}1"):
            module = name.removesuffix(f"{suffix}1")
            gain = state[f"{module}{suffix}0"].detach().float().cpu()
            plain[f"{module}.weight"] = torch._weight_norm(tensor, gain, 0)
        elif not name.endswith(f"{suffix}0"):
            plain[name] = tensor.clone()
    return plain


class Average:
    """Exponential moving average of parameters; its decay is faster near the start, so that it is never stale."""

    def __init__(self, generator: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {name: value.detach().clone() for name, value in generator.state_dict().items()}

    @torch.no_grad()
    def update(self, generator: nn.Module, step: int) -> None:
        """step: how many updates there have been, from 1."""
        keep = min(self.decay, step / (step + 10)) if self.decay else 0.0
        current = generator.state_dict()
        torch._foreach_lerp_([*self.values.values()], [current[name] for name in self.values], 1 - keep)
