"""Why the hw2 mel and HiFi-GAN's differ although "all parameters are equal": the one turned into the other step by step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vocoders.mel import HIFIGAN, HW2, log_mel_of


@dataclass(frozen=True, eq=False)
class Step:
    """`log_mel` (80, frames) after a change; `moved` is the mean |change| it made, in nepers."""

    title: str
    why: str
    log_mel: np.ndarray
    moved: float


def steps(samples: np.ndarray) -> list[Step]:
    """From the hw2 mel to HiFi-GAN's; the first moved nothing. Errors: ValueError for fewer than 385 samples."""
    found: list[Step] = []
    for title, why, recipe in _RECIPES:
        log_mel = log_mel_of(samples, recipe)
        moved = float(np.abs(log_mel - found[-1].log_mel).mean()) if found else 0.0
        found.append(Step(title, why, log_mel, moved))
    return found


_MAGNITUDE = replace(HW2, power=1)
_SLANEY = replace(_MAGNITUDE, scale="slaney")
_AREA = replace(_SLANEY, unit_area=True)
_REFLECTED = replace(_AREA, padding="reflect")
_RECIPES = (
    ("hw2 mel", "torchaudio's default: power, HTK bands of peak 1, zeros beyond the ends.", HW2),
    (
        "power → magnitude",
        "The square root before the bands are summed. In logarithms every difference is halved, and with it every loss.",
        _MAGNITUDE,
    ),
    ("HTK → Slaney bands", "Bands lie elsewhere: linear to 1 kHz instead of everywhere bent.", _SLANEY),
    (
        "peak 1 → area 1",
        "Every band is divided by its width in Hz, which lowers all of them and the high ones most. More of the quiet ones "
        "fall below the floor of the logarithm.",
        _AREA,
    ),
    ("zeros → reflection at the ends", "It changes only the first and the last two frames.", _REFLECTED),
    (
        "+ 1e-9 under the root",
        "It changes only digital silence. This is HiFi-GAN's mel.",
        replace(_REFLECTED, epsilon=HIFIGAN.epsilon),
    ),
)
