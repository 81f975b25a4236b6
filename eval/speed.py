"""How fast every stage is, against the same step done plainly (`eval.plain`).

Both sides of a pair run in turns in one process, so that a noisy machine disturbs them alike; medians are reported. The
first turn of each side warms it up and is not counted. The whole page is timed in `eval.page_speed`.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from eval import plain, spectrogram
from eval.bundle import versions
from vocoders.catalogue import original_weights
from vocoders.checkpoint import Checkpoint, read_checkpoint
from vocoders.engine import HiFiGANVocoder
from vocoders.features import Features, hw2_mel, log_hifigan_mel
from vocoders.griffin_lim import griffin_lim
from vocoders.hifigan import V1, V2, V3, Generator, HiFiGANConfig
from vocoders.inversion import invert_mel
from vocoders.mel import HIFIGAN
from vocoders.refine import refine
from vocoders.stft import stft

Work = Callable[[], object]
Tell = Callable[[str], None]  # called with what is being measured


@dataclass(frozen=True)
class Pair:
    name: str
    plain: Work | None  # None where people have nothing to compare with
    ours: Work
    note: str = ""


@dataclass(frozen=True)
class Row:
    """Medians in seconds; `audio` is the length of what was made, in seconds."""

    name: str
    plain: float | None
    ours: float
    audio: float
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.plain / self.ours if self.plain else None


def machine() -> str:
    found = versions()
    packages = ", ".join(f"{name} {version}" for name, version in found.items() if name not in ("python", "machine"))
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {found['python']}, {packages}"


def measure(pairs: list[Pair], audio: float, rounds: int, tell: Tell = lambda name: None) -> list[Row]:
    rows = []
    for pair in pairs:
        tell(pair.name)
        times: dict[str, list[float]] = {"plain": [], "ours": []}
        for _ in range(rounds + 1):
            for side, work in (("plain", pair.plain), ("ours", pair.ours)):
                if work is not None:
                    times[side].append(seconds_of(work))
        before, ours = (statistics.median(values[1:]) if values else None for values in times.values())
        rows.append(Row(pair.name, before, ours, audio, pair.note))
    return rows


def seconds_of(work: Work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def stages(samples: np.ndarray, folder: Path) -> list[Pair]:
    """Every part of a comparison."""
    linear = hw2_mel(samples)
    magnitudes = np.abs(stft(samples)).T
    level = spectrogram.level(samples)
    picture = folder / "plain.png"
    return [
        _generators("V1 generator", V1, read_checkpoint(original_weights("universal"), HIFIGAN.name), samples),
        _generators("V2 generator", V2, random_checkpoint(V2), samples),
        _generators("V3 generator", V3, random_checkpoint(V3), samples),
        Pair(
            "Griffin-Lim, 32 iterations",
            lambda: plain.griffin_lim(magnitudes),
            lambda: griffin_lim(magnitudes, iterations=32),
            "spectral convergence {:.4f} against {:.4f}".format(*convergences(samples)),
        ),
        Pair("hw2 mel", lambda: plain.hw2_mel(samples), lambda: hw2_mel(samples)),
        Pair(
            "mel inversion",
            lambda: plain.inverted(linear.values),
            lambda: invert_mel(linear.values),
            "50 KL updates against a clipped pseudo-inverse",
        ),
        Pair("refinement", None, lambda: refine(samples, linear.values)),
        Pair(
            "a spectrogram's picture",
            lambda: plain.picture(picture, level, spectrogram.LEVEL_MAP),
            lambda: spectrogram.level_png(level),
        ),
    ]


def _generators(name: str, config: HiFiGANConfig, checkpoint: Checkpoint, samples: np.ndarray) -> Pair:
    features = log_hifigan_mel(samples)
    original, vocoder = plain.original_generator(config, checkpoint.weights), HiFiGANVocoder(checkpoint)

    def eager() -> None:
        with torch.no_grad():
            original(torch.from_numpy(features.values)[None])

    return Pair(name, eager, lambda: vocoder(Features(vocoder.expects, features.values)))


def random_checkpoint(config: HiFiGANConfig) -> Checkpoint:
    return Checkpoint(config, HIFIGAN, Generator(config).state_dict())


def convergences(samples: np.ndarray) -> tuple[float, float]:
    """||R| - |E|| / ||R|| of our Griffin-Lim and librosa's, each on its own STFT, 32 iterations."""
    import librosa

    ours, theirs = np.abs(stft(samples)).T, np.abs(librosa.stft(samples, n_fft=1024, hop_length=256))
    found = np.abs(stft(griffin_lim(ours, iterations=32))).T
    other = np.abs(librosa.stft(plain.griffin_lim(theirs), n_fft=1024, hop_length=256))
    found, other = (_fit_frames(x, y.shape[1]) for x, y in ((found, ours), (other, theirs)))
    return tuple(float(np.linalg.norm(x - y) / np.linalg.norm(y)) for x, y in ((found, ours), (other, theirs)))


def _fit_frames(magnitudes: np.ndarray, frames: int) -> np.ndarray:
    return np.pad(magnitudes[:, :frames], ((0, 0), (0, max(0, frames - magnitudes.shape[1]))))
