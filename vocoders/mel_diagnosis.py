"""Which kind of mel an array is, told from its numbers.

A small classifier (two hidden layers, on the numbers of `vocoders.mel_statistics`) knows the sixteen formats that can be used
and the mistakes people make with them. Several were fitted and their probabilities are averaged, so where they disagree none
is high. The weights lie in assets/mel-diagnosis.npz, made by `python -m train.mel_diagnosis AUDIO_DIR`;
`python -m eval mel-diagnosis AUDIO_DIR` tries them on other recordings.

A mel made and analysed again does not tell: nearly every wrong reading of it comes back as well as the right one.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vocoders.features import Features
from vocoders.mel_cone import impossible_share
from vocoders.mel_file import read_layouts
from vocoders.mel_format import FORMATS, Declared, MelFormat
from vocoders.mel_statistics import SHORTEST, log_view, statistics

FILE = Path(__file__).parents[1] / "assets" / "mel-diagnosis.npz"
SURE = 0.97  # probability from which a diagnosis needs no confirmation
POSSIBLE = 0.02  # below, a format is out of the question
FORGIVEN = 0.03  # share of frames that no spectrum has; of a right mel none, but for lost digits
CLIP = 5.0  # standard deviations; a number further out says no more than this
MEMBERS = 3  # classifiers

_DESCRIPTIONS = {  # of the kinds that cannot be used, by their name in the model
    "other: librosa's default": "librosa's default mel (Slaney bands up to 11 025 Hz, FFT 2048, hop 512)",
    "other: up to 11 025 Hz": "a mel with bands up to 11 025 Hz instead of 8000",
    "other: hop 512": "a mel with a hop of 512 samples instead of 256",
    "other: hop 128": "a mel with a hop of 128 samples instead of 256",
    "other: FFT of 2048": "a mel from an FFT of 2048 samples instead of 1024",
    "other: FFT of 512": "a mel from an FFT of 512 samples instead of 1024",
    "other: 16 kHz": "a mel of audio at 16 kHz",
    "other: 24 kHz": "a mel of audio at 24 kHz",
    "other: bands": "a mel with other bands (HTK of area 1, or Slaney of peak 1)",
    "other: dB below the maximum": "a mel in dB below its own maximum; the level is lost",
    "other: dB clipped to 0..80": "a mel in dB, shifted and clipped to 0..80",
    "other: log1p": "log(1 + mel)",
    "other: normalized": "a mel normalized to a fixed range or variance; its constants must be undone first",
    "other: picture": "a mel scaled to whole numbers, as a picture",
    "other: int16-scaled": "a mel of samples within +-32768 instead of +-1",
    "other: root": "the square root of a power mel",
    "other: smoothed": "a smoothed mel, as predicted by a text-to-speech model",
    "other: turned": "a mel with bands and frames exchanged",
}


@dataclass(frozen=True)
class Candidate:
    """confidence: probability, 0 to 1. format: None for a kind that no system here can be given."""

    name: str
    confidence: float
    format: MelFormat | None


@dataclass(frozen=True)
class Diagnosis:
    """candidates: the most likely first; empty where the numbers say nothing. format: what the mel is taken for, from the
    numbers or by declaration; None when that is doubtful. doubt: why, as a clause; "" when there is none. floor: the least
    value, where many are equal to it."""

    candidates: tuple[Candidate, ...]
    format: MelFormat | None
    doubt: str = ""
    floor: float | None = None

    @property
    def is_doubtful(self) -> bool:
        return self.format is None

    def confidence(self, format: MelFormat) -> float:
        return next((candidate.confidence for candidate in self.candidates if candidate.format == format), 0.0)

    @property
    def sentence(self) -> str:
        """What to show: what it looks like, or what it may be and the options that would confirm each."""
        if self.format is not None:
            floor = "" if self.floor is None else f", floor {self.floor:.4g}"
            sure = self.confidence(self.format)
            return f"this looks like {self.format}{floor} (confidence {100 * sure:.0f} %)"
        return f"what this mel is, is doubtful: {self.doubt}"


def diagnose(values: np.ndarray, declared: Declared = Declared()) -> Diagnosis:
    """(80, frames) -> what it is, among the formats that agree with what was declared.

    Errors: ValueError for a mel that cannot be anything: one frame, or one value throughout.
    """
    frames = values.shape[1]
    if frames < 2:
        raise ValueError("the mel has one frame, 12 ms; at least 2 make a sound")
    if values.min() == values.max():
        raise ValueError(f"every value of the mel is {values.flat[0]:g}; it holds no sound")
    at_floor = values == values.min()
    floor = float(values.min()) if at_floor.mean() >= 0.005 else None
    if frames < SHORTEST:
        doubt = f"{frames} frames are too few to tell, at least {SHORTEST} are needed"
        return _declared(Diagnosis((), None, f"{doubt}; say {Declared.OPTIONS}", floor), values, declared)
    if (~at_floor).any(axis=0).sum() < SHORTEST:
        doubt = f"nearly every frame is at the floor {values.min():g}"
        return _declared(Diagnosis((), None, f"{doubt}; say {Declared.OPTIONS}", floor), values, declared)
    candidates = _ranked(values)
    return _declared(Diagnosis(candidates, None, "", floor), values, declared)


def diagnose_file(
    path: Path, key: str | None = None, declared: Declared = Declared(), max_seconds: float = 3000.0
) -> tuple[Features | None, Diagnosis]:
    """A mel file -> its features, or None where its format is doubtful, and the diagnosis.

    key: the array's name in a file that holds several. The features are "hw2 mel" or "log hifigan mel"; every system but the
    oracle can be given either (`Analysis.of_mel`).
    Errors: ValueError with a sentence without the file's name, for a file that cannot be read or cannot be what was declared.
    """
    mels = read_layouts(path, key, max_seconds)
    found = [(diagnose(mel, declared), mel) for mel in mels]
    if len(found) == 1:
        diagnosis, mel = found[0]
    else:
        diagnosis, mel = _one_layout(found)
    return (None if diagnosis.format is None else diagnosis.format.features(mel)), diagnosis


def _one_layout(found: Sequence[tuple[Diagnosis, np.ndarray]]) -> tuple[Diagnosis, np.ndarray]:
    """Of an array of 80 x 80, as it is and turned, the one whose numbers are those of a mel."""
    told = [
        (diagnosis, mel)
        for diagnosis, mel in found
        if diagnosis.format and diagnosis.confidence(diagnosis.format) >= SURE
    ]
    if len(told) == 1:
        return told[0]
    doubt = "80 x 80 values do not tell which axis is time; cut or add a frame, so that the shape says it"
    return Diagnosis(found[0][0].candidates, None, doubt, found[0][0].floor), found[0][1]


def _declared(diagnosis: Diagnosis, values: np.ndarray, declared: Declared) -> Diagnosis:
    """The diagnosis with its format, where the numbers and the declaration together leave one."""
    matching = [format for format in FORMATS if declared.allows(format)]
    if len(matching) == 1:
        return Diagnosis(diagnosis.candidates, matching[0], "", diagnosis.floor)
    if not diagnosis.candidates:
        return diagnosis
    share = sum(diagnosis.confidence(format) for format in matching)
    best = max(matching, key=diagnosis.confidence)
    others = max(c.confidence for c in diagnosis.candidates if c.format not in matching) if declared.anything else 0.0
    if diagnosis.confidence(best) >= SURE * (share if others < 0.5 else 1.0) and share > POSSIBLE:
        return Diagnosis(diagnosis.candidates, best, "", diagnosis.floor)
    return Diagnosis(diagnosis.candidates, None, _doubt(diagnosis.candidates), diagnosis.floor)


def _doubt(candidates: Sequence[Candidate]) -> str:
    likely = [candidate for candidate in candidates if candidate.confidence >= POSSIBLE][:4]
    named = [
        f"{candidate.name} ({100 * candidate.confidence:.0f} %{f'; {candidate.format.options}' if candidate.format else ''})"
        for candidate in likely
    ]
    if not any(candidate.format for candidate in likely):
        return f"it may be {' or '.join(named)}, which no system here can be given as it is"
    return f"it may be {' or '.join(named)}; confirm one with the options named"


@dataclass(frozen=True, eq=False)
class Classifier:
    """names: (kinds,). Of each member, weights and biases of three layers: statistics -> hidden -> hidden -> kinds."""

    names: tuple[str, ...]
    mean: np.ndarray  # (statistics,)
    spread: np.ndarray  # (statistics,)
    members: tuple[tuple[np.ndarray, ...], ...]

    def __call__(self, numbers: np.ndarray) -> np.ndarray:
        """(..., statistics) -> probabilities (..., kinds)."""
        inputs = standardized(numbers, self.mean, self.spread)
        return np.mean([_probabilities(inputs, member) for member in self.members], axis=0)


def standardized(numbers: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """What a classifier's first layer takes; a missing number is an average one."""
    return np.clip(np.nan_to_num((numbers - mean) / spread), -CLIP, CLIP)


