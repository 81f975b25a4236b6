"""From one recipe's mel to another's, where there is no recording.

Mels that differ by their logarithm alone are converted by it. Mels of one framing meet at STFT magnitudes, which the first is inverted to. Between framings, other rates or hops, there is no
way but through a waveform: Griffin-Lim from those magnitudes, resampled, and analysed anew. Content that the first mel does not hold,
above its upper edge for one, the second cannot show.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
import torch

from vocoders.audio import fit_length, resample
from vocoders.features import Features, LogMelOf, hw2_mel, invert, log_hifigan_mel, remel
from vocoders.mel import HIFIGAN, HW2, linear_mel, log_mel, log_mel_of, mel_of_magnitude
from vocoders.phase.griffin_lim import ITERATIONS, MOMENTUM, griffin_lim
from vocoders.phase.inversion import invert_mel
from vocoders.recipes.recipe import MelRecipe
from vocoders.step import Step

LEAST_WEIGHT = 0.01  # of the sum of squared windows, relative to its maximum


def bridge_mel(log: np.ndarray, source: MelRecipe, target: MelRecipe) -> np.ndarray:
    """Log mel (bands, frames) of `source` -> log mel of `target`, at its own rate and frames.

    Errors: ValueError for a mel that is not one of `source`.
    """
    if log.ndim != 2 or log.shape[0] != source.bands or not np.isfinite(log).all():
        raise ValueError(f"a {source.name} mel has shape ({source.bands}, frames) and finite values, not {log.shape}")
    if dataclasses.replace(source, name=target.name) == target:
        return log
    linear = linear_mel(log, source)
    if source.linear == target.linear:
        return log_mel(torch.from_numpy(linear), target).numpy()
    return mel_from_magnitude(invert_mel(linear, source), source, target)


def mel_from_magnitude(magnitude: np.ndarray, source: MelRecipe, target: MelRecipe) -> np.ndarray:
    """STFT magnitude (bins, frames) in the framing of `source` -> log mel of `target`."""
    if source.framing == target.framing:
        return log_mel(torch.from_numpy(mel_of_magnitude(magnitude, target)), target).numpy()
    samples = resample(waveform_of(magnitude, source), rate=source.rate, to=target.rate)
    return log_mel_of(np.pad(samples, (0, target.whole(len(samples)) - len(samples))), target)


def waveform_of(magnitude: np.ndarray, recipe: MelRecipe) -> np.ndarray:
    """STFT magnitude (bins, frames) in any recipe's framing -> (n,) float32 at its rate, by Griffin-Lim; n is what the frames span."""
    if recipe.framing == HW2.framing:
        return griffin_lim(magnitude)
    import librosa

    frames = magnitude.shape[1]
    framing = {
        "hop_length": recipe.hop,
        "win_length": recipe.win_length,
        "n_fft": recipe.n_fft,
        "window": recipe.window,
    }
    padded = librosa.griffinlim(  # from the first frame's first sample on
        magnitude, n_iter=ITERATIONS, momentum=MOMENTUM, center=False, random_state=0, **framing
    )
    weight = librosa.filters.window_sumsquare(n_frames=frames, **framing)
    padded[weight < LEAST_WEIGHT * weight.max()] = 0  # where windows hardly reach, the quotient by them is noise
    return fit_length(padded[recipe.pad :], recipe.samples(frames)).astype(np.float32)


def as_hw2_mel(mel: Features) -> Features:
    """Either of the project's mels -> the hw2 mel. HiFi-GAN's is inverted on the way; nothing is known above 8 kHz."""
    if mel.kind == "hw2 mel":
        return mel
    linear = np.exp(mel.require("log hifigan mel", by="the bridge to the hw2 mel"))
    return Features("hw2 mel", mel_of_magnitude(invert_mel(linear, HIFIGAN), HW2))


def as_log_hifigan_mel(mel: Features) -> Features:
    """Either of the project's mels -> HiFi-GAN's own."""
    return mel if mel.kind == "log hifigan mel" else remel(invert(mel))


def bridge(step: Step) -> Callable[[Features], Features] | None:
    """The step in place of a first step where there is a mel instead of a recording; None where a mel is not enough."""
    if step == hw2_mel:
        return as_hw2_mel
    if step == log_hifigan_mel:
        return as_log_hifigan_mel
    if isinstance(step.apply, LogMelOf):
        return functools.partial(_bridged, target=step.apply.recipe)
    return None


def _bridged(mel: Features, target: MelRecipe) -> Features:
    magnitude = invert(as_hw2_mel(mel)).values
    return Features(target.log_kind, mel_from_magnitude(magnitude, HW2, target))
