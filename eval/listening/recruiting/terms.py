"""The terms of recruiting, a part of a study: the platform and its codes, who is left out, how many of whom, and the pay."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from eval.listening.recruiting.addresses import check_id
from eval.listening.recruiting.platform import OUTCOMES, Outcome, Platform, Visit, WayBack
from eval.listening.recruiting.registry import platform_of

MAX_EXCLUDED = 10_000  # participants named in one study
MAX_PLACES = 10_000
MIN_FREE_MINUTES, MAX_FREE_MINUTES = 10, 7 * 24 * 60
_FORBID = {"extra": "forbid"}
_HASHED = re.compile(r"sha256:[0-9a-f]{64}")


class _Asked(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def choices(self) -> Sequence[str]: ...


def hashed_id(participant: str) -> str:
    """The form in which a study names a participant: descriptions of studies are passed on, and hold no raw ids."""
    return f"sha256:{hashlib.sha256(participant.encode()).hexdigest()}"


@dataclass(frozen=True)
class Exclude:
    """participants: ids, kept as `hashed_id`; studies: public ids of studies whose participants are not asked again."""

    __pydantic_config__: ClassVar = _FORBID
    participants: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.participants) > MAX_EXCLUDED:
            raise ValueError(f"exclude: at most {MAX_EXCLUDED} participants")
        for given in (*self.participants, *self.studies):
            check_id("exclude", given)
        ids = [given if _HASHED.fullmatch(given) else hashed_id(given) for given in self.participants]
        object.__setattr__(self, "participants", tuple(ids))


@dataclass(frozen=True)
class Quotas:
    """Numbers of participants. total: of all, None: any number; attributes: {id of a question: {choice: places}}, a choice that is
    not named has no bound of its own."""

    __pydantic_config__: ClassVar = _FORBID
    total: int | None = None
    attributes: Mapping[str, Mapping[str, int]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        places = [count for choices in self.attributes.values() for count in choices.values()]
        if self.total is not None and not 1 <= self.total <= MAX_PLACES:
            raise ValueError(f"quotas: {self.total} places in all; allowed: 1 to {MAX_PLACES}")
        if not all(0 <= count <= MAX_PLACES for count in places):
            raise ValueError(f"quotas: allowed: 0 to {MAX_PLACES} places for a choice")

    @property
    def is_limited(self) -> bool:
        """Whether places can run out."""
        return self.total is not None or bool(self.attributes)


@dataclass(frozen=True)
class Pay:
    """Of one completed session. currency: three letters of ISO 4217."""

    __pydantic_config__: ClassVar = _FORBID
    amount: float
    currency: str

    def __post_init__(self) -> None:
        if not 0 <= self.amount <= 10_000:
            raise ValueError(f"pay: {self.amount} is not possible; allowed: 0 to 10000 for a session")
        if not re.fullmatch("[A-Z]{3}", self.currency):
            raise ValueError(f"pay: {self.currency!r} is no currency; allowed: three capital letters, such as GBP")


@dataclass(frozen=True)
class Recruiting:
    """completed, screened_out, quota_full: of the platform, a code or an address, "" for none. Errors: ValueError."""

    __pydantic_config__: ClassVar = _FORBID
    platform: str
    completed: str = ""
    screened_out: str = ""
    quota_full: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict, hash=False)  # of the address, where it is not fixed
    exclude: Exclude = Exclude()
    quotas: Quotas = Quotas()
    pay: Pay | None = None
    headphones: bool = False  # whether the headphone check has to be passed
    free_after_minutes: int = 60  # without an answer, after which an unfinished session gives its place to another

    def __post_init__(self) -> None:
        platform_of(self.platform).check(self)
        if self.parameters and self.platform != "plain":
            raise ValueError(f"parameters: those of {self.site.title} are fixed; leave them out")
        if not MIN_FREE_MINUTES <= self.free_after_minutes <= MAX_FREE_MINUTES:
            raise ValueError(f"free_after_minutes: allowed: {MIN_FREE_MINUTES} to {MAX_FREE_MINUTES}")
        if (self.exclude.participants or self.exclude.studies) and not self.knows_participants:
            raise ValueError("exclude: parameters has to name the participant's, or nobody can be told from another")

    def check_questions(self, questions: Sequence[_Asked]) -> None:
        """Errors: ValueError for a quota on a question or choice that the study does not have."""
        choices = {question.id: question.choices for question in questions}
        for question, places in self.quotas.attributes.items():
            if not choices.get(question):
                raise ValueError(f"quotas: {question!r} is no question with choices")
            if unknown := set(places) - set(choices[question]):
                raise ValueError(f"quotas: {sorted(unknown)[0]!r} is no choice of {question!r}")

    @property
    def site(self) -> Platform:
        """The platform."""
        return platform_of(self.platform)

    @property
    def knows_participants(self) -> bool:
        """Whether addresses bring an id that tells one participant from another."""
        return "participant" in self.site.parameters(self)

    @property
    def screens(self) -> bool:
        """Whether anything is asked of a participant before the design row is drawn."""
        return self.headphones or bool(self.quotas.attributes)

    def way_back(self, outcome: Outcome, visit: Visit | None, code: str = "") -> WayBack:
        """To the platform. code: the session's, which proves that it was completed and is given for no other outcome."""
        return self.site.way_back(self, outcome, visit, code if outcome == "completed" else "")

    def hosts(self) -> dict[str, str]:
        """{outcome: host that a participant is sent to}, for the owner to see; outcomes without one are left out."""
        ways = {outcome: self.way_back(outcome, Visit("id", session="id"), "code").as_step() for outcome in OUTCOMES}
        return {outcome: way["host"] for outcome, way in ways.items() if way["host"]}


def recruiting_from(content: object) -> Recruiting:
    """Of a study's file, or as a study stores it. Errors: ValueError naming the field."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Recruiting).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        text = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"{place}: {text}" if place else text) from error
