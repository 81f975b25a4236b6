"""A study's session for its owner to walk through: as listeners have it, and nothing is stored.

A rehearsal lives in the memory of one process for a few hours. It takes no row of the design, no place, and no answer: its store has
no database.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cachetools import TTLCache

from eval.listening.analysis.screening import Flag
from eval.listening.design import plan_session
from eval.listening.recruiting.platform import Outcome, Visit
from eval.listening.recruiting.quotas import has_place
from eval.listening.recruiting.terms import Recruiting
from eval.listening.session.reception import Arrival, Reception
from eval.listening.session.service import Listening
from eval.listening.session.watch import Watch
from eval.listening.storage.records import SCREENING, TURNED_AWAY, Rater, ShownTrial, StoredStudy
from eval.listening.storage.store import Store

PREFIX = "preview."  # of the tokens of rehearsals
MAX_REHEARSALS, MAX_AGE_SECONDS = 200, 4 * 3600.0


@dataclass
class _Session:
    rater: Rater
    events: dict[str, dict] = field(default_factory=dict)
    shown: dict[int, ShownTrial] = field(default_factory=dict)
    answers: dict[int, Any] = field(
        default_factory=dict
    )  # by the number of the trial; they decide where a sequential test ends


class MemoryStore(Store):
    """The part of a store that a session uses; studies and sounds are those of the store behind it."""

    def __init__(self, behind: Store) -> None:
        self._behind, self._mutex = behind, threading.RLock()
        self._sessions: TTLCache[str, _Session] = TTLCache(MAX_REHEARSALS, MAX_AGE_SECONDS)

    def _read(self) -> Any:
        raise AssertionError("a rehearsal has no database")

    _write = _read

    def check(self) -> None:
        """Nothing is going to be stored."""

    def study(self, public_id: str) -> StoredStudy:
        """Open, also when it is closed to listeners. Errors: KeyError."""
        return replace(self._behind.study(public_id), closed=False)

    def wav(self, sha256: str) -> bytes:
        """Errors: KeyError."""
        return self._behind.wav(sha256)

    def start(self, stored: StoredStudy, language: str, device: Mapping[str, object], visit: Visit | None) -> Rater:
        """A rater with the first row of the design, which stays free for others."""
        terms = stored.study.recruiting
        later = bool(terms and terms.screens)
        row, plan = (-1, ()) if later else (0, plan_session(stored.study, 0))
        rater = Rater(secrets.token_hex(12), stored.number, stored.public_id, row, plan, "PREVIEW", language)
        with self._mutex:
            self._sessions[rater.id] = _Session(rater)
        return rater

    def admit(self, stored: StoredStudy, rater: Rater) -> Rater:
        """The rater with its trials."""
        with self._mutex:
            session = self._sessions[rater.id]
            session.rater = replace(rater, row=0, plan=plan_session(stored.study, 0))
            return session.rater

    def rater(self, rater_id: str) -> Rater | None:
        """None for one that is over."""
        with self._mutex:
            session = self._sessions.get(rater_id)
            return session.rater if session else None

    def done(self, rater: Rater) -> tuple[set[str], int]:
        """Kinds of events so far, and how many trials are answered."""
        with self._mutex:
            session = self._sessions[rater.id]
            return set(session.events), len(session.answers)

    def given(self, rater: Rater) -> dict[int, Any]:
        """{number of a trial: answer}."""
        with self._mutex:
            return dict(self._sessions[rater.id].answers)

    def event(self, rater: Rater, kind: str) -> dict | None:
        """What was said with it."""
        with self._mutex:
            return self._sessions[rater.id].events.get(kind)

    def add_event(self, rater: Rater, kind: str, data: Mapping[str, object]) -> None:
        """The first of each kind."""
        with self._mutex:
            self._sessions[rater.id].events.setdefault(kind, dict(data))

    def show(self, rater: Rater, number: int) -> ShownTrial:
        """The same nonce however often it is shown."""
        with self._mutex:
            new = ShownTrial(number, secrets.token_hex(12), rater.plan[number], 0.0)
            return self._sessions[rater.id].shown.setdefault(number, new)

    def shown(self, nonce: str) -> tuple[str, ShownTrial] | None:
        """None for a nonce that was never given out."""
        with self._mutex:
            found = ((key, trial) for key, session in self._sessions.items() for trial in session.shown.values())
            return next(((key, trial) for key, trial in found if trial.nonce == nonce), None)

    def add_response(
        self, rater: Rater, shown: ShownTrial, response: Mapping[str, object], flags: Sequence[Flag] = ()
    ) -> bool:
        """Keeps the first answer to a trial until the rehearsal is over, and nothing else of it."""
        with self._mutex:
            answers = self._sessions[rater.id].answers
            is_new = shown.number not in answers
            answers.setdefault(shown.number, response["answer"])
            return is_new

    def delete_rater(self, rater: Rater) -> None:
        """Ends the rehearsal."""
        with self._mutex:
            self._sessions.pop(rater.id, None)

    def own_data(self, rater: Rater) -> dict:
        """There is nothing."""
        return {"study": rater.public_id, "answers": []}

    def visit_of(self, rater: Rater) -> Visit | None:
        """A participant whom no platform knows."""
        return Visit("preview", "preview", "preview")

    def holds_place(self, rater: Rater, terms: Recruiting) -> bool:
        """A place beside those of the quotas."""
        return True

    def take_place(self, rater: Rater, terms: Recruiting, answers: Mapping[str, str] | None = None) -> None:
        """As if nobody else were there."""
        self.add_event(rater, SCREENING, answers or {})
        if not has_place(terms.quotas, (), answers or {}):
            self.turn_away(rater, "quota_full")

    def turn_away(self, rater: Rater, outcome: Outcome) -> None:
        """As a participant is."""
        self.add_event(rater, TURNED_AWAY, {"outcome": outcome})


class _OpenDoor(Reception):
    """Lets everybody in; the page names the way back without opening it."""

    def arrival(self, stored: StoredStudy, address: Mapping[str, object]) -> Arrival:
        return Arrival(None)

    def refusal(self, stored: StoredStudy, arrival: Arrival, joins: bool = False) -> dict | None:
        return None


class Rehearsal(Listening):
    """The sessions of owners; their tokens and the addresses of their sounds begin with PREFIX."""

    def __init__(self, store: Store, secret: str) -> None:
        """secret: of the listeners' tokens, of which none is valid here."""
        memory = MemoryStore(store)
        super().__init__(memory, f"{secret} {PREFIX}", watch=Watch(memory, run=lambda work: None))
        self._reception = _OpenDoor(memory)

    def audio(self, token: str) -> bytes:
        """As of `Listening`."""
        return super().audio(token.removeprefix(PREFIX))

    def _url(self, kind: str, owner: str, *place: int) -> str:
        folder, _, signed = super()._url(kind, owner, *place).rpartition("/")
        return f"{folder}/{PREFIX}{signed}"

    def _token(self, rater: Rater) -> str:
        return PREFIX + super()._token(rater)

    def _rater(self, token: str, stored: StoredStudy | None = None) -> Rater | None:
        return super()._rater(token.removeprefix(PREFIX), stored)
