"""Which kind of mel an array is, told from its numbers: what is certain first, then what is likely.

Certain changes to a mel, and the formats it cannot be in, are facts with reasons (`vocoders.mel_files.facts`). Among the
formats that are left a classifier chooses (`vocoders.mel_files.classifier`), and only where its probability is at least `MIN_SURE_PROBABILITY`;
everything else is doubtful, with the candidates named. `python -m eval mel-diagnosis AUDIO_DIR` prints how often that is right.

A mel made and analysed again does not tell: nearly every wrong reading of it comes back as well as the right one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vocoders.features import Features
from vocoders.mel_files.classifier import FOREIGN, LOG1P, shipped_classifier
from vocoders.mel_files.facts import MIN_FLOOR_SHARE, ambiguity, certain_change, impossible, may_be_log1p
from vocoders.mel_files.file import read_layouts
from vocoders.mel_files.format import FORMATS, MelFormat
from vocoders.mel_files.options import Declared
from vocoders.mel_files.statistics import MIN_FRAMES, statistics

MIN_SURE_PROBABILITY = 0.9  # from which a diagnosis needs no confirmation; chosen on recordings of the training set
MIN_POSSIBLE_PROBABILITY = 0.02  # below it, a format is out of the question
_MIN_KIND_PROBABILITY = 1e-3  # below, a kind is not looked at
_MIN_REMAINING_PROBABILITY = 0.05  # where the facts leave less of all probability than this, they leave nothing
_KIND_PRIORS = {  # how much less often than the others a kind is met
    "other: 16 kHz": 0.15,
    "other: 24 kHz": 0.15,
    "other: root": 0.3,
    "other: up to 11 025 Hz": 0.3,
}
_UNUSUAL_SCALE_PRIOR = 0.1  # for the formats that no known vocoder takes: a scale that is not the recipe's own


@dataclass(frozen=True)
class Candidate:
    """confidence: probability, 0 to 1. format: None for a kind that no system here can be given."""

    name: str
    confidence: float
    format: MelFormat | None


@dataclass(frozen=True)
class Diagnosis:
    """candidates: the most likely first; empty where the numbers say nothing. format: what the mel is taken for, from the
    numbers or by declaration; None when that is doubtful. doubt: why, where it is not for the candidates' sake, as a clause.
    also: what the first candidate may be as well, see `vocoders.mel_files.facts.ambiguity`. floor: the least value, where many are
    equal to it."""

    candidates: tuple[Candidate, ...]
    format: MelFormat | None
    doubt: str = ""
    also: str = ""
    floor: float | None = None

    @property
    def is_doubtful(self) -> bool:
        """Whether no format is probable enough."""
        return self.format is None

    def confidence(self, mel_format: MelFormat) -> float:
        """Probability of the format, 0 to 1."""
        return next((candidate.confidence for candidate in self.candidates if candidate.format == mel_format), 0.0)

    @property
    def sentence(self) -> str:
        """The format it looks like, or those it may have and the options that would confirm each; without full stop."""
        return self.said(with_options=True)

    def said(self, with_options: bool) -> str:
        """The finding as a clause. with_options: name the options of a command that would settle a doubt."""
        if self.format is not None:
            floor = "" if self.floor is None else f", floor {self.floor:.4g}"
            sure = self.confidence(self.format)
            return f"this looks like {self.format}{floor} (confidence {_percent(sure)})"
        return f"what this mel is, is doubtful: {self._reason(with_options)}"

    def _reason(self, with_options: bool) -> str:
        if self.doubt:
            return f"{self.doubt}; say {Declared.OPTIONS}" if with_options else self.doubt
        if self.also:
            return f"it may be {_named(self.candidates[0], with_options)}, but also {self.also}"
        likely = [candidate for candidate in self.candidates if candidate.confidence >= MIN_POSSIBLE_PROBABILITY][:4]
        named = " or ".join(_named(candidate, with_options) for candidate in likely)
        if not any(candidate.format for candidate in likely):
            return f"it may be {named}, which no system here can be given as it is"
        return f"it may be {named}" + ("; confirm one with the options named" if with_options else "")


def _named(candidate: Candidate, with_options: bool) -> str:
    options = f"; {candidate.format.options}" if with_options and candidate.format else ""
    return f"{candidate.name} ({_percent(candidate.confidence)}{options})"


def _percent(confidence: float) -> str:
    """No likelihood is certainty."""
    return "over 99 %" if 0.99 < confidence < 1 else f"{100 * confidence:.0f} %"


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
    floor = float(values.min()) if at_floor.mean() >= MIN_FLOOR_SHARE else None
    candidates: tuple[Candidate, ...] = ()
    doubt = ""
    if frames < MIN_FRAMES:
        doubt = f"{frames} frames are too few to tell, at least {MIN_FRAMES} are needed"
    elif (~at_floor).any(axis=0).sum() < MIN_FRAMES:
        doubt = f"nearly every frame is at the floor {values.min():g}"
    elif change := certain_change(values):
        candidates = (Candidate(change, 1.0, None),)
    else:
        candidates, doubt = _ranked(values)
    return _declared(Diagnosis(candidates, None, doubt, floor=floor), values, declared)


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
        if diagnosis.format and diagnosis.confidence(diagnosis.format) >= MIN_SURE_PROBABILITY
    ]
    if len(told) == 1:
        return told[0]
    doubt = "80 x 80 values do not tell which axis is time; cut or add a frame, so that the shape says it"
    return replace(found[0][0], format=None, doubt=doubt), found[0][1]


def _declared(diagnosis: Diagnosis, values: np.ndarray, declared: Declared) -> Diagnosis:
    """The diagnosis with its format, where the numbers and the declaration together leave one."""
    matching = [mel_format for mel_format in FORMATS if declared.allows(mel_format)]
    if len(matching) == 1:
        return replace(diagnosis, format=matching[0], doubt="")
    if not diagnosis.candidates:
        return diagnosis
    best = max(matching, key=diagnosis.confidence)
    left = sum(one.confidence for one in diagnosis.candidates if one.format is None or one.format in matching)
    if left <= MIN_POSSIBLE_PROBABILITY or diagnosis.confidence(best) < MIN_SURE_PROBABILITY * left:
        return diagnosis
    if also := ambiguity(best, values):
        return replace(diagnosis, also=also)
    return replace(diagnosis, format=best)


def kind_of(mel_format: MelFormat) -> str:
    """A format's name in the model."""
    return f"{mel_format.recipe} {mel_format.scale} {'linear' if mel_format.log == 'none' else mel_format.log}"


