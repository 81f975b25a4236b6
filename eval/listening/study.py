"""A study as its author describes it: the question, the material and the rules.

A study is plain data (YAML or JSON) and never changes once a rater has started: its hash is stored with it, and a change
makes a new revision.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from eval.listening.analysis.votes import ANCHOR, REFERENCE

# One per way of asking; the scales are those of the standards.
MODES = {
    "acr": "Rate one take at a time from 1 (bad) to 5 (excellent), ITU-T P.800.",
    "mushra": "Rate all takes of a clip against the recording from 0 to 100, ITU-R BS.1534.",
    "ab": "Which of two takes do you prefer, or is there no difference?",
    "abx": "Is X the same as A or as B?",
}
REFERENCE_FREE = ("acr", "ab")  # modes that need no recording
GOLD = "degraded"  # the degraded anchor of attention checks
BEEPS = tuple(f"beeps-{count}" for count in range(1, 6))  # stimuli of attention checks: the count is the right answer
MAX_ITEMS, MAX_SYSTEMS, MAX_TRIALS = 60, 12, 200


class StudyError(ValueError):
    """A study that cannot be run; the message says what is wrong and what is allowed."""


@dataclass(frozen=True)
class Question:
    """One line of the questionnaire; `choices` empty: free text."""

    id: str
    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Study:
    """Errors of the constructor: `StudyError`."""

    name: str
    mode: str  # of MODES
    items: tuple[str, ...]  # the clips' names
    systems: tuple[str, ...]  # without the recording and the anchor, which the mode adds
    raters: int = 20  # expected; what the plan is for
    trials: int | None = None  # per rater, checks not counted; None: everything
    repeats: int = 1  # trials asked a second time, per rater
    golds: int = 1  # trials with a take that must be rated badly, per rater
    traps: int = 1  # trials with beeps, per rater
    seed: int = 0
    about: str = ""  # shown on the welcome page
    questions: tuple[Question, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()  # ab and abx; none: see `compared`
    reference: bool = True  # whether the recording is one of the conditions that are rated

    def __post_init__(self) -> None:
        self._check("mode", self.mode in MODES, f"one of {', '.join(MODES)}")
        self._check("name", 0 < len(self.name.strip()) <= 120, "1 to 120 characters")
        self._check("items", 1 <= len(self.items) <= MAX_ITEMS, f"1 to {MAX_ITEMS} clips")
        self._check("systems", 1 <= len(self.systems) <= MAX_SYSTEMS, f"1 to {MAX_SYSTEMS} systems")
        for name in ("items", "systems"):
            values = getattr(self, name)
            self._check(name, len(set(values)) == len(values) and all(values), "different names")
        reserved = {REFERENCE, ANCHOR, GOLD, *BEEPS} & set(self.systems)
        self._check("systems", not reserved, f"none called {', '.join(sorted(reserved))}")
        self._check("raters", 1 <= self.raters <= 10_000, "1 to 10000")
        for name in ("repeats", "golds", "traps"):
            self._check(name, 0 <= getattr(self, name) <= 10, "0 to 10")
        if self.trials is not None:
            self._check("trials", 1 <= self.trials <= self.units, f"1 to {self.units}, all there are")
        if (self.trials or self.units) > MAX_TRIALS:
            raise StudyError(
                f"trials: a session of {self.trials or self.units} is too long; set trials, at most {MAX_TRIALS}"
            )
        ids = [question.id for question in self.questions]
        self._check("questions", len(set(ids)) == len(ids) <= 20, "at most 20, each with an id of its own")
        if self.mode == "ab" and not self.pairs:
            self._check("systems", len(self.systems) >= 2, "at least two to prefer between")
        known = {REFERENCE, *self.systems}
        self._check(
            "reference", self.reference or self.mode in REFERENCE_FREE, f"false for {', '.join(REFERENCE_FREE)}"
        )
        self._check("pairs", all(a != b and {a, b} <= known for a, b in self.pairs), "two different systems each")

    def _check(self, field: str, holds: object, allowed: str) -> None:
        if not holds:
            raise StudyError(f"{field}: {getattr(self, field)!r} is not possible; allowed: {allowed}")

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions of studies that rate single takes."""
        found = (*self.systems, REFERENCE, ANCHOR) if self.mode == "mushra" else (*self.systems, REFERENCE)
        return tuple(condition for condition in found if self.reference or condition != REFERENCE)

    @property
    def compared(self) -> tuple[tuple[str, str], ...]:
        """The pairs of studies that compare two takes: for AB all pairs of systems, for ABX each system with the recording."""
        if self.pairs:
            return self.pairs
        if self.mode == "abx":
            return tuple((REFERENCE, system) for system in self.systems)
        return tuple(itertools.combinations(self.systems, 2))

    @property
    def units(self) -> int:
        """Number of different trials."""
        per_item = {"acr": len(self.conditions), "mushra": 1}.get(self.mode)
        return len(self.items) * (len(self.compared) if per_item is None else per_item)

    @property
    def length(self) -> int:
        """Trials of one session, checks included."""
        return (self.trials or self.units) + self.repeats + self.golds + self.traps

    def as_json(self) -> str:
        content = asdict(self)
        if self.reference:  # the field came later, and hashes of older studies stay
            del content["reference"]
        return json.dumps(content, ensure_ascii=False, sort_keys=True)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.as_json().encode()).hexdigest()


