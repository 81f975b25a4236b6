"""The losses of generator and discriminators. Waveforms are (batch, 1, samples); losses are scalars."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eval.metrics.spectral import m_stft_distance
from train.config import TrainConfig
from train.networks.discriminators import FeatureMaps
from vocoders.audio import SAMPLE_RATE
from vocoders.mel import F_MAX, HOP, LOG_FLOOR, MelSpectrogram, filterbank, log_mel, recipe_named


class MelLoss(nn.Module):
    """Mean |difference| of log mels of one recipe. With hw2 it is in the homework's units, nepers of power."""

    def __init__(self, recipe: str) -> None:
        super().__init__()
        self.mel = MelSpectrogram(recipe_named(recipe))

    def forward(self, target: Tensor, estimate: Tensor) -> Tensor:
        """(batch, 1, n), (batch, 1, n) -> mean absolute difference of the log mels, a scalar."""
        return F.l1_loss(log_mel(self.mel(estimate)), log_mel(self.mel(target)))


class MultiScaleMelLoss(nn.Module):
    """Sum over window lengths of the mean |difference| of log10 mel magnitudes, over the full band up to 11 kHz.

    The number of bands grows with the window, from 5 at 32 samples to 320 (Kumar et al. 2023, descript-audio-codec).
    """

    def __init__(self, windows: Sequence[int]) -> None:
        super().__init__()
        self.windows = tuple(windows)
        for size in self.windows:
            bands = min(320, max(5, size * 5 // 32))
            bank = filterbank("slaney", True, bands, size, SAMPLE_RATE / 2)
            self.register_buffer(f"bank_{size}", torch.tensor(bank, dtype=torch.float32), persistent=False)
            self.register_buffer(f"window_{size}", torch.hann_window(size), persistent=False)

    def forward(self, target: Tensor, estimate: Tensor) -> Tensor:
        """(batch, 1, n), (batch, 1, n) -> the sum of the scales' losses, a scalar."""
        return sum(F.l1_loss(self._log(estimate, size), self._log(target, size)) for size in self.windows)

    def _log(self, waveform: Tensor, size: int) -> Tensor:
        window, bank = getattr(self, f"window_{size}"), getattr(self, f"bank_{size}")
        spectrum = torch.stft(waveform.squeeze(1), size, size // 4, window=window, return_complex=True)
        return (bank @ spectrum.abs()).clamp(min=LOG_FLOOR).log10()


class PhaseAdvanceLoss(nn.Module):
    """How far the phase of every bin moves from frame to frame, which is its frequency: mean of 1 - cos of the difference,
    weighted by the target's magnitude, in [0, 2].

    Magnitudes hardly change with a partial that wavers by a few Hz, and a waveform's phases themselves cannot be known from a mel;
    their advance can. (Phase derivatives as a training target: Ai & Ling 2023, "APNet".) Frames are a quarter of a window
    apart, so an error of f Hz is an angle of 2 pi f window / 4 / 22 050.
    """

    MAX_HARMONIC_HZ = 5000.0  # above, the mel does not tell partials apart

    def __init__(self, windows: Sequence[int]) -> None:
        super().__init__()
        self.windows = tuple(windows)
        for size in self.windows:
            self.register_buffer(f"window_{size}", torch.hann_window(size), persistent=False)

    def forward(self, target: Tensor, estimate: Tensor) -> Tensor:
        """(batch, 1, n), (batch, 1, n) -> the mean of the window sizes' losses, a scalar."""
        return sum(self._at(target, estimate, size) for size in self.windows) / len(self.windows)

    def _at(self, target: Tensor, estimate: Tensor, size: int) -> Tensor:
        wanted, found = self._advance(target, size), self._advance(estimate, size)
        weight, both = wanted.abs().sqrt(), wanted.abs() * found.abs()
        floor = (
            1e-10 * wanted.abs().amax() ** 2 + 1e-12
        )  # 50 dB below the loudest; where there is nothing, there is no phase
        off = (both - (wanted.conj() * found).real) / (both + floor)
        return (weight * off).sum() / weight.sum().clamp(min=1e-6)

    def _advance(self, waveform: Tensor, size: int) -> Tensor:
        """Every frame against the one before, complex: its angle is the advance."""
        window = getattr(self, f"window_{size}")
        spectrum = torch.stft(waveform.squeeze(1), size, size // 4, window=window, center=False, return_complex=True)
        covered = spectrum[:, : round(self.MAX_HARMONIC_HZ / SAMPLE_RATE * size)]
        return covered[..., 1:] * covered[..., :-1].conj()


class HopLineLoss(nn.Module):
    """Mean |difference| of log magnitudes at multiples of the hop rate, 86.13 Hz, up to 8 kHz.

    A generator that makes every frame's samples alike buzzes there. The window is 32 hops long: a line takes up two of its
    bins to either side and leaves the 27 between for what belongs there. In an STFT loss over all bins, one bin in 32 has no weight.
    """

    WINDOW_HOPS = 32
    LINES = int(F_MAX * HOP / SAMPLE_RATE)

    def __init__(self) -> None:
        super().__init__()
        self.size = self.WINDOW_HOPS * HOP
        self.register_buffer("window", torch.hann_window(self.size), persistent=False)

    def forward(self, target: Tensor, estimate: Tensor) -> Tensor:
        """(batch, 1, n), (batch, 1, n) -> mean absolute difference of the lines' log magnitudes, a scalar."""
        return F.l1_loss(self._log(estimate), self._log(target))

    def _log(self, waveform: Tensor) -> Tensor:
        spectrum = torch.stft(
            waveform.squeeze(1), self.size, self.size // 4, window=self.window, center=False, return_complex=True
        )
        lines = spectrum[:, self.WINDOW_HOPS : (self.LINES + 1) * self.WINDOW_HOPS : self.WINDOW_HOPS]
        return lines.abs().clamp(min=LOG_FLOOR).log()


class SpectralLosses(nn.Module):
    """The generator's losses that need no discriminator, unweighted: {"mel": ..., "stft": ..., "phase": ..., "hop": ...}."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.mel = MultiScaleMelLoss(config.mel_windows) if config.mel_windows else MelLoss(config.recipe)
        self.resolutions = tuple((size, size // 4, size) for size in config.stft_windows)
        self.phase = PhaseAdvanceLoss(config.phase_windows) if config.phase_windows else None
        self.hop = HopLineLoss() if config.hop_weight else None

    def forward(self, target: Tensor, estimate: Tensor) -> dict[str, Tensor]:
        """(batch, 1, n), (batch, 1, n) -> unweighted losses by name, scalars: those that the configuration has."""
        losses = {"mel": self.mel(target, estimate)}
        if self.resolutions:
            losses["stft"] = m_stft_distance(target.squeeze(1), estimate.squeeze(1), self.resolutions)
        if self.phase:
            losses["phase"] = self.phase(target, estimate)
        if self.hop:
            losses["hop"] = self.hop(target, estimate)
        return losses


# Least-squares adversarial losses (Mao et al. 2017), summed over sub-discriminators as in HiFi-GAN.


def discriminator_loss(real: Sequence[FeatureMaps], fake: Sequence[FeatureMaps]) -> Tensor:
    """Real scores towards 1, fake ones towards 0."""
    return sum((1 - r[-1].float()).square().mean() + f[-1].float().square().mean() for r, f in zip(real, fake))


def adversarial_loss(fake: Sequence[FeatureMaps]) -> Tensor:
    """Fake scores towards 1."""
    return sum((1 - f[-1].float()).square().mean() for f in fake)


def feature_loss(real: Sequence[FeatureMaps], fake: Sequence[FeatureMaps]) -> Tensor:
    """Mean |difference| of every layer's output, summed (Larsen et al. 2016)."""
    return sum(F.l1_loss(f.float(), r.float()) for rs, fs in zip(real, fake) for r, f in zip(rs, fs))
