"""VGGish (Hershey et al. 2017): the embedding of the homework's FAD.

No package ships its weights. They are found in the file that VGGISH_WEIGHTS names, or where torch.hub keeps
vggish-10086976.pth (harritaylor/torchvggish); without them FAD is not computed. As the homework used it: no PCA, no
activation after the last layer, 16 kHz, mean removed, padded to two seconds.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vocoders.audio import SAMPLE_RATE

FILE = "vggish-10086976.pth"
RATE = 16_000  # Hz
WINDOW, HOP, FFT = 400, 160, 512  # samples
BANDS, MIN_MEL_HZ, MAX_MEL_HZ = 64, 125.0, 7500.0  # of the mel, Hz
OFFSET = 0.01  # added to the mel before its logarithm
EXAMPLE_FRAMES = 96  # of the mel, in one input: 0.96 s
MIN_SAMPLES = 2 * RATE  # shorter signals are padded
EMBEDDING_SIZE = 128
BATCH_EXAMPLES = 16  # of one batch: 3 take 40 % more processor time each, 60 as much


class VGGish(nn.Module):
    """Log mel (n, 1, 96, 64) -> (n, 128). Parameter names are torchvggish's."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for block in ((64,), (128,), (256, 256), (512, 512)):
            for width in block:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.embeddings = nn.Sequential(
            nn.Linear(512 * 4 * 6, 4096),
            nn.ReLU(True),
            nn.Linear(4096, 4096),
            nn.ReLU(True),
            nn.Linear(4096, EMBEDDING_SIZE),
        )

    def forward(self, log_mel: Tensor) -> Tensor:
        """(examples, 1, 96, 64) log mel -> (examples, 128)."""
        return self.embeddings(self.features(log_mel).permute(0, 2, 3, 1).flatten(1))


def weights_file() -> Path | None:
    """VGGish's weights: the file that VGGISH_WEIGHTS names, or the one in torch.hub's cache; None where there is neither."""
    named = os.environ.get("VGGISH_WEIGHTS")
    path = Path(named) if named else Path(torch.hub.get_dir()) / "checkpoints" / FILE
    return path if path.is_file() else None


def vggish_missing() -> str | None:
    """Why VGGish cannot run here, as a clause; None where it can."""
    if weights_file():
        return None
    return f"VGGish's weights come with no package; set VGGISH_WEIGHTS to a copy of {FILE}"


@functools.cache
def _model(path: Path) -> VGGish:
    model = VGGish()
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return model.eval().requires_grad_(False)


@functools.cache
def _bank() -> np.ndarray:
    """Triangles that are even in mel = 1127 ln(1 + f / 700), (64, 257); the bin at 0 Hz belongs to none."""
    mel_of_bins = 1127 * np.log1p(np.linspace(0, RATE / 2, FFT // 2 + 1) / 700)
    edges = np.linspace(1127 * np.log1p(MIN_MEL_HZ / 700), 1127 * np.log1p(MAX_MEL_HZ / 700), BANDS + 2)
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    bank = np.maximum(0, np.minimum((mel_of_bins - lower) / (centre - lower), (upper - mel_of_bins) / (upper - centre)))
    bank[:, 0] = 0
    return bank


def log_mel(samples: np.ndarray) -> np.ndarray:
    """(n,) at 16 kHz -> (frames, 64): log of the magnitude mel + 0.01, frames of 25 ms every 10 ms."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    return np.log(np.abs(np.fft.rfft(frames * window, FFT, axis=1)) @ _bank().T + OFFSET)


def vggish_embeddings(signals: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Each (n,) float32 at 22 050 Hz -> (windows, 128), one per 0.96 s. Short signals share a batch, which takes a quarter less processor
    time than one each. Errors: ValueError without weights."""
    path = weights_file()
    if path is None:
        raise ValueError(vggish_missing())
    examples = [_examples(samples) for samples in signals]
    if not examples:
        return []
    model = _model(path)
    with torch.inference_mode():
        found = torch.cat([model(part) for part in torch.cat(examples).split(BATCH_EXAMPLES)])
    return [part.numpy() for part in found.split([len(part) for part in examples])]


def _examples(samples: np.ndarray) -> Tensor:
    """(n,) at 22 050 Hz -> (windows, 1, 96, 64) log mel."""
    import soxr

    samples = soxr.resample(samples.astype(np.float64), SAMPLE_RATE, RATE, quality="VHQ")
    samples = samples - samples.mean() if len(samples) else samples
    samples = np.pad(samples, (0, max(0, MIN_SAMPLES - len(samples))))
    mel = log_mel(samples)
    examples = mel[: len(mel) // EXAMPLE_FRAMES * EXAMPLE_FRAMES].reshape(-1, 1, EXAMPLE_FRAMES, BANDS)
    return torch.from_numpy(examples.astype(np.float32))
