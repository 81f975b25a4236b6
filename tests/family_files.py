"""The files that the original programs leave, made from golden values: a small generator with weights by formula, its configuration,
and what else it needs. `tests/golden/make_generators.py` and `make_outputs.py` there recorded them from the originals' own classes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import yaml

from common.paths import ROOT
from tests.golden.formula import state_of

GOLDEN = ROOT / "tests" / "golden"
CASES: dict[str, dict] = json.loads((GOLDEN / "generators.json").read_text())  # outputs for a mel
OUTPUTS: dict[str, dict] = json.loads((GOLDEN / "outputs.json").read_text())  # outputs for a recording


def statistics(bands: int) -> np.ndarray:
    """Mean and deviation per band of a normalized log10 mel: (2, bands) float32, as `make_outputs` has them."""
    return np.stack([np.linspace(-2, -3, bands), np.linspace(0.5, 1.5, bands)]).astype(np.float32)


def written(case: str, folder: Path, wrap: Callable | None = None, golden: dict | None = None) -> Path:
    """The generator's file; what it needs lies beside it. wrap: another content of the file, of the one it would have."""
    golden = golden or CASES[case]
    state, config = state_of(golden["shapes"], golden["constants"], golden.get("gain", 1.0)), golden["config"]
    folder.mkdir(exist_ok=True)
    name, settings = "g_00000010", "config.json"
    content: object = {"generator": state}
    if case.startswith("Vocos"):
        name, settings, content = "pytorch_model.bin", "config.yaml", state
    elif case.startswith("ParallelWaveGAN"):
        name, settings = "checkpoint-10steps.pkl", "config.yml"
        content = {"model": {"generator": state, "discriminator": {}}, "steps": 10}
        np.save(folder / "stats.npy", statistics(config["num_mels"]))
    elif case.startswith("speechbrain"):
        name, settings, content = "generator.ckpt", "hyperparams.yaml", state
    elif case == "ESPnet":
        name, settings, content = "train.total_count.ave_10best.pth", "config.yaml", _whole_model(state)
    elif case == "Coqui TTS":
        name = "best_model.pth"
        content = {
            "model": {f"model_g.{key}": value for key, value in state.items()} | {"model_d.mpd.0": torch.zeros(1)}
        }
    elif case == "the decoder of VITS":
        name, content = "G_10.pth", {"model": {f"dec.{key}": value for key, value in state.items()}, "iteration": 10}
    elif case == "SpeechT5HifiGan":
        content = state
        extractor = {name: config[name] for name in ("sampling_rate", "num_mel_bins", "win_length")}
        (folder / "preprocessor_config.json").write_text(json.dumps(extractor))
    (folder / settings).write_text(json.dumps(config) if settings.endswith(".json") else yaml.safe_dump(config))
    torch.save(wrap(content) if wrap else content, folder / name)
    return folder / name


def _whole_model(state: dict) -> dict:
    """A state of espnet2: the vocoder, other networks, and the statistics of the training data."""
    mean, deviation = torch.from_numpy(statistics(state["input_conv.weight_v"].shape[1]))
    return {
        **{f"tts.generator.vocoder.{key}": value for key, value in state.items()},
        "normalize.mean": mean,
        "normalize.std": deviation,
        "tts.generator.text2mel.encoder.embed.0.weight": torch.zeros(4, 2),
        "tts.discriminator.msd.discriminators.0.layers.0.0.weight_g": torch.zeros(1),
    }


def in_lightning(state: dict) -> dict:
    """The checkpoint of a training with PyTorch Lightning, with a discriminator beside the generator."""
    return {
        "pytorch-lightning_version": "2.0",
        "state_dict": {
            **{f"generator.{name}": value for name, value in state["generator"].items()},
            "mpd.discriminators.0.convs.0.weight_g": torch.zeros(1),
        },
    }


def in_module(state: dict) -> dict:
    """As torch's `DataParallel` names a bare state."""
    return {f"module.{name}": value for name, value in state["generator"].items()}


def without_weight_norm(state: dict) -> dict:
    """As after `remove_weight_norm`."""
    plain = {name: value for name, value in state["generator"].items() if not name.endswith(("_g", "_v"))}
    for name, gain in state["generator"].items():
        if name.endswith("_g"):
            plain[name.removesuffix("_g")] = torch._weight_norm(state["generator"][f"{name[:-1]}v"], gain, 0)
    return {"generator": plain}
