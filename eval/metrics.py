"""Objective metrics between a reference and an estimate.

Conventions: reference first; mono float arrays (n,) at 22 050 Hz; the shorter signal is padded with zeros at its end.
A metric that is undefined for an input (digital silence, too short) is nan, never 0. `metric(x, x)` is the optimum, 0
for every distance here.

The metrics defined here compare magnitudes. They measure *spectral fidelity* and favour Griffin-Lim, which inverts the
very thing they measure; none of them is a verdict on how something sounds. Pitch and predicted naturalness have files
of their own; the list of all is at the end.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from eval.crepe import crepe_missing, log2f0_mean
from eval.naturalness import distill_mos, model_missing
from eval.pitch import f0_error, f0_gross_errors, tracker_missing
from eval.tremble import amplitude_flutter, f0_jitter, hop_buzz
from vocoders.audio import fit_length
from vocoders.mel import HOP, HW2, N_FFT, log_mel, mel_of

# FFT, hop and window lengths in samples: the defaults of auraloss 0.4.0's MultiResolutionSTFTLoss
RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))
POWER_FLOOR = 1e-8  # where auraloss clamps |X|^2


@dataclass(frozen=True)
class Metric:
    name: str
    unit: str
    better: str  # "lower", "higher" or, for a signed comparison, "nearest 0"
    about: str
    compute: Callable[[np.ndarray, np.ndarray], float]
    why_not: Callable[[], str | None] = lambda: None  # reason it cannot be computed here
    quick: bool = True  # shown on the page at once, so far faster than real time
    on_request: bool = False  # slower than real time: computed only where it is asked for by name


def log_mel_l1(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Mean |difference| of log-power hw2 mels, in nepers of power: the homework's validation mel loss.

    One unit is 4.34 dB. nan for recordings shorter than one frame (256 samples).
    """
    reference, estimate = _pair(reference, estimate)
    if len(reference) < HOP or not reference.any():
        return float("nan")
    difference = log_mel(torch.from_numpy(mel_of(reference, HW2))) - log_mel(torch.from_numpy(mel_of(estimate, HW2)))
    return float(difference.abs().mean())


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


def spectral_convergence(reference: np.ndarray, estimate: np.ndarray) -> float:
    """||R| - |E|| / ||R|| (Frobenius) of STFTs with a 1024-sample Hann window and hop 256. nan for silence."""
    reference, estimate = _pair(reference, estimate)
    if len(reference) <= N_FFT // 2 or not reference.any():
        return float("nan")
    wanted, found = (_magnitude(torch.from_numpy(x), N_FFT, HOP, N_FFT) for x in (reference, estimate))
    return float(_convergence(wanted, found))


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
        if x.ndim != 1 or x.dtype.kind != "f":
            raise ValueError(f"the {name} must be a mono float array (n,), not {x.dtype} {x.shape}")
        if not np.isfinite(x).all():
            raise ValueError(f"the {name} holds values that are not numbers")
    length = max(len(x) for x in pair)
    return tuple(np.ascontiguousarray(fit_length(x, length), dtype=np.float32) for x in pair)


METRICS = {
    metric.name: metric
    for metric in (
        Metric("M-STFT", "", "lower", "Multi-resolution STFT distance, as auraloss computes it", m_stft),
        Metric("log-mel L1", "Np", "lower", "Mean error of the log-power hw2 mel; 1 is 4.34 dB", log_mel_l1),
        Metric("spectral convergence", "", "lower", "Relative error of STFT magnitudes", spectral_convergence),
        Metric(
            "F0 error",
            "semitones",
            "lower",
            "Mean pitch error where the recording is voiced, by swift-f0",
            f0_error,
            tracker_missing,
        ),
        Metric(
            "F0 gross errors",
            "%",
            "lower",
            "Voiced frames more than half a semitone off, by swift-f0",
            f0_gross_errors,
            tracker_missing,
        ),
        Metric(
            "F0 jitter",
            "dB",
            "nearest 0",
            "F0 movement at 8 to 40 Hz on held notes, against the recording's",
            f0_jitter,
            tracker_missing,
            quick=False,
        ),
        Metric(
            "amplitude flutter",
            "dB",
            "nearest 0",
            "Level movement of the fundamental at 10 to 40 Hz on held notes, against the recording's",
            amplitude_flutter,
            tracker_missing,
            quick=False,
        ),
        Metric(
            "hop buzz",
            "dB",
            "nearest 0",
            "Lines at multiples of 86.13 Hz between the harmonics of held notes, against the recording's",
            hop_buzz,
            tracker_missing,
            quick=False,
        ),
        Metric(
            "log2f0_mean",
            "semitones",
            "lower",
            "The homework's mean pitch error, by CREPE medium with Viterbi decoding",
            log2f0_mean,
            crepe_missing,
            quick=False,
            on_request=True,
        ),
        Metric(
            "Distill-MOS",
            "MOS",
            "higher",
            "Opinion score predicted without the recording; made for speech",
            distill_mos,
            model_missing,
            quick=False,
        ),
    )
}


def choose_metrics(text: str | None) -> list[Metric]:
    """Metrics from a comma-separated list; all but the slowest when None. Errors: ValueError listing the known names."""
    if text is None:
        return [metric for metric in METRICS.values() if not metric.on_request]
    names = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := [name for name in names if name not in METRICS] or not names:
        raise ValueError(f"unknown metric {', '.join(unknown) if names else '(none)'!r}; known: {', '.join(METRICS)}")
    return [METRICS[name] for name in names]
