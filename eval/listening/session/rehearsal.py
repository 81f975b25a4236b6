"""A study's session for its owner to walk through: as listeners have it, or through every trial there is, and nothing is stored.

A rehearsal lives for a few hours beside the database (`common.kept`). It takes no row of the design, no place, and no answer: its store
has no database. All that is kept of it is what decides the next step; the rest follows from the study and from what is signed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from common.kept import Kept
from eval.listening.analysis.screening import Flag
from eval.listening.design import plan_session
from eval.listening.recruiting.platform import OUTCOMES, Outcome, Visit
from eval.listening.recruiting.quotas import has_place
from eval.listening.recruiting.terms import Recruiting
from eval.listening.session.reception import Arrival, Reception
from eval.listening.session.service import Listening
from eval.listening.session.watch import Watch
from eval.listening.storage.database import StoreError
from eval.listening.storage.records import SCREENING, TURNED_AWAY, Rater, ShownTrial, StoredStudy
from eval.listening.storage.store import Store
from eval.listening.study import Study
from eval.listening.trial import Trial

CODE = "PREVIEW"
ENDS = ("done", *OUTCOMES)  # steps after which nothing comes
ID_BYTES = 8  # of a rehearsal: a nonce names it and the trial, and must not be longer than a listener's request allows


class UnstoredSessions(Store):
    """The part of a store that a session uses; studies and sounds are those of the store behind it. `Rehearsal` says which trials
    there are, and whether anybody is turned away.

    Kept of each: {study: public id, language: of the page, admitted: whether its trials are drawn, events: {kind: data}, answers: {number of a trial:
    answer}}; answers decide where a sequential test ends.
    """

    def __init__(
        self, behind: Store, kept: Kept, secret: str, plan: Callable[[Study], Sequence[Trial]], turns_away: bool
    ) -> None:
        """secret: signs the nonces of trials."""
        self._behind, self._kept, self._plan, self._turns_away = behind, kept, plan, turns_away
        self._nonces = URLSafeSerializer(secret, salt="rehearsed trial")

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
        admitted = not (self._turns_away and terms and terms.screens)
        rater_id = secrets.token_hex(ID_BYTES)
        kept = {"study": stored.public_id, "language": language, "admitted": admitted, "events": {}, "answers": {}}
        self._kept.put(rater_id, kept)
        return self._rater(stored, rater_id, kept)

    def admit(self, stored: StoredStudy, rater: Rater) -> Rater:
        """The rater with its trials."""
        return self._rater(stored, rater.id, self._change(rater, lambda kept: kept.update(admitted=True)))

    def rater(self, rater_id: str) -> Rater | None:
        """None for one that is over."""
        if (kept := self._kept.get(rater_id)) is None:
            return None
        try:
            return self._rater(self.study(kept["study"]), rater_id, kept)
        except KeyError:  # the study was deleted meanwhile
            return None

    def done(self, rater: Rater) -> tuple[set[str], int]:
        """Kinds of events so far, and how many trials are answered."""
        kept = self._found(rater)
        return set(kept["events"]), len(kept["answers"])

    def given(self, rater: Rater) -> dict[int, Any]:
        """{number of a trial: answer}."""
        return {int(number): answer for number, answer in self._found(rater)["answers"].items()}

    def event(self, rater: Rater, kind: str) -> dict | None:
        """What was said with it."""
        return self._found(rater)["events"].get(kind)

    def add_event(self, rater: Rater, kind: str, data: Mapping[str, object]) -> None:
        """The first of each kind."""
        self._change(rater, lambda kept: kept["events"].setdefault(kind, dict(data)))

    def show(self, rater: Rater, number: int) -> ShownTrial:
        """The same nonce however often it is shown."""
        nonce = self._nonces.dumps([rater.id, number])
        return ShownTrial(number, str(nonce), rater.plan[number], 0.0)

    def shown(self, nonce: str) -> tuple[str, ShownTrial, str] | None:
        """None for a nonce that was never given out."""
        try:
            rater_id, number = self._nonces.loads(nonce)
        except (BadSignature, ValueError, TypeError):
            return None
        rater = self.rater(rater_id)
        return (rater_id, self.show(rater, number), rater.public_id) if rater and number < len(rater.plan) else None

    def add_response(
        self,
        rater: Rater,
        shown: ShownTrial,
        response: Mapping[str, object],
        flags: Sequence[Flag] = (),
        following: int | None = None,
    ) -> bool:
        """Keeps the first answer to a trial until the rehearsal is over, and nothing else of it."""
        number, is_new = str(shown.number), str(shown.number) not in self._found(rater)["answers"]
        self._change(rater, lambda kept: kept["answers"].setdefault(number, response["answer"]))
        return is_new

    def delete_rater(self, rater: Rater) -> None:
        """Ends the rehearsal."""
        self._kept.remove(rater.id)

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
        if self._turns_away and not has_place(terms.quotas, (), answers or {}):
            self.turn_away(rater, "quota_full")

    def turn_away(self, rater: Rater, outcome: Outcome) -> None:
        """As a participant is."""
        self.add_event(rater, TURNED_AWAY, {"outcome": outcome})

    def _rater(self, stored: StoredStudy, rater_id: str, kept: Mapping[str, Any]) -> Rater:
        row, plan = (0, tuple(self._plan(stored.study))) if kept["admitted"] else (-1, ())
        return Rater(rater_id, stored.number, stored.public_id, row, plan, CODE, kept["language"])

    def _found(self, rater: Rater) -> dict:
        return self._known(self._kept.get(rater.id))

    def _change(self, rater: Rater, change: Callable[[dict], object]) -> dict:
        return self._known(self._kept.change(rater.id, change))

    @staticmethod
    def _known(kept: dict | None) -> dict:
        if kept is None:
            raise StoreError("the preview is over; it lives for a few hours")
        return kept


class _OpenDoor(Reception):
    """Lets everybody in; the page names the way back without opening it."""

    def arrival(self, stored: StoredStudy, address: Mapping[str, object]) -> Arrival:
        return Arrival(None)

    def refusal(self, stored: StoredStudy, arrival: Arrival, joins: bool = False) -> dict | None:
        return None


class Rehearsal(Listening):
    """The sessions of owners, as a listener has them; their tokens and the addresses of their sounds begin with the prefix."""

    prefix = "preview."
    turns_away = True

    def __init__(self, store: Store, secret: str, kept: Kept) -> None:
        """secret: of the listeners' tokens, of which none is valid here. kept: where all processes find what is kept."""
        secret = f"{secret} {self.prefix}"
        sessions = UnstoredSessions(store, kept, secret, self.plan, self.turns_away)
        super().__init__(sessions, secret, watch=Watch(sessions, run=lambda work: None))
        self._reception = _OpenDoor(sessions)

    @staticmethod
    def plan(study: Study) -> Sequence[Trial]:
        """Trials of the session: those of the first row of the design."""
        return plan_session(study, 0)

    def resume(self, public_id: str, token: str | None, address: Mapping[str, object] | None = None) -> dict:
        """As of `Listening`; what came to its end begins again."""
        step = super().resume(public_id, token, address)
        return self._welcome(self._study(public_id)) if step["step"] in ENDS else step

    def audio(self, token: str) -> bytes:
        """As of `Listening`."""
        return super().audio(token.removeprefix(self.prefix))

    def _url(self, kind: str, owner: str, *place: int) -> str:
        folder, _, signed = super()._url(kind, owner, *place).rpartition("/")
        return f"{folder}/{self.prefix}{signed}"

    def _token(self, rater: Rater) -> str:
        return self.prefix + super()._token(rater)

    def _rater(self, token: str, stored: StoredStudy | None = None) -> Rater | None:
        return super()._rater(token.removeprefix(self.prefix), stored)