def _probabilities(inputs: np.ndarray, member: tuple[np.ndarray, ...]) -> np.ndarray:
    w1, b1, w2, b2, w3, b3 = member
    hidden = np.maximum(np.maximum(inputs @ w1 + b1, 0) @ w2 + b2, 0)
    logits = hidden @ w3 + b3
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return odds / odds.sum(axis=-1, keepdims=True)


def read_classifier(path: Path) -> Classifier:
    with np.load(path, allow_pickle=False) as file:
        layers = [tuple(file[f"{layer}_{member}"].astype(np.float64) for layer in _LAYERS) for member in range(MEMBERS)]
        names = tuple(str(name) for name in file["names"])
        return Classifier(names, file["mean"], file["spread"], tuple(layers))


_LAYERS = ("w1", "b1", "w2", "b2", "w3", "b3")


@functools.cache
def _classifier() -> Classifier:
    return read_classifier(FILE)


def kind_of(format: MelFormat) -> str:
    """A format's name in the model."""
    return f"{format.recipe} {format.scale} {'linear' if format.log == 'none' else format.log}"


_BY_KIND = {kind_of(format): format for format in FORMATS}


def _ranked(values: np.ndarray) -> tuple[Candidate, ...]:
    """All kinds that the values can be, the most likely first."""
    classifier = _classifier()
    found = []
    for kind, probability in zip(classifier.names, classifier(statistics(values)), strict=True):
        format = _BY_KIND.get(kind)
        if format is None:
            found.append(Candidate(_DESCRIPTIONS[kind], float(probability), None))
        elif _possible(format, values):
            found.append(Candidate(str(format), float(probability), format))
    return tuple(sorted(found, key=lambda candidate: -candidate.confidence))


def _possible(format: MelFormat, values: np.ndarray) -> bool:
    """Whether some spectrum within full scale has this mel."""
    try:
        format.linear(values)
    except ValueError:
        return False
    if format.log != "none" and not (values < 0).any():
        return False
    level, above = log_view(values.astype(np.float64))
    return impossible_share(level, above, format.recipe, np.array([format.per_unit]))[0] <= FORGIVEN
