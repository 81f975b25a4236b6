"""Fits the map of `vocoders.upper_band`: log mel -> log magnitudes above 8 kHz, by least squares on a pack.

Every clip gives the same number of frames, at a level of its own, so that neither long clips nor the recordings' volume
decide. Only sums over frames are kept, so memory does not depend on the amount of audio.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from train.data.pack import TRAIN, VALIDATION, Clip, Pack
from vocoders.mel import HOP, HW2, LOG_FLOOR, N_MELS, log_mel_of
from vocoders.phase.stft import stft
from vocoders.upper_band import BINS, FIRST_BIN, UpperBand

FRAMES_PER_CLIP = 200  # per clip, and twice that long is what is read of it
GAIN_RANGE_DB = (-18.0, 6.0)  # dB, uniform
RIDGE = 1e-4  # of the mean square of an input


def fit_upper_band(
    pack: Pack, seed: int = 1, on_clip: Callable[[int, int], None] = lambda done, total: None
) -> UpperBand:
    """Deterministic. `about` gets the error on held-out voices, and that of the best constant, in dB.

    Errors: ValueError when the pack has no clip long enough.
    """
    rng = np.random.default_rng(seed)
    train, validation = pack.split(TRAIN), pack.split(VALIDATION)
    square, cross, count = np.zeros((N_MELS + 1, N_MELS + 1)), np.zeros((N_MELS + 1, BINS)), 0
    for done, (log_mel, wanted) in enumerate(_frames(pack, train, rng), 1):
        inputs = _with_one(log_mel)
        square += inputs.T @ inputs
        cross += inputs.T @ wanted
        count += len(inputs)
        on_clip(done, len(train) + len(validation))
    if not count:
        raise ValueError("the pack has no clip to fit on")
    ridge = RIDGE * np.trace(square[:N_MELS, :N_MELS]) / N_MELS * np.diag([*[1.0] * N_MELS, 0.0])
    solution = np.linalg.solve(square + ridge, cross)
    errors, constant = [], cross[-1] / count
    for done, (log_mel, wanted) in enumerate(_frames(pack, validation, rng), 1):
        errors.append([np.abs(wanted - _with_one(log_mel) @ solution).mean(), np.abs(wanted - constant).mean()])
        on_clip(len(train) + done, len(train) + len(validation))
    held_out, flat = np.mean(errors, axis=0) * 20 / np.log(10) if errors else (float("nan"),) * 2
    about = {
        "data": pack.summary(),
        "licences": pack.licences(),
        "frames": count,
        "held-out error (dB)": round(float(held_out), 2),
        "held-out error of a constant (dB)": round(float(flat), 2),
    }
    return UpperBand(solution[:-1].astype(np.float32), solution[-1].astype(np.float32), about)


def _frames(pack: Pack, clips: tuple[Clip, ...], rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Per clip: log mel (n, 80) and log magnitude above 8 kHz (n, 141) of up to `FRAMES_PER_CLIP` frames, drawn at random."""
    for clip in clips:
        length = min(clip.samples, 2 * FRAMES_PER_CLIP * HOP) // HOP * HOP
        if not length:
            continue
        samples = pack.samples(clip, length) * np.float32(10 ** (rng.uniform(*GAIN_RANGE_DB) / 20))
        log_mel = log_mel_of(samples, HW2).T
        wanted = np.log(np.maximum(np.abs(stft(samples))[:, FIRST_BIN:], LOG_FLOOR))
        chosen = rng.permutation(len(log_mel))[:FRAMES_PER_CLIP]
        yield log_mel[chosen], wanted[chosen]


def _with_one(log_mel: np.ndarray) -> np.ndarray:
    return np.column_stack([log_mel, np.ones(len(log_mel))]).astype(np.float64)
