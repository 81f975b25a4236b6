"""A generator on its way: weight-normalised while it trains, averaged beside, folded when it leaves.

Weight normalisation (Salimans & Kingma 2016) as HiFi-GAN trains with it; `fold` gives the plain weights back.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from vocoders.hifigan import Generator, HiFiGANConfig

_INITIAL_STD = 0.01  # of the upsampling and residual convolutions, as in the original


def new_generator(config: HiFiGANConfig, weights: Mapping[str, Tensor] | None = None) -> Generator:
    """Fresh, or with given plain weights; every convolution under weight norm."""
    generator = Generator(config)
    if weights is not None:
        generator.load_state_dict(weights)
    else:
        for module in (*generator.ups.modules(), *generator.resblocks.modules(), generator.conv_post):
            if isinstance(module, (nn.Conv1d, nn.ConvTranspose1d)):
                nn.init.normal_(module.weight, 0.0, _INITIAL_STD)
    for module in list(generator.modules()):
        if isinstance(module, (nn.Conv1d, nn.ConvTranspose1d)):
            weight_norm(module)
    return generator


def fold(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
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
    """Exponential moving average of parameters; near the start it forgets faster, so that it is never stale."""

    def __init__(self, generator: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {name: value.detach().clone() for name, value in generator.state_dict().items()}

    @torch.no_grad()
    def update(self, generator: nn.Module, step: int) -> None:
        """step: how many updates there have been, from 1."""
        keep = min(self.decay, step / (step + 10)) if self.decay else 0.0
        current = generator.state_dict()
        torch._foreach_lerp_([*self.values.values()], [current[name] for name in self.values], 1 - keep)
