"""A study as its author describes it: the question, the material and the rules.

A study is plain data (YAML or JSON) and never changes once a rater has started: its hash is stored with it, and a change
makes a new revision.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from eval.listening.analysis.votes import ANCHOR, REFERENCE
from eval.listening.closing import end_of
from eval.listening.recruiting.terms import Recruiting, recruiting_from
from eval.listening.tasks.material import Material
from eval.listening.tasks.registry import TASKS, task_of
from eval.listening.tasks.task import Task
from eval.listening.trial import BEEPS, DEGRADED

MAX_ITEMS, MAX_SYSTEMS, MAX_TRIALS = 60, 12, 200
MAX_KEEP_DAYS = 3650
# Fields that came later: at these values they are no part of `as_json`, so that hashes of older studies stay
LATER = {
    "reference": True,
    "recruiting": None,
    "owner": "",
    "contact": "",
    "keep_days": None,
    "mid_anchor": False,
    "comments": False,
    "between": (),
    "between_every": 0,
    "restart_on_switch": False,
    "lock_sliders": False,
    "closes": "",
}


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
    mode: str  # the id of its task
    items: tuple[str, ...]  # the clips' names
    systems: tuple[str, ...]  # without the recording and the anchor, which the task adds
    raters: int = 20  # expected; what the plan is for
    trials: int | None = None  # per rater, checks not counted; None: everything
    repeats: int = 1  # trials asked a second time, per rater
    golds: int = 1  # trials with the degraded anchor, which must be rated badly, per rater
    traps: int = 1  # trials with beeps, per rater
    seed: int = 0
    about: str = ""  # shown on the welcome page
    questions: tuple[Question, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()  # of tasks that compare pairs; none: those of the task
    reference: bool = True  # whether the recording is one of the conditions that are rated
    mid_anchor: bool = False  # MUSHRA's second anchor, at 7 kHz
    comments: bool = False  # whether every trial has a box for a comment
    between: tuple[Question, ...] = ()  # asked during the session, after every `between_every` trials
    between_every: int = 0  # trials; 0: never
    restart_on_switch: bool = False  # whether another sound begins at its start instead of going on in step
    lock_sliders: bool = False  # whether only the slider of the present sound moves (ITU-R BS.1534)
    recruiting: Recruiting | None = None  # where raters come from; None: from anywhere, without an id
    owner: str = ""  # who answers for the study, as raters read it
    contact: str = ""  # of the owner, for raters
    keep_days: int | None = (
        None  # from a rater's start until all that is stored of the rater is deleted; None: no limit
    )
    closes: str = ""  # date, or date and time, UTC, from which nobody new may start; "": when the owner closes it

    def __post_init__(self) -> None:
        self._check("mode", self.mode in TASKS, f"one of {', '.join(TASKS)}")
        free = [name for name, task in TASKS.items() if task.is_reference_free]
        self._check("reference", self.reference or self.task.is_reference_free, f"false for {', '.join(free)}")
        self._check("name", 0 < len(self.name.strip()) <= 120, "1 to 120 characters")
        self._check("items", 1 <= len(self.items) <= MAX_ITEMS, f"1 to {MAX_ITEMS} clips")
        self._check("systems", 1 <= len(self.systems) <= MAX_SYSTEMS, f"1 to {MAX_SYSTEMS} systems")
        for name in ("items", "systems"):
            values = getattr(self, name)
            self._check(name, len(set(values)) == len(values) and all(values), "different names")
        anchored = [name for name, task in TASKS.items() if task.extra_anchors]
        self._check("mid_anchor", not self.mid_anchor or self.task.extra_anchors, f"true for {', '.join(anchored)}")
        reserved = {REFERENCE, ANCHOR, DEGRADED, *BEEPS, *self.anchors} & set(self.systems)
        self._check("systems", not reserved, f"none called {', '.join(sorted(reserved))}")
        self._check("raters", 1 <= self.raters <= 10_000, "1 to 10000")
        for name in ("repeats", "golds", "traps"):
            self._check(name, 0 <= getattr(self, name) <= 10, "0 to 10")
        if self.trials is not None:
            self._check("trials", 1 <= self.trials <= self.units, f"1 to {self.units}, all there are")
        if self.planned > MAX_TRIALS:
            raise StudyError(f"trials: a session of {self.planned} is too long; set trials, at most {MAX_TRIALS}")
        for name in ("questions", "between"):
            ids = [question.id for question in getattr(self, name)]
            self._check(name, len(set(ids)) == len(ids) <= 20, "at most 20, each with an id of its own")
        most = MAX_TRIALS if self.between else 0
        self._check(
            "between_every", bool(self.between) <= self.between_every <= most, f"{min(most, 1)} to {most} trials"
        )
        self._check("systems", self.clip_units, f"at least {self.task.needs}")
        known = {*self.systems, *((REFERENCE,) if self.reference else ())}
        self._check("pairs", all(a != b and {a, b} <= known for a, b in self.pairs), "two different systems each")
        self._check(
            "keep_days", self.keep_days is None or 1 <= self.keep_days <= MAX_KEEP_DAYS, f"1 to {MAX_KEEP_DAYS}"
        )
        with _as_study_error("closes"):
            end_of(self.closes)
        for name in ("owner", "contact"):
            self._check(name, len(getattr(self, name)) <= 200, "at most 200 characters")
        if self.recruiting:
            with _as_study_error("recruiting"):
                self.recruiting.check_questions(self.questions)

    def _check(self, field: str, holds: object, allowed: str) -> None:
        if not holds:
            raise StudyError(f"{field}: {getattr(self, field)!r} is not possible; allowed: {allowed}")

    @property
    def task(self) -> Task:
        """The kind of test."""
        return task_of(self.mode)

    @property
    def conditions(self) -> tuple[str, ...]:
        """All conditions, attention checks aside."""
        return self.task.conditions(self._material)

    @property
    def clip_units(self) -> Sequence[tuple[str, ...]]:
        """The questions about one clip: the conditions that each plays."""
        return self.task.units(self._material)

    @property
    def anchors(self) -> Mapping[str, float]:
        """{condition: cut-off of the low-passed recording, Hz}."""
        return {**self.task.anchors, **(self.task.extra_anchors if self.mid_anchor else {})}

    @property
    def _material(self) -> Material:
        return Material(self.systems, self.pairs, self.reference, self.anchors)

    @property
    def units(self) -> int:
        """Number of different trials."""
        return len(self.items) * len(self.clip_units)

    @property
    def screening(self) -> tuple[Question, ...]:
        """The questions that quotas are about, which come before the trials."""
        quotas = self.recruiting.quotas.attributes if self.recruiting else ()
        return tuple(question for question in self.questions if question.id in quotas)

    @property
    def closing(self) -> tuple[Question, ...]:
        """The questions after the trials."""
        return tuple(question for question in self.questions if question not in self.screening)

    @property
    def check_item(self) -> str:
        """The clip that checks and training use."""
        return self.items[0]

    @property
    def planned(self) -> int:
        """Trials of one session without checks; the most, where answers decide when it ends."""
        return (self.trials or self.units) * self.task.rounds(len(self.items))

    @property
    def ends(self) -> float | None:
        """When nobody new may start any more, in seconds since 1970; None: no such time."""
        return end_of(self.closes)

    @property
    def length(self) -> int:
        """Trials of one session, checks included."""
        return self.planned + self.repeats + self.golds + self.traps

    def as_json(self) -> str:
        """All fields, by name: the text that `sha256` is of."""
        content = {name: value for name, value in asdict(self).items() if name not in LATER or value != LATER[name]}
        return json.dumps(content, ensure_ascii=False, sort_keys=True)

    def shareable(self) -> dict:
        """All fields but `recruiting`: its codes are worth money, and its ids are people's."""
        return {name: value for name, value in asdict(self).items() if name != "recruiting"}

    @property
    def sha256(self) -> str:
        """Hexadecimal: says whether two studies are the same."""
        return hashlib.sha256(self.as_json().encode()).hexdigest()


