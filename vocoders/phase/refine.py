"""Steady pitch: a neural vocoder's sound on the pitch and level its mel prescribes, without training.

Why it is needed. A HiFi-GAN's low partials waver by tens of cents around the sung pitch, while Griffin-Lim from the
same 80 bands sits on it: the pitch *is* in the mel. At frequency f the bands are (700 + f) / 32 Hz apart, 22 Hz at the
bottom and 84 Hz at 2 kHz, so the partials of a voice are seen one by one below some 2 kHz, each by several bands whose
ratio says where it lies, and four overlapping windows see every instant. Higher up the bands blur the partials
together; there the network invents plausible detail, and Griffin-Lim cannot.

Method, on STFT magnitudes:

    below the crossover   the mel's own inversion       (replaced: the fundamental, where the network wavers most)
    above the crossover   the neural magnitudes         (kept: timbre, breath, everything above 8 kHz)
    in between            a geometric mean, sliding over `blend`
    then                  a few KL updates from there towards the given mel (corrected: the ratio of neighbouring
                          bands, which is pitch where partials are resolved, and level everywhere else)
    then                  Griffin-Lim with momentum, started from the neural phase (kept: transients)

The correction does most of the work: it moves energy between bins only as far as the mel asks, so where the mel knows
the pitch it is enforced, and where it does not the neural detail stays. `python -m eval refine-study` measures it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vocoders.mel import F_MAX, HOP, HW2, N_BINS, SAMPLE_RATE
from vocoders.phase.chunks import chunks, fades
from vocoders.phase.griffin_lim import griffin_lim
from vocoders.phase.inversion import invert_mel
from vocoders.phase.stft import stft
from vocoders.recipes.recipe import MelRecipe

_FLOOR = np.float32(1e-7)  # keeps the geometric mean finite; 188 dB below a full-scale sine


@dataclass(frozen=True)
class Refinement:
    """Parameters of the refinement; the defaults are those that `eval.benchmarks.refinement_ablation` supports."""

    crossover: float = (
        500.0  # Hz; 0 starts the correction from the neural magnitudes alone, 20 000 from none of them below 8 kHz
    )
    blend: float = 150.0  # Hz, scale of the sigmoid between the two
    inversion: int = 50  # KL updates for the band below
    correction: int = 10  # KL updates of the whole towards the mel
    low_band_iterations: int = 192  # of Griffin-Lim below 1.4 kHz, first; fewer leave a little F0 jitter on held notes
    iterations: int = 16  # of Griffin-Lim on all bins
    momentum: float = 0.99
    phase: Literal["neural", "mel", "random"] = "neural"  # to start from; "mel" is that of Griffin-Lim on the inversion


def refine(
    waveform: np.ndarray,
    mel: np.ndarray,
    recipe: MelRecipe = HW2,
    settings: Refinement = Refinement(),
    on_progress: Callable[[float], None] = lambda fraction: None,
) -> np.ndarray:
    """Any vocoder's waveform (n,) and the linear mel (80, frames) it was made from -> waveform (n,) float32.

    n may be anything from 256 (frames - 1) + 1 to 256 frames. Deterministic.
    Errors: ValueError when the two lengths do not belong together, or for a recipe of another framing than hw2's.
    """
    if recipe.framing != HW2.framing:
        raise ValueError(f"refinement works in the framing of the hw2 mel, not at {recipe.described()}")
    frames = mel.shape[1]
    if not HOP * (frames - 1) < len(waveform) <= HOP * frames:
        raise ValueError(f"{len(waveform)} samples do not belong to a mel of {frames} frames of {HOP}")
    whole = np.pad(waveform, (0, HOP * frames - len(waveform)))
    refined = np.zeros(len(whole), dtype=np.float32)
    for start, stop in chunks(frames):
        target = target_magnitude(whole, mel, recipe, settings, start, stop)
        phase = _first_phase(whole, mel, recipe, settings, start, stop)
        part = griffin_lim(
            target,
            iterations=settings.iterations,
            low_band_iterations=settings.low_band_iterations,
            momentum=settings.momentum,
            phase=phase,
        )
        refined[start * HOP : stop * HOP] += part * fades(start, stop, frames)
        on_progress(stop / frames)
    return refined[: len(waveform)]


def target_magnitude(
    waveform: np.ndarray,
    mel: np.ndarray,
    recipe: MelRecipe,
    settings: Refinement,
    start: int = 0,
    stop: int | None = None,
) -> np.ndarray:
    """The STFT magnitudes (513, stop - start) that Griffin-Lim is asked for; see the module's description."""
    stop = mel.shape[1] if stop is None else stop
    wanted = mel[:, start:stop]
    neural = np.abs(_spectrum(waveform, start, stop))
    if settings.crossover > 0:  # else nothing is replaced
        keep = kept_share(settings)[:, None]
        inverted = invert_mel(wanted, recipe, settings.inversion)
        neural = np.exp((1 - keep) * np.log(inverted + _FLOOR) + keep * np.log(neural + _FLOOR))
    return invert_mel(wanted, recipe, settings.correction, start=neural)


def _first_phase(
    waveform: np.ndarray, mel: np.ndarray, recipe: MelRecipe, settings: Refinement, start: int, stop: int
) -> np.ndarray | None:
    """Radians (513, stop - start), or None for Griffin-Lim's own random start. Errors: ValueError for another name."""
    if settings.phase == "neural":
        return np.angle(_spectrum(waveform, start, stop))
    if settings.phase == "mel":
        return np.angle(stft(griffin_lim(invert_mel(mel[:, start:stop], recipe, settings.inversion)))).T
    if settings.phase == "random":
        return None
    raise ValueError(f"unknown phase {settings.phase!r}; known: neural, mel, random")


def kept_share(settings: Refinement) -> np.ndarray:
    """How much of the neural magnitude each bin keeps, (513,) in [0, 1]; all of it above the mel's upper edge."""
    hertz = np.arange(N_BINS) * (SAMPLE_RATE / 2 / (N_BINS - 1))
    slope = np.clip((hertz - settings.crossover) / settings.blend, -60, 60)
    share = 1 / (1 + np.exp(-slope))
    return np.where(hertz >= F_MAX, 1.0, share).astype(np.float32)


def _spectrum(waveform: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Complex STFT (513, stop - start) of a piece, seen alone: what Griffin-Lim inside the piece can reach."""
    return stft(waveform[start * HOP : stop * HOP]).T
