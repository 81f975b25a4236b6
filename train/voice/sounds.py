"""What a run can be heard by: its held-out passages, one after another, as they are and as the generator makes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from common.durable import write_durably
from eval.metrics.loudness import level_of
from eval.reports.spectrogram import difference_png, level, level_png
from train.config import TrainConfig
from train.data.guide import Guides
from train.data.pack import Pack
from train.validation import chosen_clips
from train.voice.progress import FILES, GRIFFIN_LIM, ORIGINAL, Sound, difference_of
from vocoders.audio import SAMPLE_RATE, Waveform, write_wav

MAX_PASSAGES = 4  # that are heard
GAP_SECONDS = 0.2  # of silence between them


def write_sound(voice: Path, name: str, waveforms: Sequence[np.ndarray], minutes: float) -> Sound:
    """The first of the waveforms, (n,) float32 at 22 050 Hz each, as one wav, its spectrogram, and how
    that differs from the recording's, which is written first. Errors: `DiskFull`."""
    gap = np.zeros(round(GAP_SECONDS * SAMPLE_RATE), np.float32)
    joined = np.concatenate([part for waveform in waveforms[:MAX_PASSAGES] for part in (waveform, gap)][:-1])
    files, found = voice / FILES, level(joined)
    write_wav(files / f"{name}.wav", joined)
    write_durably(files / f"{name}.png", level_png(found))
    if name != ORIGINAL:
        wanted = level(read_sound(files / f"{ORIGINAL}.wav"))
        write_durably(files / difference_of(name), difference_png(found - wanted))
    return Sound(name, minutes, level_of(Waveform(joined, SAMPLE_RATE)))


def read_sound(path: Path) -> np.ndarray:
    """(n,) float32, of a wav that `write_sound` has written."""
    import soundfile

    return soundfile.read(path, dtype="float32")[0]


def write_references(voice: Path, pack: Pack, config: TrainConfig) -> list[Sound]:
    """The recording, and Griffin-Lim from its mel. Errors: `PackError`, `DiskFull`."""
    chosen = chosen_clips(pack, config.validation_seconds)[:MAX_PASSAGES]
    guides = Guides(pack, config.generator.guide_iterations)
    return [
        write_sound(voice, ORIGINAL, [pack.samples(clip, length) for clip, length in chosen], 0.0),
        write_sound(voice, GRIFFIN_LIM, [guides.samples(clip, length) for clip, length in chosen], 0.0),
    ]
