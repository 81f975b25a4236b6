"""The discriminators: multi-period and multi-scale (Kong et al. 2020) and multi-resolution (Jang et al. 2021, UnivNet;
strided along frequency as in Kumar et al. 2023).

Each sub-discriminator maps a waveform (batch, 1, samples) to its scores and the feature maps of every layer, the
scores last. Tensors only.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

from train.config import TrainConfig
from vocoders.hifigan.generator import SLOPE

PERIODS = (2, 3, 5, 7, 11)  # samples; primes, so that no two share a grid

FeatureMaps = list[Tensor]  # of one sub-discriminator: its layers' outputs, the scores last


class PeriodDiscriminator(nn.Module):
    """Folds time into rows of one period and convolves along the rows.

    channels: of the first layer, 32 in the paper; the others keep their proportions.
    """

    def __init__(self, period: int, channels: int) -> None:
        super().__init__()
        self.period = period
        widths = (1, channels, 4 * channels, 16 * channels, 32 * channels, 32 * channels)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(before, after, (5, 1), (3 if index < 4 else 1, 1), padding=(2, 0)))
            for index, (before, after) in enumerate(pairwise(widths))
        )
        self.score = weight_norm(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, waveform: Tensor) -> FeatureMaps:
        """(batch, 1, n) -> the maps of all layers, the last one the score."""
        folded = F.pad(waveform, (0, -waveform.shape[-1] % self.period), mode="reflect")
        return _through(self.layers, self.score, folded.unflatten(-1, (-1, self.period)))


class ScaleDiscriminator(nn.Module):
    """Strided grouped convolutions over the waveform."""

    _LAYERS = (  # channels in and out, kernel, stride, groups
        (1, 128, 15, 1, 1),
        (128, 128, 41, 2, 4),
        (128, 256, 41, 2, 16),
        (256, 512, 41, 4, 16),
        (512, 1024, 41, 4, 16),
        (1024, 1024, 41, 1, 16),
        (1024, 1024, 5, 1, 1),
    )

    def __init__(self, norm) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            norm(nn.Conv1d(before, after, kernel, stride, padding=kernel // 2, groups=groups))
            for before, after, kernel, stride, groups in self._LAYERS
        )
        self.score = norm(nn.Conv1d(1024, 1, 3, padding=1))

    def forward(self, waveform: Tensor) -> FeatureMaps:
        """(batch, 1, n) -> the maps of all layers, the last one the score."""
        return _through(self.layers, self.score, waveform)


class ResolutionDiscriminator(nn.Module):
    """Convolutions over the magnitude spectrogram at one window length, with a hop of a quarter of it.

    exponent: of the magnitudes, 0 to 1. Below 1 it compresses them, so that quiet bins, of high frequencies and between partials,
    matter beside loud ones.
    """

    def __init__(self, window: int, channels: int, exponent: float) -> None:
        super().__init__()
        self.exponent = exponent
        self.register_buffer("window", torch.hann_window(window), persistent=False)
        self.layers = nn.ModuleList(
            [
                weight_norm(nn.Conv2d(1, channels, (3, 9), padding=(1, 4))),
                *(weight_norm(nn.Conv2d(channels, channels, (3, 9), (1, 2), padding=(1, 4))) for _ in range(3)),
                weight_norm(nn.Conv2d(channels, channels, 3, padding=1)),
            ]
        )
        self.score = weight_norm(nn.Conv2d(channels, 1, 3, padding=1))

    def forward(self, waveform: Tensor) -> FeatureMaps:
        """(batch, 1, n) -> the maps of all layers, the last one the score."""
        size = len(self.window)  # nothing up to the magnitude is ever narrowed to bfloat16: it has no quiet parts
        padded = F.pad(waveform, ((size - size // 4) // 2,) * 2, mode="reflect").squeeze(1)
        spectrum = torch.stft(padded, size, size // 4, window=self.window, center=False, return_complex=True)
        # the small number keeps the power's gradient finite in silence
        magnitude = (torch.view_as_real(spectrum).square().sum(-1) + 1e-9) ** (self.exponent / 2)
        image = magnitude.transpose(1, 2).unsqueeze(1)
        image = image.to(memory_format=torch.channels_last)  # a fifth faster on CPUs
        return _through(self.layers, self.score, image)


def _through(layers: nn.ModuleList, score: nn.Module, x: Tensor) -> FeatureMaps:
    maps = []
    for layer in layers:
        x = F.leaky_relu(layer(x), SLOPE)
        maps.append(x)
    return [*maps, score(x)]


class MultiScaleDiscriminator(nn.ModuleList):
    """The waveform as it is, then averaged to half the rate again and again; spectral norm on the first."""

    def __init__(self, count: int) -> None:
        super().__init__(ScaleDiscriminator(weight_norm if index else spectral_norm) for index in range(count))

    def forward(self, waveform: Tensor) -> list[FeatureMaps]:
        """(batch, 1, n) -> the maps of each scale."""
        found = []
        for index, discriminator in enumerate(self):
            if index:
                waveform = F.avg_pool1d(waveform, 4, 2, padding=2)
            found.append(discriminator(waveform))
        return found


class ParallelDiscriminators(nn.ModuleList):
    """Sub-discriminators that all have the same waveform as input."""

    def forward(self, waveform: Tensor) -> list[FeatureMaps]:
        """(batch, 1, n) -> the maps of each sub-discriminator."""
        return [discriminator(waveform) for discriminator in self]


class Discriminators(nn.Module):
    """Every discriminator a configuration names: waveform (batch, 1, samples) -> {"mpd": [maps of each], ...}."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.resolution_exponent = config.resolution_exponent
        families: dict[str, nn.Module] = {}
        if config.period_channels:
            families["mpd"] = ParallelDiscriminators(
                PeriodDiscriminator(period, config.period_channels) for period in PERIODS
            )
        if config.scale_discriminators:
            families["msd"] = MultiScaleDiscriminator(config.scale_discriminators)
        if config.resolution_windows:
            families["mrd"] = ParallelDiscriminators(
                ResolutionDiscriminator(window, config.resolution_channels, config.resolution_exponent)
                for window in config.resolution_windows
            )
        self.families = nn.ModuleDict(families)

    def forward(self, waveform: Tensor) -> dict[str, list[FeatureMaps]]:
        """(batch, 1, n) -> the maps of each sub-discriminator, by family."""
        return {name: family(waveform) for name, family in self.families.items()}
