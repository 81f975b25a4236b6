"""python -m train.small_models.mel_diagnosis: fit `vocoders.mel_files.classifier` on recordings, as every kind of mel that only a likelihood tells.

Each recording gives a few seconds, at a level of its own, some through MP3, some noisy; synthetic tones, noises and phrases
are mixed in, so that what is learned is the analysis and not the voice. The members differ in their start and order only.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from common.command import refuse_overwriting, run
from eval.mels.variants import variants
from train.small_models.sung_phrases import sung_phrase
from vocoders.audio import SAMPLE_RATE
from vocoders.mel_files.classifier import FILE, FOREIGN, MEMBERS, standardized
from vocoders.mel_files.statistics import statistics
from vocoders.recordings.files import find_audio
from vocoders.recordings.reader import Limits, read_recording

HIDDEN = (192, 96)
EPOCHS = 30
BATCH_CLIPS = 256
SYNTHETIC_SHARE, SUNG_SHARE = 0.15, 0.06  # shares of clips: tones and noises, and a synthetic singer
FOREIGN_SHARE = 0.25  # of the kinds that cannot be used, per clip
DROPOUT = 0.1
NOISE_DEVIATION = 0.03  # standard deviation of the noise on the standardized numbers
LABEL_SMOOTHING = 0.001  # of the labels
CLIP_LIMITS = Limits(max_seconds=600, max_megabytes=1000)


def examples(files: Sequence[Path], count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Statistics (n, m) float32 and kinds (n,) of `count` clips, drawn by folder so that each weighs the same."""
    rng = np.random.default_rng(seed)
    folders: dict[Path, list[Path]] = {}
    for path in files:
        folders.setdefault(path.parent, []).append(path)
    numbers, kinds = [], []
    for _ in range(count):
        samples = _recorded(_clip(list(folders.values()), rng), rng)
        if np.abs(samples).max() < 1e-3:
            continue
        for kind, values in variants(samples, rng, FOREIGN_SHARE):
            if kind.startswith("other") and kind not in FOREIGN:
                continue
            numbers.append(statistics(values).astype(np.float32))
            kinds.append(kind)
    return np.array(numbers), np.array(kinds)


def _clip(folders: list[list[Path]], rng: np.random.Generator) -> np.ndarray:
    chance = rng.random()
    if chance < SYNTHETIC_SHARE:
        return _synthetic(rng)
    return sung_phrase(rng) if chance < SYNTHETIC_SHARE + SUNG_SHARE else _piece(folders, rng)


def _piece(folders: list[list[Path]], rng: np.random.Generator) -> np.ndarray:
    files = folders[rng.integers(len(folders))]
    path = files[rng.integers(len(files))]
    samples = read_recording(path, CLIP_LIMITS, str(path)).samples
    length = int(min(len(samples), rng.uniform(0.5, 4.0) * SAMPLE_RATE))
    start = rng.integers(0, len(samples) - length + 1)
    return samples[start : start + length]


def _synthetic(rng: np.random.Generator) -> np.ndarray:
    """A gliding tone of 1, 8 or 40 harmonics with vibrato, steady or swelling, in noise; or noise alone."""
    time = np.arange(int(rng.uniform(0.5, 4) * SAMPLE_RATE)) / SAMPLE_RATE
    shape = rng.integers(5)
    if shape == 4:
        return rng.normal(0, 0.1, len(time))
    vibrato = 1 + rng.uniform(0, 0.05) * np.sin(2 * np.pi * rng.uniform(3, 7) * time)
    f0 = rng.uniform(80, 700) * (vibrato + rng.uniform(-0.2, 0.2) * time / time[-1])
    phase, tilt = 2 * np.pi * np.cumsum(f0) / SAMPLE_RATE, rng.uniform(0.5, 2)
    harmonics = (k for k in range(1, 1 + rng.choice([1, 8, 40])) if k * f0.max() < SAMPLE_RATE / 2)
    tone = sum(np.sin(k * phase) / k**tilt for k in harmonics)
    if shape > 1:
        tone = tone * (0.1 + np.abs(np.sin(2 * np.pi * rng.uniform(0.2, 2) * time)))
    return tone / np.abs(tone).max() + rng.normal(0, 10 ** rng.uniform(-5, -1.3), len(time))


