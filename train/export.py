"""From a run to a generator file that stands alone: averaged weights, folded, with everything worth knowing about them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from common.durable import write_durably
from eval.reports.revision import revision
from train.config import TrainConfig
from train.curves import VALIDATION, VALIDATION_M_STFT, read_curves
from train.networks.generator import fold_weight_norm
from train.saving import load
from train.validation import ValidationResult
from vocoders.audio import SAMPLE_RATE
from vocoders.checkpoints.checkpoint import Checkpoint, read_checkpoint, safetensors_bytes
from vocoders.checkpoints.config import FRAMING, SHAPE
from vocoders.checkpoints.contents import GeneratorConfig
from vocoders.checkpoints.trial import is_soundless, trial_output
from vocoders.harmonic_noise.generator import HarmonicNoiseConfig
from vocoders.hifigan.generator import HiFiGANConfig
from vocoders.hifigan.guide import ITERATIONS
from vocoders.mel import N_MELS, recipe_named

BEST = "best.safetensors"
CURVE_POINTS = 200  # of each curve, kept in the file
_ORIGINAL_SUFFIXES = ("", ".pt", ".pth")  # of files in the original's format


def checkpoint_of(content: dict, run: Path, validation: ValidationResult | None = None) -> Checkpoint:
    """The averaged generator of a state's content. validation: of that generator."""
    config = TrainConfig.from_json(content["config"])
    return Checkpoint(
        config.generator,
        recipe_named(config.recipe),
        fold_weight_norm(content["average"]),
        describe(content, run, validation),
    )


def describe(content: dict, run: Path, validation: ValidationResult | None) -> dict[str, str]:
    """Metadata: what was trained, on what, for how long, how well, and the curves themselves."""
    about = content["about"]
    pack = about["pack"]
    facts = {
        "preset": about["preset"],
        "start": about["start"],
        "steps": str(content["step"]),
        "minutes": f"{content['seconds'] / 60:.1f}",
        "audio_hours_heard": f"{content['heard'] / 3600:.4g}",
        "hardware": about["hardware"],
        "data": pack["summary"],
        "data_fingerprint": pack["fingerprint"],
        "data_licences": json.dumps(pack["licences"], ensure_ascii=False),
        "revision": revision(),
        "training": json.dumps(content["config"]),
        "curves": json.dumps(thinned_curves(run)),
    }
    if before := about.get("before"):
        facts["before"] = json.dumps(before)
    if validation is not None:
        facts |= {"validation_mel_l1": f"{validation.mel_l1:.4f}", "validation_m_stft": f"{validation.m_stft:.4f}"}
    return facts


