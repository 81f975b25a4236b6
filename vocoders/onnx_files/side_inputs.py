"""Inputs of a network beside the mel, as our own export writes them: a guide, and noise, waveforms (1, frames * 256)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vocoders.harmonic_noise.noise import noise
from vocoders.hifigan.guide import MAX_ITERATIONS, Guide
from vocoders.mel import HOP, N_MELS
from vocoders.onnx_files.metadata import GUIDE, NOISE

KNOWN_NAMES: tuple[list[str], ...] = ([], ["guide"], ["guide", "noise"])  # of the inputs behind the mel
_MAX_SEED = 2**32 - 1


@dataclass(frozen=True)
class SideInputs:
    """guide_iterations: of Griffin-Lim, None without a guide. noise_seed: see `vocoders.harmonic_noise.noise`, None without noise."""

    guide_iterations: int | None = None
    noise_seed: int | None = None

    @property
    def is_guided(self) -> bool:
        """Whether there is a guide, which only the hw2 mel has."""
        return self.guide_iterations is not None

    def beside(self, log_mel: np.ndarray) -> Callable[[int, int], dict[str, np.ndarray]]:
        """Log hw2 mel (80, frames) where there is a guide -> a function from the frames [start, stop) to the inputs by name."""
        guide = None if self.guide_iterations is None else Guide(log_mel, self.guide_iterations)

        def between(start: int, stop: int) -> dict[str, np.ndarray]:
            waveforms = {}
            if guide is not None:
                waveforms["guide"] = guide.between(start, stop)[None]
            if self.noise_seed is not None:
                waveforms["noise"] = noise(start * HOP, stop * HOP, self.noise_seed)[None]
            return waveforms

        return between


def side_inputs(names: Sequence[str], bands: int, metadata: Mapping[str, str]) -> SideInputs:
    """Those of a network whose inputs behind the mel have these names. Errors: ValueError."""
    if "guide" in names and bands != N_MELS:
        raise ValueError(f"a guide is computed from {N_MELS} bands, not {bands}")
    return SideInputs(
        _number(metadata, GUIDE, 1, MAX_ITERATIONS) if "guide" in names else None,
        _number(metadata, NOISE, 0, _MAX_SEED) if "noise" in names else None,
    )


def _number(metadata: Mapping[str, str], key: str, least: int, most: int) -> int:
    said = metadata.get(key, "")
    number = int(said) if said.isascii() and said.isdecimal() and len(said) <= len(str(most)) else None
    if number is None or not least <= number <= most:
        raise ValueError(f"{key} in its metadata is {said[:20]!r}; allowed: {least} to {most}")
    return number
