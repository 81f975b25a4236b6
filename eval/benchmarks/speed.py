"""How fast every stage is, against the same step done plainly (`eval.benchmarks.plain_inference`).

Both sides of a pair run in turns in one process, so that a noisy machine disturbs them alike; medians are reported. The
first turn of each side warms it up and is not counted. The whole page is timed in `eval.benchmarks.page_speed`.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np
import torch

from common.paths import ASSETS
from eval.benchmarks import plain_inference as plain
from eval.benchmarks.revisions.parts import PARTS, whole_system
from eval.reports import spectrogram
from eval.reports.bundle import versions
from vocoders.catalogue import COMPARED
from vocoders.checkpoints.checkpoint import Checkpoint, read_checkpoint
from vocoders.features import hw2_mel, log_hifigan_mel
from vocoders.hifigan.generator import V1, V2, V3, Generator, HiFiGANConfig, multiply_adds
from vocoders.hifigan.guide import ITERATIONS
from vocoders.hifigan.original import original_weights
from vocoders.mel import HIFIGAN, HOP, N_FFT, SAMPLE_RATE
from vocoders.phase.griffin_lim import griffin_lim
from vocoders.phase.inversion import invert_mel
from vocoders.phase.stft import stft
from vocoders.recordings.reader import read_recording

Work = Callable[[], object]
Tell = Callable[[str], None]  # called with what is being measured


@dataclass(frozen=True)
class Pair:
    """One task, done in the usual way and in this project's."""

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
        """How many times faster than the usual way; None where there is no usual way."""
        return self.plain / self.ours if self.plain else None


CLIP = ASSETS / "examples" / "sung_phrase_low.flac"


def clip(seconds: float) -> np.ndarray:
    """Singing of this length, repeated where it is too short: (n,) float32 at 22 050 Hz."""
    return np.resize(read_recording(CLIP).samples, round(seconds * SAMPLE_RATE))


def machine() -> str:
    """The processor, Python and the packages that the speed depends on, in one line."""
    found = versions()
    packages = ", ".join(f"{name} {version}" for name, version in found.items() if name not in ("python", "machine"))
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {found['python']}, {packages}"


def measure(pairs: list[Pair], audio: float, rounds: int, tell: Tell = lambda name: None) -> list[Row]:
    """Medians over `rounds` turns of every pair, after one turn that is not counted. audio: seconds of sound that a task makes."""
    rows = []
    for pair in pairs:
        tell(pair.name)
        plain: list[float] = []
        ours: list[float] = []
        for _ in range(rounds + 1):  # in turns, so that a change of the machine's speed meets both
            if pair.plain is not None:
                plain.append(seconds_of(pair.plain))
            ours.append(seconds_of(pair.ours))
        before = statistics.median(plain[1:]) if plain else None
        rows.append(Row(pair.name, before, statistics.median(ours[1:]), audio, pair.note))
    return rows


def seconds_of(work: Work) -> float:
    """Wall-clock time of one call."""
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
            PARTS["Griffin-Lim, 32 iterations"](samples),
            "spectral convergence {:.3f}, plain {:.3f}".format(*convergences(samples)),
        ),
        Pair("hw2 mel", lambda: plain.hw2_mel(samples), PARTS["hw2 mel"](samples)),
        Pair(
            "mel inversion",
            lambda: plain.inverted(linear.values),
            PARTS["mel inversion"](samples),
            "50 KL updates against a clipped pseudo-inverse",
        ),
        Pair(
            "guide",
            lambda: griffin_lim(invert_mel(linear.values), iterations=ITERATIONS),
            PARTS["guide"](samples),
            "against as many iterations of all bins",
        ),
        Pair("refinement", None, PARTS["refinement"](samples)),
        Pair(
            "a spectrogram's picture",
            lambda: plain.picture(picture, level, spectrogram.LEVEL_MAP),
            PARTS["a spectrogram's picture"](samples),
        ),
    ]


def _generators(name: str, config: HiFiGANConfig, checkpoint: Checkpoint, samples: np.ndarray) -> Pair:
    features, original = log_hifigan_mel(samples), plain.original_generator(checkpoint)

    def eager() -> None:
        with torch.no_grad():
            original(torch.from_numpy(features.values)[None])

    billions = multiply_adds(config) * SAMPLE_RATE / HOP / 1e9
    about = f"{billions:.2f} billion multiply-adds per second of audio"
    return Pair(name, eager, PARTS[name](samples), about)


def whole_systems(samples: np.ndarray, generators: Mapping[str, torch.nn.Module]) -> list[Pair]:
    """Every system that is compared by default, from the recording to its output, nothing shared between them."""
    steps = plain.PlainSystems(generators).steps(samples)
    return [Pair(system_id, steps[system_id], whole_system(system_id, samples)) for system_id in COMPARED]


def matrix_product(size: int = 2048, tries: int = 10) -> float:
    """GFLOP/s of the fastest of a few large products: about what this machine can do at most."""
    a, b = torch.randn(size, size), torch.randn(size, size)
    return 2 * size**3 / min(seconds_of(lambda: a @ b) for _ in range(tries)) / 1e9


def random_checkpoint(config: HiFiGANConfig) -> Checkpoint:
    """An untrained generator of this size: its speed is that of a trained one."""
    return Checkpoint(config, HIFIGAN, Generator(config).state_dict())


def convergences(samples: np.ndarray, seeds: int = 4) -> tuple[float, float]:
    """||R| - |E|| / ||R|| of our Griffin-Lim and librosa's after 32 iterations, each on the frames it works on, which any
    other framing would favour over the rest; means over seeds, since single ones differ by 20 %."""
    samples = samples[: len(samples) // HOP * HOP]

    def of_librosa(x: np.ndarray) -> np.ndarray:
        return np.abs(librosa.stft(x, n_fft=N_FFT, hop_length=HOP))

    def of_ours(x: np.ndarray) -> np.ndarray:
        return np.abs(stft(x)).T

    found = []
    for analyse, invert in ((of_ours, griffin_lim), (of_librosa, plain.griffin_lim)):
        wanted = analyse(samples)
        outputs = (invert(wanted, iterations=32, seed=seed) for seed in range(seeds))
        found.append(np.mean([np.linalg.norm(analyse(output) - wanted) for output in outputs]) / np.linalg.norm(wanted))
    return tuple(found)