def thinned_curves(run: Path) -> dict[str, list[list[float]]]:
    """{column: [[step, value], ...]} of the three curves the homework showed and of the validation M-STFT, at most `CURVE_POINTS` each, averaged."""
    rows = read_curves(run)
    curves = {}
    for column in ("total", "mel", VALIDATION, VALIDATION_M_STFT):
        points = [(row["step"], row[column]) for row in rows if column in row]
        size = -(-len(points) // CURVE_POINTS) or 1
        groups = [points[start : start + size] for start in range(0, len(points), size)]
        curves[column] = [
            [round(sum(step for step, _ in group) / len(group)), float(f"{sum(v for _, v in group) / len(group):.5g}")]
            for group in groups
        ]
    return {column: points for column, points in curves.items() if points}


def export(
    run: Path,
    out: Path,
    *,
    latest: bool = False,
    half: bool = False,
    licence: str = "",
    metrics: dict[str, float | None] | None = None,
    jik876: bool = False,
    guide_iterations: int | None = None,
) -> Checkpoint:
    """Write a run's generator, the best by validation or the latest, as safetensors or in the original's format.

    half: float16 weights, half the size. licence, metrics: of the result, for the metadata. jik876: `out` is a
    `g_XXXXXXXX` file and gets a config.json beside it. guide_iterations: of Griffin-Lim at synthesis, for a harmonic-plus-noise
    generator (`vocoders.hifigan.guide.ITERATIONS`: it was trained with a rougher guide, and any steadier one will do).
    Errors: `StateError` when the run has saved nothing; ValueError for a name that promises another format, a generator that
    makes no sound, or one the original's format cannot hold.
    """
    check_name(out, jik876)
    best = run / BEST
    checkpoint = read_checkpoint(best) if best.is_file() and not latest else checkpoint_of(load(run), run)
    _check_sound(checkpoint, run)
    about = dict(checkpoint.about)
    if licence:
        about["licence"] = licence
    if metrics is not None:
        about["metrics"] = json.dumps(metrics)
    weights = {name: tensor.half() for name, tensor in checkpoint.weights.items()} if half else checkpoint.weights
    config = _with_guide(checkpoint.config, guide_iterations)
    checkpoint = Checkpoint(config, checkpoint.recipe, weights, about)
    out.parent.mkdir(parents=True, exist_ok=True)
    if jik876:
        _write_jik876(out, checkpoint, half)
    else:
        write_durably(out, safetensors_bytes(checkpoint))
    return checkpoint


def _with_guide(config: GeneratorConfig, iterations: int | None) -> GeneratorConfig:
    if isinstance(config, HarmonicNoiseConfig):
        return dataclasses.replace(config, guide_iterations=ITERATIONS if iterations is None else iterations)
    if iterations is not None:
        raise ValueError(
            "--guide-iterations is for harmonic-plus-noise generators; the others have those of their training"
        )
    return config


def check_name(out: Path, jik876: bool) -> None:
    """Errors: ValueError when the name promises another format than what is written."""
    if jik876 and out.suffix not in _ORIGINAL_SUFFIXES:
        raise ValueError(f"{out}: --jik876 writes PyTorch's format; name it g_XXXXXXXX, or with .pt or .pth")
    if not jik876 and out.suffix != ".safetensors":
        raise ValueError(
            f"{out}: a generator is written as .safetensors; name it so, or add --jik876 for the original's g_XXXXXXXX"
        )


def _check_sound(checkpoint: Checkpoint, run: Path) -> None:
    """Errors: ValueError for a generator that answers a voice with silence or a constant."""
    voice = _harmonics()
    output = trial_output(checkpoint, voice)
    if is_soundless(output, voice):
        raise ValueError(
            f"{run}: the generator of step {checkpoint.about.get('steps', '?')} makes no sound, only a constant {np.median(output):.4f}; "
            "it is not exported. Train again with a lower --lr."
        )


def _harmonics() -> np.ndarray:
    """Half a second of a voice, more or less: 30 harmonics of 220 Hz with some vibrato; (n,) float32, peak 0.5."""
    time = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    phase = 2 * np.pi * 220 * time + 0.6 * np.sin(2 * np.pi * 5 * time)
    voice = sum(np.sin(k * phase) / k for k in range(1, 31))
    return (0.5 * voice / np.abs(voice).max()).astype(np.float32)


def _write_jik876(out: Path, checkpoint: Checkpoint, half: bool) -> None:
    import io

    shape = checkpoint.config
    if not isinstance(shape, HiFiGANConfig):
        raise ValueError(f"the original's format holds HiFi-GANs, this is a generator of the family {shape.family}")
    if shape.input_channels != N_MELS:
        raise ValueError(f"the original's format has {N_MELS} input channels, this generator {shape.input_channels}")
    buffer = io.BytesIO()
    state = _with_weight_norm(checkpoint.weights)
    torch.save({"generator": {name: tensor.half() if half else tensor for name, tensor in state.items()}}, buffer)
    config = {
        **{name: getattr(shape, name) for name in SHAPE},
        "resblock": str(shape.resblock),
        **FRAMING,
        "mel": checkpoint.recipe.name,
    }
    write_durably(out, buffer.getbuffer())
    write_durably(out.parent / "config.json", json.dumps(config, indent=4).encode())


def _with_weight_norm(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Plain weights -> the original's gain and direction."""
    state = {}
    for name, tensor in weights.items():
        if name.endswith("weight"):
            state[f"{name}_g"] = tensor.float().flatten(1).norm(dim=1).view(-1, *[1] * (tensor.dim() - 1))
            state[f"{name}_v"] = tensor.float()
        else:
            state[name] = tensor.float()
    return state
