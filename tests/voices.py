"""Recordings of one voice, as somebody gives them: the phrases of the project, in several rates and formats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from common.paths import ASSETS

SECONDS = 29.0  # of all together, more or less


def write_voice(folder: Path) -> list[Path]:
    """Four usable files, of which two are slower and lower."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in ("high", "low"):
        samples, rate = soundfile.read(ASSETS / "examples" / f"sung_phrase_{name}.flac")
        for path, at in ((folder / f"{name}.flac", rate), (folder / f"{name} slow.ogg", 40_000)):
            soundfile.write(path, samples if path.suffix == ".flac" else _resampled(samples, at), rate)
            paths.append(path)
    return paths


def _resampled(samples: np.ndarray, rate: int) -> np.ndarray:
    """As if it had been recorded at another rate than it is played at."""
    import soxr

    return soxr.resample(samples, rate, 44_100)


def write_unusable(folder: Path) -> list[Path]:
    """A file that is no audio, and one without sound."""
    bad, silent = folder / "bad.wav", folder / "silent.wav"
    bad.write_bytes(b"not audio at all")
    soundfile.write(silent, np.zeros(44_100), 44_100)
    return [bad, silent]
