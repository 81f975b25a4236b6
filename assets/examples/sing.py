"""Render the example clips of the lab: two phrases sung by nobody, by `train.small_models.singer`."""

import argparse
import sys
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # started by its path, it finds the project

from train.small_models.singer.synthesis import SAMPLE_RATE, sing, to_pcm
from train.small_models.singer.voices import SCORES


def write(path: Path, audio: np.ndarray) -> None:
    """A 16-bit FLAC that says in its own tags what it is."""
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, "PCM_16", format="FLAC") as file:
        file.title, file.comment = path.stem, "Synthetic: no singer, rendered by assets/examples/sing.py"
        file.write(to_pcm(audio))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Render the synthetic example clips.")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent, help="folder (default: this one)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--force", action="store_true", help="overwrite files that are there")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    paths = {name: args.out / f"{name}.flac" for name in SCORES}
    there = [str(path) for path in paths.values() if path.exists()]
    if there and not args.force:
        sys.exit(f"error: {', '.join(there)} exists; --force overwrites")
    args.out.mkdir(parents=True, exist_ok=True)
    for name, (score, voice) in SCORES.items():
        audio = sing(score, voice, seed=args.seed)
        write(paths[name], audio)
        sys.stderr.write(f"{paths[name]}: {audio.size / SAMPLE_RATE:.2f} s, synthetic\n")


if __name__ == "__main__":
    main()
