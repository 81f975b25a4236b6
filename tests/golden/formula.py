"""Weights and mels by formula, so that a golden value needs no stored weights. The same on every machine within float32."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import torch


def wave(name: str, shape: Sequence[int]) -> np.ndarray:
    """Numbers in [-1, 1] without pattern, another sequence for each name; float64."""
    index = np.arange(math.prod(shape), dtype=np.int64)
    return np.sin((7 * index * index + 3 * index + zlib.crc32(name.encode())) % 1009).reshape(shape)


def tensor(name: str, shape: Sequence[int]) -> torch.Tensor:
    """A parameter of this name, of a size that keeps signals near 1 on their way through a network."""
    x, last = wave(name, shape), name.rpartition(".")[2]
    if last == "weight_g":
        x = (1.2 + 0.3 * x) * (0.05 if name.startswith(("conv_post", "output_conv")) else 1)
    elif last in ("bias", "alpha", "beta"):
        x = 0.2 * x
    elif last == "mean":
        x = x - 2
    elif last == "scale" or ("norm" in name and last == "weight"):
        x = 1 + 0.2 * x
    elif last == "weight" and len(shape) > 1:
        x = x * 1.5 / math.sqrt(math.prod(shape[1:]))
    return torch.from_numpy(x.astype(np.float32))


def state_of(
    shapes: Mapping[str, Sequence[int]], constants: Mapping[str, Sequence[float]], gain: float = 1.0
) -> dict[str, torch.Tensor]:
    """A state dict. constants: values of tensors that are not learned, by the last part of their names. gain: of the last layer."""
    state = {}
    for name, shape in shapes.items():
        last = name.rpartition(".")[2]
        state[name] = torch.tensor(constants[last]).reshape(shape) if last in constants else tensor(name, shape)
        if name.startswith(("conv_post", "output_conv")) and last in ("weight", "weight_g", "original0"):
            state[name] = gain * state[name]
    return state


def mel(bands: int, frames: int = 24) -> torch.Tensor:
    """Log mel (1, bands, frames)."""
    return torch.from_numpy((2 * wave("mel", (1, bands, frames)) - 3).astype(np.float32))


def voice() -> np.ndarray:
    """A tone of 40 harmonics with some noise, (2560,) float32 at 22 050 Hz, as 16 bits hold it and without an offset."""
    time = np.arange(2560) / 22_050
    tone = sum(np.sin(2 * np.pi * 220 * k * time) / k for k in range(1, 41))
    samples = 0.3 * tone / np.abs(tone).max() + 0.01 * wave("voice", (2560,))
    return (np.rint(32_768 * (samples - samples.mean())) / 32_768).astype(np.float32)