def _recorded(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """With the defects of real recordings: through MP3 or in noise, at -46 dBFS or louder, rounded, between silences."""
    chance = rng.random()
    if chance < 0.12:
        samples = _through_mp3(samples)
    elif chance < 0.4:
        noise = rng.normal(0, 1, len(samples))
        if rng.random() < 0.5:
            noise = np.cumsum(noise)
            noise -= np.convolve(noise, np.ones(200) / 200, "same")
        snr = rng.uniform(5, 60)
        samples = samples + noise * (np.sqrt(np.mean(samples**2)) / noise.std() * 10 ** (-snr / 20))
    if rng.random() < 0.6:
        quietest = -46 if rng.random() < 0.5 else -24
        samples = samples / max(np.abs(samples).max(), 1e-9) * 10 ** (rng.uniform(quietest, 0) / 20)
    if rng.random() < 0.5:
        samples = np.round(samples * 32768) / 32768
    if rng.random() < 0.1:
        samples = np.pad(samples, tuple(rng.integers(0, SAMPLE_RATE // 2, 2)))
    return samples


def _through_mp3(samples: np.ndarray) -> np.ndarray:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, 0.7 * samples / max(np.abs(samples).max(), 1e-9), SAMPLE_RATE, format="MP3")
    file.seek(0)
    return soundfile.read(file)[0]


def fit(inputs: np.ndarray, labels: np.ndarray, kinds: int, seed: int, epochs: int = EPOCHS) -> list[np.ndarray]:
    """Standardized statistics (n, m) and labels (n,) -> weights and biases of the three layers, (in, out) and (out,)."""
    with torch.random.fork_rng(devices=[]), _without_denormals():
        torch.manual_seed(seed)
        layers = _fitted_layers(torch.tensor(inputs, dtype=torch.float32), torch.tensor(labels), kinds, epochs)
    return [array.detach().numpy() for layer in layers for array in (layer.weight.T, layer.bias)]


@contextmanager
def _without_denormals() -> Iterator[None]:
    """The optimizer's moments of unused weights become denormal numbers, which cost ten times as much. The setting is the
    processor's, of everything that this thread computes, NumPy's work included: it must not outlive the fit."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _fitted_layers(values: Tensor, wanted: Tensor, kinds: int, epochs: int) -> list[nn.Linear]:
    sizes = (values.shape[1], *HIDDEN, kinds)
    layers = [nn.Linear(*pair) for pair in itertools.pairwise(sizes)]
    network = nn.Sequential(layers[0], nn.ReLU(), nn.Dropout(DROPOUT), layers[1], nn.ReLU(), layers[2])
    rarity = 1 / torch.bincount(wanted, minlength=kinds).clamp(min=1).float().sqrt()
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    steps = epochs * -(-len(values) // BATCH_CLIPS)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for _ in range(epochs):
        for chosen in torch.randperm(len(values)).split(BATCH_CLIPS):
            noisy = values[chosen] + NOISE_DEVIATION * torch.randn(len(chosen), values.shape[1])
            loss = F.cross_entropy(
                network(noisy), wanted[chosen], rarity / rarity.mean(), label_smoothing=LABEL_SMOOTHING
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return layers


def fit_classifier(numbers: np.ndarray, kinds: np.ndarray, about: dict, epochs: int = EPOCHS) -> dict[str, np.ndarray]:
    """The arrays of assets/mel-diagnosis.npz, by name, as `vocoders.mel_files.diagnosis.read_classifier` reads it."""
    names, labels = np.unique(kinds, return_inverse=True)
    mean = np.asarray(np.nanmean(numbers, axis=0, dtype=np.float64))
    spread = np.asarray(np.nanstd(numbers, axis=0, dtype=np.float64)) + 1e-6
    inputs = standardized(numbers, mean, spread)
    content = {"names": names, "mean": mean, "spread": spread, "about": np.array(json.dumps(about))}
    for member in range(MEMBERS):
        arrays = fit(inputs, labels, len(names), seed=member, epochs=epochs)
        keys = (f"{letter}{layer}_{member}" for layer in (1, 2, 3) for letter in "wb")
        content |= {key: array.astype(np.float16) for key, array in zip(keys, arrays, strict=True)}
    return content


def parse_args() -> argparse.Namespace:
    """The options of the command."""
    parser = argparse.ArgumentParser(prog="python -m train.small_models.mel_diagnosis", description=__doc__)
    parser.add_argument("audio", type=Path, metavar="AUDIO_DIR", help="searched in depth; each folder weighs the same")
    parser.add_argument("--out", type=Path, default=FILE, metavar="FILE.npz", help=f"({FILE.name} of the project)")
    parser.add_argument(
        "--clips", type=int, default=1100, metavar="N", help="recordings drawn, some more than once (1100)"
    )
    parser.add_argument("--jobs", type=int, default=-1, metavar="N", help="processes (-1: one per core)")
    parser.add_argument("--force", action="store_true", help="overwrite FILE.npz")
    return parser.parse_args()


def main() -> int:
    """Draws examples, trains the classifiers, and writes them. The exit status."""
    import joblib
    from tqdm import tqdm

    args = parse_args()
    refuse_overwriting([args.out], args.force)
    files = list(find_audio([args.audio]).values())
    parts = -(-args.clips // 20)
    jobs = (joblib.delayed(examples)(files, 20, seed) for seed in range(parts))
    with tqdm(total=parts, unit="part", disable=None, file=sys.stderr) as bar:
        made = []
        for part in joblib.Parallel(n_jobs=args.jobs, return_as="generator")(jobs):
            made.append(part)
            bar.update()
    numbers, kinds = (np.concatenate(arrays) for arrays in zip(*made, strict=True))
    about = {"clips": 20 * parts, "recordings": len(files), "mels": len(kinds)}
    content: dict[str, Any] = fit_classifier(numbers, kinds, about)
    np.savez_compressed(args.out, **content)
    print(args.out)
    return 0


if __name__ == "__main__":
    run(main)
