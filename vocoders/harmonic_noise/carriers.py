"""Signals that a harmonic-plus-noise vocoder weights: made of the mel's Griffin-Lim waveform and of noise, without parameters.

    guide ──▶ STFT G ─────────────────────────────────────────────────────────────▶ 0  the guide
              G below 2.2 kHz, whitened ──▶ excitation e at twice the rate
                                            |e|, exp(1.5 e) ──▶ STFT, whitened ───▶ 1, 2  partials up to the Nyquist frequency
    noise n ────────────────────────────────────────────▶ STFT ──────────────────▶ 3  noise
            ──▶ n exp(e), loud once a period, as breath is between vocal folds ──▶ 4  pulsed noise

A nonlinearity of a periodic signal is periodic with the same period, so carriers 1 and 2 have the guide's pitch wherever that has
one; no F0 is tracked. Carriers 1 to 4 are given the guide's smoothed magnitude, so that gains of 1 are about right.

Sources: harmonics by a nonlinearity, Wang, Takaki & Yamagishi 2019 ("NSF"), there of a sine; harmonic-plus-noise synthesis with
learned weights, Engel et al. 2020 ("DDSP").
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vocoders.audio import SAMPLE_RATE
from vocoders.harmonic_noise.stft import Stft
from vocoders.mel import N_BINS, N_FFT

CARRIERS = 5
PITCHED = 3  # the first so many have a phase that can be turned; noise has none
REACH_FRAMES = 6  # to either side: what a carrier's frame depends on. Three STFTs or inverses, each 2 frames
OVERSAMPLING = 2  # of the nonlinearities: what they make above 11 kHz is cut off instead of folding back
LOW_EDGE_HZ, HIGH_EDGE_HZ, HIGH_EDGE_WIDTH_HZ = 60.0, 2200.0, 400.0  # of the band that the excitation is made of
SMOOTHING_BINS = 10  # to either side that an envelope is averaged over: 215 Hz
DC_BINS = 2  # the lowest, with what a nonlinearity adds at 0 Hz
STEEPNESS, MAX_EXPONENT = 1.5, 5.0  # of the exponential of the excitation
MAX_PULSE_EXPONENT = 3.0
POWER_FLOOR = 1e-10  # of the guide: silence, too, has an envelope to divide by
WHITE_POWER_FLOOR = 1e-8  # of whitened signals
FRAME_POWER_FLOOR = 1e-6  # of the excitation's mean square


class Carriers(nn.Module):
    """Guide and noise of variance 1, waveforms at 22 050 Hz -> the carriers' spectra, framed as `vocoders.mel`."""

    def __init__(self, oversampling: int = OVERSAMPLING) -> None:
        super().__init__()
        self.oversampling = oversampling
        self.stft, self.fine = Stft(), Stft(oversampling)
        hertz = torch.arange(N_BINS, device="cpu") * SAMPLE_RATE / N_FFT
        upper = ((HIGH_EDGE_HZ - hertz) / HIGH_EDGE_WIDTH_HZ + 1).clamp(0, 1)
        self.register_buffer("band", upper * (hertz / LOW_EDGE_HZ).clamp(0, 1), persistent=False)
        # White noise of variance 1 then has a mean |STFT|^2 of 1
        self.register_buffer("noise_scale", self.stft.window.square().sum().rsqrt(), persistent=False)

    def forward(self, guide: Tensor, noise: Tensor) -> Tensor:
        """(batch, frames * 256) of both -> (batch, CARRIERS, frames, 2, 513)."""
        spectrum = self.stft(guide)
        envelope = smooth_magnitude(spectrum, POWER_FLOOR)
        excitation = self.fine.inverse(self.oversampling * self._whitened_low(spectrum, envelope))
        partials = (excitation.abs(), (STEEPNESS * excitation).clamp(max=MAX_EXPONENT).exp())
        pulse = excitation[:, :: self.oversampling].clamp(max=MAX_PULSE_EXPONENT).exp()
        return torch.stack(
            [
                spectrum,
                *(_whitened(self.fine(wave) / self.oversampling) * envelope for wave in partials),
                self.stft(noise) * self.noise_scale * envelope,
                _whitened(self.stft(noise * pulse)) * envelope,
            ],
            dim=1,
        )

    def _whitened_low(self, spectrum: Tensor, envelope: Tensor) -> Tensor:
        """Below 2.2 kHz: flat on the scale of the envelope's smoothing, and every frame's waveform of unit RMS."""
        white = spectrum * (self.band / envelope)
        # Parseval over one side of the spectrum, and the window's energy
        mean_square = 2 * power(white).sum(-1, keepdim=True) / N_FFT / self.stft.window.square().sum()
        return white * (1 / (mean_square + FRAME_POWER_FLOOR).sqrt())  # one division for both parts


def _whitened(spectrum: Tensor) -> Tensor:
    """Without what a nonlinearity put at 0 Hz, and divided by its own smoothed magnitude."""
    spectrum = F.pad(spectrum[..., DC_BINS:], (DC_BINS, 0))
    return spectrum * (1 / smooth_magnitude(spectrum, WHITE_POWER_FLOOR))


def power(spectrum: Tensor) -> Tensor:
    """|X|^2, (..., 2, bins) -> (..., 1, bins); its gradient is finite at 0."""
    return spectrum.square().sum(-2, keepdim=True)


def smooth_magnitude(spectrum: Tensor, floor: float) -> Tensor:
    """Root of `floor` plus the mean power of `SMOOTHING_BINS` to either side, mirrored at both ends: (..., 1, bins)."""
    mirrored = F.pad(power(spectrum), (SMOOTHING_BINS, SMOOTHING_BINS, 0, 0), mode="reflect")
    count = 2 * SMOOTHING_BINS + 1
    return (_sums_of_neighbours(mirrored, count) / count + floor).sqrt()


def _sums_of_neighbours(values: Tensor, count: int) -> Tensor:
    """(..., n) -> (..., n - count + 1), of `count` values each.

    A sum of 2, 4, 8, ... is made of two of half as many, which takes a seventh of the time of PyTorch's average pooling over 21.
    """
    length = values.shape[-1] - count + 1
    total, start = values.new_zeros(()), 0
    for bit in range(count.bit_length()):
        width = 1 << bit
        if bit:
            values = values[..., : -(width // 2)] + values[..., width // 2 :]
        if count & width:
            total = total + values[..., start : start + length]
            start += width
    return total
