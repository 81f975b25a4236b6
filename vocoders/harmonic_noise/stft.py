"""The STFT of `vocoders.phase.stft` as a network's layer: tensors with gradients, frame-major, at one or several times the rate."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vocoders.mel import HOP, N_FFT, PAD

OVERLAP = N_FFT // HOP  # windows over any one sample
MIN_WEIGHT = 1e-8  # of squared windows at a sample, which is 0 at the outermost one


class Stft(nn.Module):
    """STFT and its least-squares inverse (Griffin & Lim 1984) with a Hann window; `oversampling` multiplies the rate and all lengths.

    Frame i covers padded samples [hop i, hop i + size), as of `vocoders.mel`. No parameters.
    """

    def __init__(self, oversampling: int = 1) -> None:
        super().__init__()
        self.size, self.hop, self.pad = (oversampling * length for length in (N_FFT, HOP, PAD))
        window = torch.hann_window(self.size, device="cpu")  # real also where parameters are made without memory
        self.register_buffer("window", window, persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, frames * hop) -> complex (batch, frames, size // 2 + 1)."""
        frames = F.pad(waveform, (self.pad, self.pad)).unfold(-1, self.size, self.hop)
        return torch.fft.rfft(frames * self.window)

    def inverse(self, spectrum: Tensor) -> Tensor:
        """complex (batch, frames, up to size // 2 + 1; missing bins are 0) -> (batch, frames * hop)."""
        windows = torch.fft.irfft(spectrum, self.size) * self.window
        weight = self._overlap_add(self.window.square().expand(1, spectrum.shape[1], -1))
        total = self._overlap_add(windows) / weight.clamp(min=MIN_WEIGHT)
        return total[:, self.pad : self.pad + spectrum.shape[1] * self.hop]

    def _overlap_add(self, windows: Tensor) -> Tensor:
        """(batch, frames, size) -> (batch, (frames + 3) * hop): four shifted additions."""
        quarters = windows.unflatten(-1, (OVERLAP, self.hop))
        shifted = (F.pad(quarters[:, :, i], (0, 0, i, OVERLAP - 1 - i)) for i in range(OVERLAP))
        return torch.stack(list(shifted)).sum(0).flatten(1)