_BY_KIND = {kind_of(mel_format): mel_format for mel_format in FORMATS}


def _ranked(values: np.ndarray) -> tuple[tuple[Candidate, ...], str]:
    """All kinds that the values can be, the most likely first; and what speaks against the likeliest format where none is left."""
    classifier = shipped_classifier()
    found, reasons = [], []
    for kind, probability in zip(classifier.names, classifier(statistics(values)), strict=True):
        if probability < _MIN_KIND_PROBABILITY:
            continue
        mel_format = _BY_KIND.get(kind)
        if kind == LOG1P and not may_be_log1p(values):
            continue
        if mel_format is None:
            found.append(Candidate(FOREIGN[kind], probability * _KIND_PRIORS.get(kind, 1.0), None))
        elif reason := impossible(mel_format, values):
            reasons.append((probability, f"as {mel_format}, {reason}"))
        else:
            found.append(
                Candidate(
                    str(mel_format), probability * (1.0 if mel_format.is_own else _UNUSUAL_SCALE_PRIOR), mel_format
                )
            )
    total = sum(candidate.confidence for candidate in found)
    if total < _MIN_REMAINING_PROBABILITY:
        why = f": {max(reasons)[1]}" if reasons else ""
        return (), f"its numbers fit no format known here{why}"
    found = [replace(candidate, confidence=float(candidate.confidence / total)) for candidate in found]
    return tuple(sorted(found, key=lambda candidate: -candidate.confidence)), ""