def session_minutes(mode: str, trials: int) -> int:
    """About how long a session takes, with two minutes to set up. trials: checks included."""
    return math.ceil(trials * task_of(mode).seconds_per_trial / 60 + 2)


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
        for name in ("questions", "between"):
            values[name] = tuple(
                Question(str(q["id"]), str(q["text"]), _texts(q.get("choices") or ())) for q in values.get(name, ())
            )
        values["pairs"] = tuple(_texts(pair) for pair in values.get("pairs", ()))
    except (TypeError, KeyError, AttributeError) as error:
        raise StudyError(
            f"items, systems, questions or pairs are not lists of what they should hold ({error})"
        ) from error
    if any(len(pair) != 2 for pair in values["pairs"]):
        raise StudyError("pairs: each is a list of two systems")
    for name in ("raters", "trials", "repeats", "golds", "traps", "seed", "keep_days", "between_every"):
        is_given = name in values and not (name in ("trials", "keep_days") and values[name] is None)
        if is_given and type(values[name]) is not int:
            raise StudyError(f"{name}: {values[name]!r} is not a whole number")
    for name in ("reference", "mid_anchor", "comments", "restart_on_switch", "lock_sliders"):
        if not isinstance(values.get(name, False), bool):
            raise StudyError(f"{name}: {values[name]!r} is neither true nor false")
    for name in ("name", "mode", "about", "owner", "contact", "closes"):
        values[name] = str(values.get(name, ""))
    if values.get("recruiting") is not None:
        with _as_study_error("recruiting"):
            values["recruiting"] = recruiting_from(values["recruiting"])
    return Study(**values)


@contextlib.contextmanager
def _as_study_error(field: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise StudyError(f"{field}: {error}") from error


def _texts(values: Any) -> tuple[str, ...]:
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
