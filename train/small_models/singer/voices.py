"""What the synthetic singer is given: notes, voices, and the scores of the two example clips.

Sources: formant frequencies of sung vowels, "Formant Values" appendix of the Csound reference manual; the others as in `synthesis.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Pitch = TypeVar("Pitch", float, np.ndarray)
CONSONANTS: Mapping[str, tuple[float, ...]] = {  # first three formants, Hz, and darkening, dB per octave
    "m": (250, 1050, 2200, 9.0),
    "n": (260, 1450, 2350, 8.0),
    "l": (340, 1200, 2500, 4.5),
}


@dataclass(frozen=True)
class Note:
    """One sung syllable."""

    pitch: float  # MIDI note number, 69 = 440 Hz
    seconds: float
    vowel: str
    onset: str = ""  # consonant at the start, a key of CONSONANTS; "" for a slur
    level: float = 0.0  # dB
    fade: float = 0.0  # dB added from its start to its end
    breath: float = 0.0  # dB of noise above the voice's usual noise
    glide: float = 0.0  # seconds of portamento into it, within its own length
    sounded: float = 1.0  # part of its length before the voice stops: below 1 is staccato
    vibrato: float = 0.0  # cents around the pitch


@dataclass(frozen=True)
class Voice:
    """A singer: vocal tract and glottal source."""

    formants: Mapping[str, tuple[float, ...]]  # five frequencies per vowel, Hz
    upper: tuple[float, float]  # Hz: the sixth formant, then the spacing of all the higher ones
    damping: float  # factor on all formant bandwidths
    dip: float  # Hz of the piriform antiresonance
    presence: float  # dB of a shelf from 3 to 6 kHz: what the clustered formants take away, and the microphone
    pulse: float  # Rd at 0 dB: 0.35 pressed ... 2.7 breathy
    softening: float  # Rd added per dB below 0
    noise: float  # dB of aspiration against the harmonics, roughly


BARITONE = Voice(  # F1 and F2 of the table's bass, F3 to F5 of its tenor: the singer's formant near 3 kHz
    formants={
        "a": (600, 1040, 2650, 2900, 3250),
        "e": (400, 1620, 2600, 3200, 3580),
        "i": (250, 1750, 2800, 3250, 3540),
        "o": (400, 750, 2600, 2800, 3000),
        "u": (350, 600, 2700, 2900, 3300),
    },
    upper=(5000, 1050),
    damping=1.2,
    dip=4200,
    presence=27,
    pulse=0.5,
    softening=0.05,
    noise=-40,
)
SOPRANO = Voice(
    formants={
        "a": (800, 1150, 2900, 3900, 4950),
        "e": (350, 2000, 2800, 3600, 4950),
        "i": (270, 2140, 2950, 3900, 4950),
        "o": (450, 800, 2830, 3800, 4950),
        "u": (325, 700, 2700, 3800, 4950),
    },
    upper=(6000, 1150),
    damping=1.9,
    dip=4500,
    presence=6,
    pulse=0.7,
    softening=0.06,
    noise=-38,
)

SCORES: Mapping[str, tuple[tuple[Note, ...], Voice]] = {
    "sung_phrase_low": (
        (
            Note(49, 0.42, "e", level=-90, breath=4, sounded=0.75),  # breathing in
            Note(50, 0.40, "a", "m", level=-5, fade=1),
            Note(45, 0.42, "e", "n", level=-1),
            Note(50, 0.38, "i", "l", level=1),
            Note(53, 0.42, "o", level=-1, fade=1),
            Note(55, 0.85, "a", "m", fade=-2, vibrato=35),
            Note(52, 0.40, "u", "l"),
            Note(48, 0.36, "o", level=-3),
            Note(43, 0.55, "e", "n", level=1),
            Note(50, 2.35, "a", "l", fade=-14, vibrato=60),
        ),
        BARITONE,
    ),
    "sung_phrase_high": (
        (
            Note(67, 0.40, "a", level=-90, breath=5, sounded=0.75),
            Note(69, 0.42, "a", "m", level=-8, fade=2),
            Note(64, 0.42, "e", "n", level=2),
            Note(72, 0.40, "i", "l", level=-2),
            Note(71, 0.34, "o", level=-3),
            Note(76, 0.95, "a", glide=0.32, level=-2, fade=4, vibrato=45, sounded=0.93),
            Note(77, 0.26, "a", level=-4, breath=6, sounded=0.55),
            Note(74, 0.30, "e", level=-8, breath=12, sounded=0.7),
            Note(72, 0.50, "o", "n", level=-5),
            Note(69, 2.35, "a", "l", level=-3, fade=-13, vibrato=55),
        ),
        SOPRANO,
    ),
}


def check(score: tuple[Note, ...], voice: Voice, sample_rate: int) -> None:
    """ValueError for anything that cannot be sung."""
    if not 16_000 <= sample_rate <= 192_000:
        raise ValueError(f"sample_rate is {sample_rate!r}, allowed: 16000 to 192000 Hz")
    if not score:
        raise ValueError("score has no notes, at least one is needed")
    for note in score:
        if note.vowel not in voice.formants:
            raise ValueError(f"vowel is {note.vowel!r}, allowed: {', '.join(voice.formants)}")
        if note.onset and note.onset not in CONSONANTS:
            raise ValueError(f"onset is {note.onset!r}, allowed: '' or one of {', '.join(CONSONANTS)}")
        if not 0.1 <= note.seconds <= 30:
            raise ValueError(f"seconds is {note.seconds!r}, allowed: 0.1 to 30")
        if not 31 <= note.pitch <= 88:
            raise ValueError(f"pitch is {note.pitch!r}, allowed: MIDI notes 31 to 88")


def hertz(pitch: Pitch) -> Pitch:
    """Frequency of a MIDI note number."""
    return 440 * 2 ** ((pitch - 69) / 12)
