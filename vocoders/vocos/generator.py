"""The Vocos generator (Siuzdak 2023) of mels: log mel (batch, bands, frames) -> waveform (batch, 1, frames * hop - tail).

    mel -> embed -> norm -> [ x + gamma * MLP(norm(depthwise conv x)) ] per layer -> norm -> linear -> inverse STFT

There is no upsampling: every frame gives one column of an STFT, log magnitude and phase. Parameter names are those of
gemelo-ai/vocos (`backbone.`, `head.`). Tensors only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vocoders.hifigan.generator import MAX_HOP, require
from vocoders.phase.inverse_stft import inverse_stft

KERNEL = 7  # of every convolution
MAX_MAGNITUDE = 100.0  # of a bin, at which the head clips


@dataclass(frozen=True)
class VocosConfig:
    """The shape of a generator; names are those of the original's config.yaml. Errors: ValueError."""

    bands: int  # of the mel; the original's input_channels
    dim: int
    intermediate_dim: int
    num_layers: int
    n_fft: int  # of the head
    hop: int  # samples per frame
    padding: Literal["center", "same"] = "same"  # where the head's frame i stands: on sample i * hop, or hop / 2 later

    family = "vocos"
    is_enriched = False
    is_guided = False
    guide_iterations = 0

    def __post_init__(self) -> None:
        ranges = {"bands": 512, "dim": 4096, "intermediate_dim": 16_384, "num_layers": 64, "hop": MAX_HOP}
        for field, most in ranges.items():
            value = getattr(self, field)
            require(isinstance(value, int) and 1 <= value <= most, field, value, f"1 to {most}")
        fits = isinstance(self.n_fft, int) and 2 * self.hop <= self.n_fft <= 8192 and self.n_fft % 2 == 0
        require(fits, "n_fft", self.n_fft, "an even number from twice the hop to 8192")
        require(self.padding in ("center", "same"), "padding", self.padding, "center or same")
        require((self.n_fft - self.hop) % 2 == 0, "hop_length", self.hop, "an even number")

    @property
    def input_channels(self) -> int:
        """The mel's bands: nothing stands beside it."""
        return self.bands

    @property
    def tail(self) -> int:
        """Samples that the waveform is shorter than frames * hop: the last of centred frames only ends it."""
        return self.hop if self.padding == "center" else 0

    @property
    def context(self) -> int:
        """Receptive field to each side, in mel frames."""
        return (KERNEL // 2) * (1 + self.num_layers) + -(-self.n_fft // self.hop)

    @property
    def multiply_adds(self) -> int:
        """Multiplications with addition that a forward pass takes per mel frame, without the inverse FFT."""
        layer = self.dim * KERNEL + 2 * self.dim * self.intermediate_dim
        return self.bands * self.dim * KERNEL + self.num_layers * layer + self.dim * (self.n_fft + 2)

    def build(self) -> Vocos:
        return Vocos(self)


class _ConvNeXt(nn.Module):
    """x + gamma * (linear GELU linear)(norm(depthwise conv x)), (batch, dim, frames) (Liu et al. 2022)."""

    def __init__(self, config: VocosConfig) -> None:
        super().__init__()
        self.dwconv = nn.Conv1d(config.dim, config.dim, KERNEL, padding=KERNEL // 2, groups=config.dim)
        self.norm = nn.LayerNorm(config.dim, eps=1e-6)
        self.pwconv1 = nn.Linear(config.dim, config.intermediate_dim)
        self.pwconv2 = nn.Linear(config.intermediate_dim, config.dim)
        self.gamma = nn.Parameter(torch.full((config.dim,), 1 / config.num_layers))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.dwconv(x).transpose(1, 2))
        y = self.gamma * self.pwconv2(F.gelu(self.pwconv1(y)))
        return x + y.transpose(1, 2)


class _Backbone(nn.Module):
    """(batch, bands, frames) -> (batch, frames, dim)."""

    def __init__(self, config: VocosConfig) -> None:
        super().__init__()
        self.embed = nn.Conv1d(config.bands, config.dim, KERNEL, padding=KERNEL // 2)
        self.norm = nn.LayerNorm(config.dim, eps=1e-6)
        self.convnext = nn.ModuleList(_ConvNeXt(config) for _ in range(config.num_layers))
        self.final_layer_norm = nn.LayerNorm(config.dim, eps=1e-6)

    def forward(self, mel: Tensor) -> Tensor:
        x = self.norm(self.embed(mel).transpose(1, 2)).transpose(1, 2)
        for block in self.convnext:
            x = block(x)
        return self.final_layer_norm(x.transpose(1, 2))


class _Head(nn.Module):
    """(batch, frames, dim) -> waveform (batch, 1, samples), through magnitudes and phases."""

    def __init__(self, config: VocosConfig) -> None:
        super().__init__()
        self.n_fft, self.hop, self.padding = config.n_fft, config.hop, config.padding
        self.out = nn.Linear(config.dim, config.n_fft + 2)

    def forward(self, x: Tensor) -> Tensor:
        log_magnitude, phase = self.out(x).transpose(1, 2).chunk(2, dim=1)
        magnitude = log_magnitude.exp().clamp(max=MAX_MAGNITUDE)
        trim = self.n_fft // 2 if self.padding == "center" else (self.n_fft - self.hop) // 2
        return inverse_stft(magnitude, phase, self.n_fft, self.hop, trim)


class Vocos(nn.Module):
    """Log mel (batch, bands, frames) -> waveform (batch, 1, frames * hop - tail)."""

    def __init__(self, config: VocosConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = _Backbone(config)
        self.head = _Head(config)

    def forward(self, mel: Tensor) -> Tensor:
        return self.head(self.backbone(mel))
