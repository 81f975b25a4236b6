"""The STFT of `vocoders.phase.stft` as a network's layer: tensors with gradients, frame-major, at one or several times the rate."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vocoders.harmonic_noise.dft import inverse_real_dft, real_dft
from vocoders.mel import HOP, N_BINS, N_FFT, PAD

OVERLAP = N_FFT // HOP  # windows over any one sample
MIN_WEIGHT = 1e-8  # of squared windows at a sample, which is 0 at the outermost one


class Stft(nn.Module):
    """STFT and its least-squares inverse (Griffin & Lim 1984) with a Hann window; `oversampling` multiplies the rate and all lengths.

    Frame i covers padded samples [hop i, hop i + size), as of `vocoders.mel`. A spectrum is its real and its imaginary part in the
    bins up to 11 kHz. No parameters.
    """

    def __init__(self, oversampling: int = 1) -> None:
        super().__init__()
        self.size, self.hop, self.pad = (oversampling * length for length in (N_FFT, HOP, PAD))
        window = torch.hann_window(self.size, device="cpu")  # real also where parameters are made without memory
        self.register_buffer("window", window, persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, frames * hop) -> (batch, frames, 2, 513)."""
        hops = F.pad(waveform, (self.pad, self.pad)).unflatten(-1, (-1, self.hop))
        last = OVERLAP - 1
        windows = torch.cat([*(hops[:, i : i - last] for i in range(last)), hops[:, last:]], dim=-1)
        return real_dft(windows * self.window, self.size, N_BINS)

    def inverse(self, spectrum: Tensor) -> Tensor:
        """(batch, frames, 2, 513) -> (batch, frames * hop)."""
        windows = inverse_real_dft(spectrum, self.size) * self.window
        weight = self._overlap_add(self.window.square().expand_as(windows[:1]))
        total = self._overlap_add(windows) / weight.clamp(min=MIN_WEIGHT)
        return total[:, self.pad : -self.pad]

    def _overlap_add(self, windows: Tensor) -> Tensor:
        """(batch, frames, size) -> (batch, (frames + 3) * hop): four shifted additions."""
        quarters = windows.unflatten(-1, (OVERLAP, self.hop))
        shifted = (F.pad(quarters[:, :, i], (0, 0, i, OVERLAP - 1 - i)) for i in range(OVERLAP))
        return torch.stack(list(shifted)).sum(0).flatten(1)
