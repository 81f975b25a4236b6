"""Why "HiFi-GAN's mel always gets smaller loss values": the same error measured on both scales."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vocoders.audio import fit_length
from vocoders.mel import HIFIGAN, HW2, LOG_FLOOR, MelRecipe, log_mel_of, mel_of


@dataclass(frozen=True)
class LossScales:
    """L1 losses of one output in nepers, and the share of the recording's bands (0 to 1) that lie at the logarithm's floor."""

    hw2: float  # log power
    hw2_halved: float  # the very same error in log magnitude
    hifigan: float
    hw2_floored: float
    hifigan_floored: float


def loss_scales(reference: np.ndarray, estimate: np.ndarray) -> LossScales:
    """(n,), (m,) float32 at 22 050 Hz -> mean absolute differences of both log mels, and how much of each lies at its floor."""
    estimate = fit_length(estimate, len(reference))
    hw2, hifigan = (_l1(reference, estimate, recipe) for recipe in (HW2, HIFIGAN))
    floored = [float((mel_of(reference, recipe) <= LOG_FLOOR).mean()) for recipe in (HW2, HIFIGAN)]
    return LossScales(hw2, hw2 / 2, hifigan, *floored)


def _l1(reference: np.ndarray, estimate: np.ndarray, recipe: MelRecipe) -> float:
    return float(np.abs(log_mel_of(reference, recipe) - log_mel_of(estimate, recipe)).mean())
