"""A listener's session: the server decides each next step, and the page is told only as much as this step needs.

A page gets letters and URLs without meaning (`tokens.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from eval.listening.analysis.alarm import OF_ANSWERS
from eval.listening.analysis.votes import REFERENCE
from eval.listening.design import check_answer
from eval.listening.recruiting.platform import Platform
from eval.listening.session import headphones
from eval.listening.session.behaviour import read_behaviour, require_listening, required_seconds, response_flags
from eval.listening.session.errors import RequestError
from eval.listening.session.plain_values import plain_mapping, text
from eval.listening.session.reception import Reception, questionnaire
from eval.listening.session.tokens import Tokens
from eval.listening.session.trials.progress import following_number, next_number, note_early_end, questions_now
from eval.listening.session.trials.trial_step import seconds_of, slots_of, trial_step
from eval.listening.session.watch import Watch
from eval.listening.storage.admissions import ClosedError, NoPlaceError
from eval.listening.storage.database import StoreError
from eval.listening.storage.records import COMMENT, Rater, StoredStudy
from eval.listening.storage.store import Store
from eval.listening.study import session_minutes

_log = logging.getLogger(__name__)
SETUP_STEPS = ("volume", "headphones", "instructions")
MAX_TEXT_CHARS = 2000  # of a written answer, and of a comment


class Listening(Tokens):
    """The requests of the rating page. Each method returns the content of its response; most raise `RequestError`."""

    def __init__(self, store: Store, secret: str, durable: bool = True, watch: Watch | None = None) -> None:
        """secret: the key that signs tokens; durable: whether answers outlive the process; watch: of the checks."""
        super().__init__(store, secret)
        self.durable = durable
        self._reception = Reception(store)
        self._watch = watch or Watch(store)

    # ------------------------------------------------ steps

    def resume(self, public_id: str, token: str | None, address: Mapping[str, object] | None = None) -> dict:
        """The present step of the rater: the participant whom the address names, else the token's; else the welcome.

        address: the parameters of the address that the page was opened with.
        """
        stored = self._study(public_id)
        arrival = self._reception.arrival(stored, address or {})
        rater = self._reception.known(stored, arrival)
        if rater:
            return self._begun(stored, rater)
        if token and not arrival.visit and (rater := self._rater(token, stored)):
            return self._begun(stored, rater)
        return self._reception.refusal(stored, arrival) or self._welcome(stored, arrival.is_preview)

    def join(
        self,
        public_id: str,
        language: str,
        device: Mapping[str, object],
        address: Mapping[str, object] | None = None,
    ) -> dict:
        """A new rater's token and first step. language: of the page; device: facts about the browser, stored as they are; address: as of `resume`."""
        stored = self._study(public_id, fresh=True)
        arrival = self._reception.arrival(stored, address or {})
        rater = self._reception.known(stored, arrival)
        if rater is None:
            if refused := self._reception.refusal(stored, arrival, joins=True):
                return refused
            try:
                rater = self.store.add_rater(public_id, text(language)[:16], plain_mapping(device), arrival.visit)
            except NoPlaceError:
                return self._reception.end(stored, "quota_full", arrival.visit)
            except ClosedError:
                return self._reception.closed(stored, arrival)
        return self._begun(stored, rater)

    def next(self, token: str, done: str, data: Mapping[str, object]) -> dict:
        """Stores a step of `SETUP_STEPS` as done; returns the step after it. data: the step's outcome."""
        stored, rater = self._session(token)
        if done not in SETUP_STEPS:
            raise RequestError("invalid_answer", f"There is no step called {done!r:.40}.")
        if done == "headphones":
            outcome = headphones.outcome(self._seed(rater.id), data)
            self.store.add_event(rater, done, outcome)
            if not outcome["passed"] and stored.study.recruiting and stored.study.recruiting.headphones:
                self._watch.look(stored, done)
        else:
            self.store.add_event(rater, done, plain_mapping(data))
        return self._step(stored, rater)

    def answer(self, token: str, nonce: str, answer: object, reported: Mapping[str, object]) -> dict:
        """reported: heard, plays, switches and dwell_ms as the page counted them."""
        stored, rater = self._session(token)
        found = self.store.shown(nonce)
        if found is None or found[0] != rater.id:
            raise RequestError("stale", "This is not the trial you have in front of you.")
        shown = found[1]
        try:
            check_answer(stored.study, shown.trial, answer)
        except ValueError as error:
            raise RequestError("invalid_answer", str(error)) from error
        seconds = seconds_of(stored, shown)
        behaviour = read_behaviour(reported, len(slots_of(stored, shown)), seconds)
        require_listening(behaviour, self._needed(seconds))
        flags = response_flags(stored, rater, shown, answer, behaviour)
        if stored.study.comments and (comment := text(reported.get("comment") or "").strip()[:MAX_TEXT_CHARS]):
            self.store.add_event(rater, f"{COMMENT}{shown.number}", {"text": comment})
        following = following_number(stored, rater, shown.number)
        self.store.add_response(rater, shown, {"answer": answer, **behaviour.as_row()}, flags, following)
        for rule in {flag.rule for flag in flags} & OF_ANSWERS.keys():
            self._watch.look(stored, rule)
        step = self._step(stored, rater)
        if step["step"] != "trial":
            self._watch.look_at_votes(stored)
        return step

    def questionnaire(self, token: str, answers: Mapping[str, object]) -> dict:
        """Stores the answers to the questions of this step, each cut to 2000 characters. answers: {id of a question: text}."""
        stored, rater = self._session(token)
        if self._reception.asks(stored, rater):
            self._reception.screen(stored, rater, answers)
        else:
            kinds, answered = self.store.done(rater)
            number = self._next_number(stored, rater, answered)
            kind, questions = questions_now(stored, rater, kinds, answered, number)
            known = {question.id: text(answers.get(question.id, ""))[:MAX_TEXT_CHARS] for question in questions}
            if known:
                self.store.add_event(rater, kind, known)
        return self._step(stored, rater)

    def delete_rater(self, token: str) -> dict:
        """Deletes everything that is stored about the rater."""
        _, rater = self._session(token)
        self.store.delete_rater(rater)
        return {"step": "forgotten"}

    def own_data(self, token: str) -> dict:
        """Everything that is stored about the rater, for the rater."""
        stored, rater = self._session(token)
        return {"name": stored.study.name, **self.store.own_data(rater)}

    def privacy(self, public_id: str) -> dict:
        """What a listener may know about the data of a study before anything is stored."""
        return self._reception.privacy(self._study(public_id))

    def delete_expired(self) -> None:
        """Deletes the raters whose time is over; tried again at the next call where the database is away."""
        try:
            self.store.delete_expired()
        except StoreError as error:
            _log.warning("raters whose time is over could not be deleted: %s", error)

    def platform_of(self, public_id: str) -> Platform | None:
        """Where the listeners of a study come from; None for one that is not known, or not now."""
        try:
            terms = self._study(public_id).study.recruiting
        except (RequestError, StoreError):
            return None
        return terms.site if terms else None

    def _welcome(self, stored: StoredStudy, is_preview: bool = False) -> dict:
        """is_preview: of a platform, where nobody can begin. Errors: `StoreError` when the store cannot write, so that no session begins whose answers would be lost."""
        self.store.check()
        study = stored.study
        minutes = session_minutes(study.mode, study.length)
        about = {"name": study.name, "mode": study.mode, "about": study.about}
        about |= {"owner": study.owner, "contact": study.contact}
        return {
            "step": "welcome",
            "study": {**about, "trials": study.length, "minutes": minutes},
            "durable": self.durable,
            "preview": is_preview,
        }

    def _begun(self, stored: StoredStudy, rater: Rater) -> dict:
        """A session that goes on in the language in which it began, whichever the browser asks for: its scale stays the same."""
        return {"token": self._token(rater), "language": rater.language, **self._step(stored, rater)}

    def _step(self, stored: StoredStudy, rater: Rater) -> dict:
        """The first step that is not stored as done, so that a session resumes after a reload, in another tab, or after a
        restart of the server."""
        kinds, answered = self.store.done(rater)
        if step := self._reception.step(stored, rater, kinds):
            return step
        setup = next((kind for kind in SETUP_STEPS if kind not in kinds), None)
        if setup == "volume":
            rate = stored.stimulus(stored.study.check_item, REFERENCE).sample_rate
            return {"step": "volume", "url": self._url("volume", rater.id), "sample_rate": rate}
        if setup == "headphones":
            rounds = [
                [self._url("tone", rater.id, number, slot) for slot in range(3)] for number in range(headphones.ROUNDS)
            ]
            return {"step": "headphones", "rounds": rounds}
        if not rater.is_admitted:
            rater = self._reception.admit(stored, rater)
            if not rater.is_admitted:
                return self._step(stored, rater)
        if setup == "instructions":
            restarts = {"restart_on_switch": True} if stored.study.restart_on_switch else {}
            return {"step": "instructions", "mode": stored.study.mode, "attention": stored.study.traps > 0, **restarts}
        number = self._next_number(stored, rater, answered)
        if number is None:
            note_early_end(self.store, rater, kinds, answered)
        if asked := questions_now(stored, rater, kinds, answered, number)[1]:
            return questionnaire(asked) | ({"between": True} if number is not None else {})
        if number is not None:
            return self._trial(stored, rater, number, answered)
        return self._reception.done(stored, rater, kinds)

    def _next_number(self, stored: StoredStudy, rater: Rater, answered: int) -> int | None:
        return next_number(self.store, stored, rater, answered)

    def _trial(self, stored: StoredStudy, rater: Rater, number: int, answered: int) -> dict:
        shown = self.store.show(rater, number)
        return trial_step(stored, rater, shown, answered, self._needed(seconds_of(stored, shown)), self._url)

    def _needed(self, seconds: float) -> float:
        """Seconds of every sound of that length that are heard before an answer is taken."""
        return required_seconds(seconds)

    def _session(self, token: str) -> tuple[StoredStudy, Rater]:
        """Errors: `RequestError`."""
        rater = self._rater(token)
        if rater is None:
            raise RequestError("bad_token", "This session is not known here.")
        stored = self._study(rater.public_id)
        self._reception.keep_place(stored, rater)
        return stored, rater
