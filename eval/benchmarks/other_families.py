"""BigVGAN, Vocos and the harmonic-plus-noise generator, of their usual sizes with random weights, in PyTorch and in OpenVINO.

A BigVGAN of this size runs in OpenVINO here. The others run in PyTorch; their export to ONNX shows whether OpenVINO would be faster.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from eval.benchmarks.speed import Pair
from vocoders.bigvgan.generator import BigVGANConfig
from vocoders.checkpoints.checkpoint import Checkpoint
from vocoders.checkpoints.contents import GeneratorConfig
from vocoders.features import log_mel_step
from vocoders.harmonic_noise.generator import HarmonicNoiseConfig
from vocoders.hifigan.engine import HiFiGANVocoder
from vocoders.onnx_files.export import export_onnx
from vocoders.onnx_files.network import OnnxVocoder
from vocoders.recipes.named import NAMED
from vocoders.vocos.generator import VocosConfig

BIGVGAN_BASE = BigVGANConfig(  # bigvgan_base_22khz_80band of NVIDIA/BigVGAN
    1, (8, 8, 2, 2), (16, 16, 4, 4), 512, (3, 7, 11), ((1, 3, 5),) * 3, bands=80
)
VOCOS_MEL = VocosConfig(100, dim=512, intermediate_dim=1536, num_layers=8, n_fft=1024, hop=256, padding="center")


def other_families(samples: np.ndarray, folder: Path) -> list[Pair]:
    """samples: (n,) float32 at 22 050 Hz. folder: for files on the way."""
    bigvgan, vocos = _untrained(BIGVGAN_BASE, "bigvgan-22k"), _untrained(VOCOS_MEL, "vocos-24k")
    harmonic = _untrained(HarmonicNoiseConfig(), "hw2")
    return [
        _pair("BigVGAN base, 22 kHz", bigvgan, HiFiGANVocoder(bigvgan, "openvino"), samples),
        _pair("Vocos, 24 kHz, as ONNX", vocos, _exported(vocos, folder), samples),
        _pair("harmonic-plus-noise, as ONNX", harmonic, _exported(harmonic, folder), samples),
    ]


def _exported(checkpoint: Checkpoint, folder: Path) -> OnnxVocoder:
    path = folder / f"{checkpoint.config.family}.onnx"
    export_onnx(checkpoint, path)
    return OnnxVocoder(path, checkpoint.recipe)


def _untrained(config: GeneratorConfig, recipe: str) -> Checkpoint:
    """Its speed is that of a trained one."""
    torch.manual_seed(0)
    return Checkpoint(config, NAMED[recipe], config.build().state_dict())


def _pair(name: str, checkpoint: Checkpoint, compiled: HiFiGANVocoder | OnnxVocoder, samples: np.ndarray) -> Pair:
    features, pytorch = log_mel_step(checkpoint.recipe)(samples), HiFiGANVocoder(checkpoint, "pytorch")
    return Pair(name, lambda: pytorch(features), lambda: compiled(features), "PyTorch against OpenVINO")
