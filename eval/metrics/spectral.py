"""Spectral distances between a reference and an estimate.

Conventions, for every metric of this project: reference first; mono float arrays (n,) at 22 050 Hz, or for a metric
of any rate at the one that is asked for, with windows of as many samples; the shorter signal
is padded with zeros at its end. A metric that is undefined for an input (digital silence, too short) is nan, never 0.
`metric(x, x)` is the optimum, 0 for every distance here.

These compare magnitudes. They measure *spectral fidelity* and favour Griffin-Lim, which inverts the very thing they
measure; none of them is a verdict on how something sounds.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from eval.metrics.metric import SPECTRAL, metric
from vocoders.audio import SAMPLE_RATE, check_mono, fit_length
from vocoders.mel import HOP, HW2, N_FFT, log_mel_of
from vocoders.phase.stft import stft

# FFT, hop and window lengths in samples: the defaults of auraloss 0.4.0's MultiResolutionSTFTLoss
RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))
POWER_FLOOR = 1e-8  # where auraloss clamps |X|^2

MAGNITUDE_FLOOR = np.float32(1e-4)  # of the curve of M-STFT


def _log_magnitude_error(reference: np.ndarray, estimate: np.ndarray) -> tuple[np.ndarray, float]:
    wanted, found = (np.log(np.maximum(np.abs(stft(x)), MAGNITUDE_FLOOR)) for x in (reference, estimate))
    return np.abs(wanted - found).mean(axis=1), SAMPLE_RATE / HOP


def _log_mel_error(reference: np.ndarray, estimate: np.ndarray) -> tuple[np.ndarray, float]:
    return np.abs(log_mel_of(reference, HW2) - log_mel_of(estimate, HW2)).mean(axis=0), SAMPLE_RATE / HOP


def _magnitude_error(reference: np.ndarray, estimate: np.ndarray) -> tuple[np.ndarray, float]:
    wanted, found = (np.abs(stft(x)) for x in (reference, estimate))
    return ((wanted - found) ** 2).sum(axis=1), SAMPLE_RATE / HOP


@metric(
    "M-STFT",
    "Multi-resolution STFT distance, as auraloss computes it",
    group=SPECTRAL,
    quick=True,
    any_rate=True,
    curve=_log_magnitude_error,
)
def m_stft(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Multi-resolution STFT distance as auraloss 0.4.0 defines it (Yamamoto et al. 2020): mean over three
    resolutions of spectral convergence + mean |log magnitude difference|. nan for a silent or too short reference."""
    reference, estimate = _pair(reference, estimate)
    if len(reference) <= max(fft for fft, _, _ in RESOLUTIONS) // 2 or not reference.any():
        return float("nan")
    return float(m_stft_distance(torch.from_numpy(reference), torch.from_numpy(estimate)))


def m_stft_distance(
    reference: Tensor, estimate: Tensor, resolutions: Sequence[tuple[int, int, int]] = RESOLUTIONS
) -> Tensor:
    """The same for tensors (n,) or (batch, n), differentiable; a scalar. resolutions: (FFT, hop, window) in samples."""
    total = 0.0
    for resolution in resolutions:
        wanted, found = _magnitude(reference, *resolution), _magnitude(estimate, *resolution)
        total = total + _convergence(wanted, found) + (wanted.log() - found.log()).abs().mean()
    return total / len(resolutions)


@metric(
    "log-mel L1",
    "Mean error of the log-power hw2 mel; 1 is 4.34 dB",
    group=SPECTRAL,
    unit="Np",
    quick=True,
    curve=_log_mel_error,
)
def log_mel_l1(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Mean |difference| of log-power hw2 mels, in nepers of power: the homework's validation mel loss.

    One unit is 4.34 dB. nan for recordings shorter than one frame (256 samples).
    """
    reference, estimate = _pair(reference, estimate)
    if len(reference) < HOP or not reference.any():
        return float("nan")
    return float(np.abs(log_mel_of(reference, HW2) - log_mel_of(estimate, HW2)).mean())


@metric(
    "spectral convergence",
    "Relative error of STFT magnitudes",
    group=SPECTRAL,
    quick=True,
    any_rate=True,
    curve=_magnitude_error,
)
def spectral_convergence(reference: np.ndarray, estimate: np.ndarray) -> float:
    """||R| - |E|| / ||R|| (Frobenius) of STFTs with a 1024-sample Hann window and hop 256. nan for silence."""
    reference, estimate = _pair(reference, estimate)
    if len(reference) <= N_FFT // 2 or not reference.any():
        return float("nan")
    wanted, found = (_magnitude(torch.from_numpy(x), N_FFT, HOP, N_FFT) for x in (reference, estimate))
    return float(_convergence(wanted, found))


@metric(
    "log-spectral distance",
    "Root mean square level difference per frame",
    group=SPECTRAL,
    unit="dB",
    on_request=True,
    any_rate=True,
)
def log_spectral_distance(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Mean over frames of the root mean square over 513 bins of the level difference, in dB (Gray & Markel 1976); STFT
    with a 1024-sample Hann window and hop 256, |X|^2 clamped at 1e-8. nan for silence."""
    reference, estimate = _pair(reference, estimate)
    if len(reference) <= N_FFT // 2 or not reference.any():
        return float("nan")
    wanted, found = (_magnitude(torch.from_numpy(x), N_FFT, HOP, N_FFT) for x in (reference, estimate))
    return float((20 * (wanted.log10() - found.log10())).square().mean(dim=0).sqrt().mean())


CEPSTRA = 13


@metric(
    "MCD",
    "Mel-cepstral distortion: 13 coefficients of the hw2 mel, no warping",
    group=SPECTRAL,
    unit="dB",
    on_request=True,
)
def mel_cepstral_distortion(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Mean over frames of (10 / ln 10) sqrt(2 sum_k (c_k - c'_k)^2) in dB (Kubichek 1993), k = 1 to 13.

    c are the orthonormal DCT-II of the log *magnitude* of the 80 hw2 bands, half the log power; no time warping, since the
    outputs are aligned already. The 0th coefficient is left out, so a gain costs nothing. nan for silence.
    """
    from scipy.fft import dct

    reference, estimate = _pair(reference, estimate)
    if len(reference) < HOP or not reference.any():
        return float("nan")
    wanted, found = (
        dct(0.5 * log_mel_of(x, HW2), axis=0, norm="ortho")[1 : CEPSTRA + 1] for x in (reference, estimate)
    )
    return float(10 / np.log(10) * np.sqrt(2 * ((wanted - found) ** 2).sum(axis=0)).mean())


def _convergence(wanted: Tensor, found: Tensor) -> Tensor:
    return torch.linalg.norm(wanted - found) / torch.linalg.norm(wanted)


def _magnitude(waveform: Tensor, fft: int, hop: int, window: int) -> Tensor:
    spectrum = torch.stft(waveform, fft, hop, window, window=_hann(window, waveform.device), return_complex=True)
    return (spectrum.real.square() + spectrum.imag.square()).clamp(min=POWER_FLOOR).sqrt()


@functools.cache
def _hann(length: int, device: torch.device) -> Tensor:
    return torch.hann_window(length, device=device)


def _pair(reference: np.ndarray, estimate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two checked, equally long, contiguous float32 copies. Errors: ValueError."""
    pair = [np.asarray(x) for x in (reference, estimate)]
    for name, x in zip(("reference", "estimate"), pair):
        check_mono(x, f"the {name}")
    length = max(len(x) for x in pair)
    reference, estimate = (np.ascontiguousarray(fit_length(x, length), dtype=np.float32) for x in pair)
    return reference, estimate
