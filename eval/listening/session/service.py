"""A listener's session: the server decides each next step, and the page is told only as much as this step needs.

A page gets letters and URLs without meaning. The URL of a stimulus is a signed (trial, slot), new for every trial, so that
neither the URL nor anything sent with it tells which system made the sound, or that two slots play the same one.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from itsdangerous import BadSignature, URLSafeSerializer

from eval.listening.analysis.votes import LETTERS, REFERENCE
from eval.listening.design import check_answer
from eval.listening.session import headphones
from eval.listening.session.behaviour import read_behaviour, require_listening, required_seconds, response_flags
from eval.listening.session.cache import StoreCache
from eval.listening.session.disguise import Disguise
from eval.listening.session.errors import RequestError
from eval.listening.session.plain_values import plain_mapping, text
from eval.listening.storage.records import Rater, ShownTrial, StoredStudy
from eval.listening.storage.store import Store
from eval.listening.study import session_minutes

SETUP_STEPS = ("volume", "headphones", "instructions")


class Listening:
    """The requests of the rating page. Each method returns the content of its response; most raise `RequestError`."""

    def __init__(self, store: Store, secret: str, durable: bool = True) -> None:
        """secret: the key that signs tokens; durable: whether answers outlive the process."""
        self.store, self.durable = store, durable
        self.secret = secret
        self._cache = StoreCache(store)
        self._disguise = Disguise(secret)
        self._raters = URLSafeSerializer(secret, salt="rater")
        self._audio = URLSafeSerializer(secret, salt="audio")

    # ------------------------------------------------ steps

    def resume(self, public_id: str, token: str | None) -> dict:
        """The present step of the token's rater; without a known rater the welcome."""
        stored = self._study(public_id)
        rater = self._rater(token, stored) if token else None
        if rater is None:
            return {"step": "closed"} if stored.closed else self._welcome(stored)
        return self._step(stored, rater)

    def join(self, public_id: str, language: str, device: Mapping[str, object]) -> dict:
        """A new rater's token and first step. device: facts about the browser, stored as they are."""
        stored = self._study(public_id, fresh=True)
        if stored.closed:
            raise RequestError("closed", "This study accepts no more answers.")
        rater = self.store.add_rater(public_id, text(language)[:16], plain_mapping(device))
        return {"token": self._raters.dumps([public_id, rater.id]), **self._step(stored, rater)}

    def next(self, token: str, done: str, data: Mapping[str, object]) -> dict:
        """Stores a step of `SETUP_STEPS` as done; returns the step after it. data: the step's outcome."""
        stored, rater = self._session(token)
        if done not in SETUP_STEPS:
            raise RequestError("invalid_answer", f"There is no step called {done!r:.40}.")
        if done == "headphones":
            given = data.get("answers")
            answers = [int(answer) for answer in given if isinstance(answer, int)] if isinstance(given, list) else []
            right = headphones.right_answers(self._seed(rater), answers)
            passed = right >= headphones.MIN_RIGHT_ANSWERS
            self.store.add_event(rater, done, {"right": right, "skipped": bool(data.get("skipped")), "passed": passed})
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
        seconds = self._seconds(stored, shown)
        behaviour = read_behaviour(reported, len(self._slots(stored, shown)), seconds)
        require_listening(behaviour, seconds)
        flags = response_flags(stored, rater, shown, answer, behaviour)
        self.store.add_response(rater, shown, {"answer": answer, **behaviour.as_row()}, flags)
        return self._step(stored, rater)

    def questionnaire(self, token: str, answers: Mapping[str, object]) -> dict:
        """Stores the answers to the study's questions, each cut to 2000 characters. answers: {id of a question: text}."""
        stored, rater = self._session(token)
        known = {question.id: text(answers.get(question.id, ""))[:2000] for question in stored.study.questions}
        self.store.add_event(rater, "questionnaire", known)
        return self._step(stored, rater)

    def delete_rater(self, token: str) -> dict:
        """Deletes everything that is stored about the rater."""
        _, rater = self._session(token)
        self.store.delete_rater(rater)
        self._cache.drop_rater(rater.id)
        return {"step": "forgotten"}

    def _welcome(self, stored: StoredStudy) -> dict:
        """Errors: `StoreError` when the store cannot write, so that no session begins whose answers would be lost."""
        self.store.check()
        study = stored.study
        minutes = session_minutes(study.mode, study.length)
        about = {"name": study.name, "mode": study.mode, "about": study.about}
        return {
            "step": "welcome",
            "study": {**about, "trials": study.length, "minutes": minutes},
            "durable": self.durable,
        }

    def _step(self, stored: StoredStudy, rater: Rater) -> dict:
        """The first step that is not stored as done, so that a session resumes after a reload, in another tab, or after a
        restart of the server."""
        kinds, answered = self.store.done(rater)
        setup = next((kind for kind in SETUP_STEPS if kind not in kinds), None)
        if setup == "volume":
            rate = stored.stimulus(stored.study.check_item, REFERENCE).sample_rate
            return {"step": "volume", "url": self._url("volume", rater.id), "sample_rate": rate}
        if setup == "headphones":
            rounds = [
                [self._url("tone", rater.id, number, slot) for slot in range(3)] for number in range(headphones.ROUNDS)
            ]
            return {"step": "headphones", "rounds": rounds}
        if setup == "instructions":
            return {"step": "instructions", "mode": stored.study.mode, "attention": stored.study.traps > 0}
        if answered < len(rater.plan):
            return self._trial(stored, rater, answered)
        if stored.study.questions and "questionnaire" not in kinds:
            questions = [
                {"id": q.id, "text": q.text, "kind": "choice" if q.choices else "text", "choices": list(q.choices)}
                for q in stored.study.questions
            ]
            return {"step": "questionnaire", "questions": questions}
        return {"step": "done", "code": rater.code}

    def _trial(self, stored: StoredStudy, rater: Rater, number: int) -> dict:
        shown = self.store.show(rater, number)
        training = sum(trial.kind == "training" for trial in rater.plan)
        is_training, seconds = shown.trial.kind == "training", self._seconds(stored, shown)
        letters = iter(LETTERS)
        slots = [
            {
                "role": role,
                "label": next(letters) if role == "take" else "",
                "url": self._url("slot", shown.nonce, slot),
            }
            for slot, (role, _) in enumerate(self._slots(stored, shown))
        ]
        return {
            "step": "trial",
            "mode": stored.study.mode,
            "training": is_training,
            "attention": stored.study.traps > 0,
            "nonce": shown.nonce,
            "number": number + 1 if is_training else number + 1 - training,
            "of": training if is_training else len(rater.plan) - training,
            "seconds": seconds,
            "sample_rate": max(
                self._rates(stored, shown)
            ),  # of the page's audio; files at lower ones are resampled there
            "need": required_seconds(seconds),
            "slots": slots,
        }

    @staticmethod
    def _slots(stored: StoredStudy, shown: ShownTrial) -> list[tuple[str, str]]:
        """(role, condition) of every slot of the trial."""
        return stored.study.task.slots(shown.trial)

    def _rates(self, stored: StoredStudy, shown: ShownTrial) -> list[int]:
        """Hz, of every slot's file."""
        return [stored.stimulus(shown.trial.item, name).sample_rate for _, name in self._slots(stored, shown)]

    def _seconds(self, stored: StoredStudy, shown: ShownTrial) -> float:
        return stored.stimulus(shown.trial.item, shown.trial.shown[0]).seconds

    # ------------------------------------------------ audio

    def audio(self, token: str) -> bytes:
        """The wav file behind a URL. Errors: `RequestError`."""
        try:
            kind, owner, *place = self._audio.loads(token)
        except (BadSignature, ValueError, TypeError) as error:
            raise RequestError("bad_token", "There is no such sound.") from error
        found = self.store.shown(owner) if kind == "slot" else None
        rater = self._cache.rater(found[0] if found else owner)
        if rater is None:
            raise RequestError("bad_token", "There is no such session.")
        if kind == "tone":
            number, slot = place
            return headphones.tone(headphones.order(self._seed(rater), number)[slot])
        stored = self._study(rater.public_id)
        if found:
            slots, slot = self._slots(stored, found[1]), place[0]
            item, condition = found[1].trial.item, slots[slot][1]
        else:
            slots, slot, item, condition = [("reference", REFERENCE)], 0, stored.study.check_item, REFERENCE
        return self._disguise.wear(self._cache.wav(stored.stimulus(item, condition).sha256), owner, slot, len(slots))

    def _url(self, kind: str, owner: str, *place: int) -> str:
        """owner: the nonce of a trial for its slots, else the id of the rater."""
        return f"listening/stim/{self._audio.dumps([kind, owner, *place])}"

    # ------------------------------------------------ studies and raters

    def _study(self, public_id: str, fresh: bool = False) -> StoredStudy:
        """Errors: `RequestError`."""
        try:
            return self._cache.study(public_id, fresh)
        except KeyError as error:
            raise RequestError("unknown_study", "There is no study behind this link.") from error

    def _rater(self, token: str, stored: StoredStudy | None = None) -> Rater | None:
        """None for a forged token, one of another study, or one whose answers were deleted."""
        try:
            public_id, rater_id = self._raters.loads(token)
        except (BadSignature, ValueError, TypeError):
            return None
        return self._cache.rater(rater_id) if stored is None or public_id == stored.public_id else None

    def _session(self, token: str) -> tuple[StoredStudy, Rater]:
        """Errors: `RequestError`."""
        rater = self._rater(token)
        if rater is None:
            raise RequestError("bad_token", "This session is not known here.")
        return self._study(rater.public_id), rater

    def _seed(self, rater: Rater) -> str:
        """Seed of the rater's headphone check, which the page cannot compute."""
        return hmac.new(self.secret.encode(), rater.id.encode(), hashlib.sha256).hexdigest()
