"""The way into a session and out of it: who may begin, the questions that quotas are about, and the end pages with their way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.listening.recruiting.platform import Outcome, Visit
from eval.listening.recruiting.terms import hashed_id
from eval.listening.session.errors import RequestError
from eval.listening.session.plain_values import text
from eval.listening.storage.records import COMPLETED, SCREENING, TURNED_AWAY, Rater, StoredStudy
from eval.listening.storage.store import Store
from eval.listening.study import Question

MAX_PARAMETERS, MAX_PARAMETER_CHARS = 30, 500  # of an address, of which a platform names a few


@dataclass(frozen=True)
class Arrival:
    """visit: None without an id; is_preview: somebody who only looks, as some platforms let their participants."""

    visit: Visit | None
    is_preview: bool = False


class Reception:
    """Everything about a session that only studies with recruiting have; for others its steps are none."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def arrival(self, stored: StoredStudy, address: Mapping[str, object]) -> Arrival:
        """Errors: `RequestError` for an id that cannot be one."""
        if (terms := stored.study.recruiting) is None:
            return Arrival(None)
        given = {
            str(name): value[: MAX_PARAMETER_CHARS + 1]
            for name, value in list(address.items())[:MAX_PARAMETERS]
            if isinstance(value, str)
        }
        if terms.site.is_preview(given):
            return Arrival(None, True)
        try:
            return Arrival(terms.site.visit(terms, given))
        except ValueError as error:
            raise RequestError("bad_participant", str(error)) from error

    def known(self, stored: StoredStudy, arrival: Arrival) -> Rater | None:
        """The session that the arriving participant has; the ids of this visit are kept for the way back."""
        visit = arrival.visit
        rater = self._store.rater_of(stored, visit) if visit else None
        if rater and visit and self._store.visit_of(rater) != visit:
            self._store.keep_visit(rater, visit)
        if rater:
            self.keep_place(stored, rater)
        return rater

    def refusal(self, stored: StoredStudy, arrival: Arrival, joins: bool = False) -> dict | None:
        """The page for one who cannot begin; None for one who can. Nothing is stored.

        Errors: `RequestError` for one who comes without an id, and for one who joins what is closed or only shown.
        """
        terms, visit = stored.study.recruiting, arrival.visit
        if stored.closed:
            return self.closed(stored, arrival, joins)
        if terms is None:
            return None
        if arrival.is_preview:
            if joins:
                raise RequestError("no_participant", "This is a preview; accept the task first.")
            return None
        if visit is None and terms.knows_participants:
            raise RequestError("no_participant", f"The address lacks the id of {terms.site.title}.")
        excluded = terms.exclude
        if visit and (
            hashed_id(visit.participant) in excluded.participants
            or (excluded.studies and self._store.took_part(excluded.studies, visit))
        ):
            return self.end(stored, "screened_out", visit)
        return None if self._store.has_room(stored) else self.end(stored, "quota_full", visit)

    def closed(self, stored: StoredStudy, arrival: Arrival, joins: bool = True) -> dict:
        """The page of a study that accepts nobody. Errors: `RequestError` for one who joins it, where no way leads back."""
        if joins and stored.study.recruiting is None:
            raise RequestError("closed", "This study accepts no more answers.")
        return self.end(stored, "quota_full", arrival.visit) | {"step": "closed"}

    @staticmethod
    def privacy(stored: StoredStudy) -> dict:
        """Who answers for the study, how long it keeps a listener's data, and whether it knows an id of the listener."""
        study, terms = stored.study, stored.study.recruiting
        about = {"name": study.name, "owner": study.owner, "contact": study.contact, "keep_days": study.keep_days}
        return {
            "step": "privacy",
            **about,
            "platform": terms.site.title if terms and terms.knows_participants else None,
        }

    # ------------------------------------------------ before the trials

    def step(self, stored: StoredStudy, rater: Rater, kinds: set[str]) -> dict | None:
        """The page of one who was turned away, or the questions that quotas are about. kinds: of events so far."""
        if TURNED_AWAY in kinds:
            event = self._store.event(rater, TURNED_AWAY) or {}
            outcome = event.get("outcome", "quota_full")
            return self.end(stored, outcome, self._store.visit_of(rater), rater.code) | {"stored": True}
        if stored.study.screening and SCREENING not in kinds:
            return questionnaire(stored.study.screening, required=True)
        return None

    def asks(self, stored: StoredStudy, rater: Rater) -> bool:
        """Whether the questions that quotas are about are still to be answered."""
        return bool(stored.study.screening) and self._store.event(rater, SCREENING) is None

    def screen(self, stored: StoredStudy, rater: Rater, answers: Mapping[str, object]) -> None:
        """Stores the answers, with the place or the reason why there is none. Errors: `RequestError` for one that is no choice."""
        terms = stored.study.recruiting
        assert terms is not None
        known = {question.id: text(answers.get(question.id, "")) for question in stored.study.screening}
        for question in stored.study.screening:
            if known[question.id] not in question.choices:
                raise RequestError("invalid_answer", f"{question.id}: one of {', '.join(question.choices)}")
        self._store.take_place(rater, terms, known)

    def admit(self, stored: StoredStudy, rater: Rater) -> Rater:
        """The rater with a row of the design; without one, where the headphone check has to be passed, works, and is not."""
        terms = stored.study.recruiting
        checked = self._store.event(rater, "headphones") or {}
        is_required = bool(terms and terms.headphones) and "headphones" not in stored.suspended
        if is_required and not checked.get("passed"):
            self._store.turn_away(rater, "screened_out")
            return rater
        return self._store.admit(stored, rater)

    def keep_place(self, stored: StoredStudy, rater: Rater) -> None:
        """One who comes back after the place was given up takes another, or is turned away."""
        terms = stored.study.recruiting
        if terms is None or not terms.quotas.is_limited or self._store.holds_place(rater, terms):
            return
        if TURNED_AWAY not in self._store.done(rater)[0]:
            self._store.take_place(rater, terms)

    # ------------------------------------------------ ends

    def done(self, stored: StoredStudy, rater: Rater, kinds: set[str]) -> dict:
        """The last page: everything is stored, and the way back is open."""
        if stored.study.recruiting is None:
            return {"step": "done", "code": rater.code}
        if COMPLETED not in kinds:
            self._store.add_event(rater, COMPLETED, {})
        return self.end(stored, "completed", self._store.visit_of(rater), rater.code) | {"step": "done"}

    @staticmethod
    def end(stored: StoredStudy, outcome: Outcome, visit: Visit | None, code: str = "") -> dict:
        """A page with the way back to the platform. code: the session's."""
        terms = stored.study.recruiting
        back = terms.way_back(outcome, visit, code).as_step() if terms else {}
        return {"step": outcome, **back}


def questionnaire(questions: Sequence[Question], required: bool = False) -> dict:
    """The step that asks them. required: each one has to be answered."""
    asked = [
        {"id": q.id, "text": q.text, "kind": "choice" if q.choices else "text", "choices": list(q.choices)}
        for q in questions
    ]
    return {"step": "questionnaire", "questions": asked, "required": required}