SECONDS_PER_TRIAL = {"acr": 8, "mushra": 75, "ab": 20, "abx": 25}


def session_minutes(mode: str, trials: int) -> int:
    """About how long a session takes, with two minutes to set up. trials: checks included."""
    return math.ceil(trials * SECONDS_PER_TRIAL[mode] / 60 + 2)


def study_from(content: Mapping) -> Study:
    """Errors: `StudyError` for a field that does not exist, is missing, or has the wrong type or value."""
    if not isinstance(content, Mapping):
        raise StudyError("a study is a mapping of fields: name, mode, items, systems, ...")
    known = {field.name for field in fields(Study)}
    if unknown := set(map(str, content)) - known:
        raise StudyError(f"{', '.join(sorted(unknown))}: no such field; there are {', '.join(sorted(known))}")
    if missing := {"name", "mode", "items", "systems"} - content.keys():
        raise StudyError(f"{', '.join(sorted(missing))}: missing")
    values = dict(content)
    try:
        for name in ("items", "systems"):
            values[name] = _texts(values[name])
        values["questions"] = tuple(
            Question(str(q["id"]), str(q["text"]), _texts(q.get("choices") or ())) for q in values.get("questions", ())
        )
        values["pairs"] = tuple(_texts(pair) for pair in values.get("pairs", ()))
    except (TypeError, KeyError, AttributeError) as error:
        raise StudyError(
            f"items, systems, questions or pairs are not lists of what they should hold ({error})"
        ) from error
    if any(len(pair) != 2 for pair in values["pairs"]):
        raise StudyError("pairs: each is a list of two systems")
    for name in ("raters", "trials", "repeats", "golds", "traps", "seed"):
        if name in values and not (type(values[name]) is int or (name == "trials" and values[name] is None)):
            raise StudyError(f"{name}: {values[name]!r} is not a whole number")
    if not isinstance(values.get("reference", True), bool):
        raise StudyError(f"reference: {values['reference']!r} is neither true nor false")
    for name in ("name", "mode", "about"):
        values[name] = str(values.get(name, ""))
    return Study(**values)


def _texts(values: object) -> tuple[str, ...]:
    if isinstance(values, str):
        raise TypeError(f"{values!r} is a text")
    return tuple(str(value) for value in values)


def read_study_file(path: Path) -> dict:
    """The content of a YAML or JSON file, unchecked. Errors: `StudyError`."""
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))  # JSON is YAML
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise StudyError(f"{path}: cannot be read as YAML or JSON: {' '.join(str(error).split())}") from error
