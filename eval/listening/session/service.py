"""What a listener's page asks for, one step after the other, and what it may know.

The server decides the order and tells only the next step. A page gets letters and addresses that stand for nothing: an address
is a signed (trial, slot) and is new for every trial, so that neither the address nor anything sent with it says which take is
behind it, or that two slots hold the same one.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import math
import sys
import time
from collections.abc import Mapping

from itsdangerous import BadSignature, URLSafeSerializer

from eval.listening.analysis.screening import Flag
from eval.listening.analysis.votes import LETTERS, REFERENCE
from eval.listening.design import check_answer, check_item, passes
from eval.listening.session import headphones
from eval.listening.storage.records import Rater, ShownTrial, StoredStudy
from eval.listening.storage.store import Store
from eval.listening.study import session_minutes

NEED_SECONDS, NEED_SHARE = 2.0, 0.5  # of every slot must be heard before an answer: the smaller one
LEEWAY = 1.0  # seconds by which more may have been heard than time has passed: clocks and latencies
SETUP = ("volume", "headphones", "instructions")
REMEMBERED, REMEMBERED_WAVS = 1000, 200  # raters, and takes of some 100 kB each
_PLAIN = (bool, int, float, str)


class Refused(Exception):
    """A request that is not granted: a code for the page, a sentence for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


class Listening:
    def __init__(self, store: Store, secret: str, durable: bool = True) -> None:
        """secret: what tokens are signed with; durable: whether answers outlive the process."""
        self.store, self.durable = store, durable
        self._secret = secret
        self._wav = functools.lru_cache(maxsize=REMEMBERED_WAVS)(store.wav)
        self._raters = URLSafeSerializer(secret, salt="rater")
        self._audio = URLSafeSerializer(secret, salt="audio")
        # A frozen study does not change; one that is not may, and is read again soon
        self._known: dict[str, tuple[float, StoredStudy]] = {}
        self._people: dict[str, Rater] = {}

    # ------------------------------------------------ steps

    def open(self, public_id: str, token: str | None) -> dict:
        stored = self._study(public_id)
        rater = self._rater(token, stored) if token else None
        if rater is None:
            return {"step": "closed"} if stored.closed else self._welcome(stored)
        return self._step(stored, rater)

    def join(self, public_id: str, language: str, device: Mapping[str, object]) -> dict:
        stored = self._study(public_id, fresh=True)
        if stored.closed:
            raise Refused("closed", "This study takes no more answers.")
        rater = self.store.add_rater(public_id, _text(language)[:16], _few(device))
        return {"token": self._raters.dumps([public_id, rater.id]), **self._step(stored, rater)}

    def next(self, token: str, done: str, data: Mapping[str, object]) -> dict:
        stored, rater = self._session(token)
        if done not in SETUP:
            raise Refused("invalid_answer", f"There is no step called {done!r:.40}.")
        if done == "headphones":
            given = data.get("answers")
            answers = [int(answer) for answer in given if isinstance(answer, int)] if isinstance(given, list) else []
            right = headphones.right_answers(self._seed(rater), answers)
            passed = right >= headphones.PASSING
            self.store.add_event(rater, done, {"right": right, "skipped": bool(data.get("skipped")), "passed": passed})
        else:
            self.store.add_event(rater, done, _few(data))
        return self._step(stored, rater)

    def answer(self, token: str, nonce: str, answer: object, behaviour: Mapping[str, object]) -> dict:
        """behaviour: heard, plays, switches, dwell_ms, as the page counted them."""
        stored, rater = self._session(token)
        found = self.store.shown(nonce)
        if found is None or found[0] != rater.id:
            raise Refused("stale", "This is not the trial you have in front of you.")
        shown = found[1]
        try:
            check_answer(stored.study, shown.trial, answer)
        except ValueError as error:
            raise Refused("invalid_answer", str(error)) from error
        slots = len(self._slots(stored, shown))
        heard = _heard(behaviour.get("heard"), slots, self._seconds(stored, shown))
        if short := [i for i, seconds in enumerate(heard) if seconds < self._need(stored, shown) - 0.05]:
            raise Refused("not_heard", f"{len(short)} of {slots} takes were not listened to for long enough.")
        response = {
            "answer": answer,
            "heard": [round(seconds, 3) for seconds in heard],
            "plays": [_count(n) for n in list(behaviour.get("plays") or ())[:slots]],
            "switches": _count(behaviour.get("switches")),
            "dwell_ms": _count(behaviour.get("dwell_ms")),
        }
        self.store.add_response(rater, shown, response, _flags(stored, rater, shown, answer, sum(heard)))
        return self._step(stored, rater)

    def questionnaire(self, token: str, answers: Mapping[str, object]) -> dict:
        stored, rater = self._session(token)
        known = {question.id: _text(answers.get(question.id, ""))[:2000] for question in stored.study.questions}
        self.store.add_event(rater, "questionnaire", known)
        return self._step(stored, rater)

    def forget(self, token: str) -> dict:
        _, rater = self._session(token)
        self.store.forget(rater)
        self._people.pop(rater.id, None)
        return {"step": "forgotten"}

    def _welcome(self, stored: StoredStudy) -> dict:
        """Errors: `StoreError` when nothing can be written, before anybody has begun."""
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
        """Where this rater goes on, after whatever happened: a reload, another tab, a server that was gone."""
        kinds, answered = self.store.done(rater)
        setup = next((kind for kind in SETUP if kind not in kinds), None)
        if setup == "volume":
            return {"step": "volume", "url": self._url("volume", rater.id)}
        if setup == "headphones":
            rounds = [
                [self._url("tone", rater.id, round, slot) for slot in range(3)] for round in range(headphones.ROUNDS)
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
        is_training = shown.trial.kind == "training"
        takes = iter(LETTERS)
        slots = [
            {"role": role, "label": next(takes) if role == "take" else "", "url": self._url("slot", shown.nonce, slot)}
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
            "seconds": self._seconds(stored, shown),
            "sample_rate": headphones.RATE,
            "need": self._need(stored, shown),
            "slots": slots,
        }

    @staticmethod
    def _slots(stored: StoredStudy, shown: ShownTrial) -> list[tuple[str, str]]:
        """(role, condition) of every slot that is played."""
        takes = [("take", condition) for condition in shown.trial.shown]
        if stored.study.mode == "mushra":
            return [("reference", REFERENCE), *takes]
        if stored.study.mode == "abx":
            return [*takes, ("x", shown.trial.shown[shown.trial.x])]
        return takes

    def _seconds(self, stored: StoredStudy, shown: ShownTrial) -> float:
        return stored.stimulus(shown.trial.item, shown.trial.shown[0]).seconds

    def _need(self, stored: StoredStudy, shown: ShownTrial) -> float:
        return round(min(NEED_SECONDS, NEED_SHARE * self._seconds(stored, shown)), 3)

    # ------------------------------------------------ audio

    def audio(self, token: str) -> bytes:
        """The wav behind an address. Errors: `Refused`."""
        try:
            kind, id, *place = self._audio.loads(token)
        except (BadSignature, ValueError, TypeError) as error:
            raise Refused("bad_token", "There is no such sound.") from error
        found = self.store.shown(id) if kind == "slot" else None
        rater = self._person(found[0] if found else id)
        if rater is None:
            raise Refused("bad_token", "There is no such session.")
        if kind == "tone":
            round, number = place
            return _tone(headphones.order(self._seed(rater), round)[number])
        stored = self._study(rater.public_id)
        if kind == "slot":
            item, condition = found[1].trial.item, self._slots(stored, found[1])[place[0]][1]
        else:
            item, condition = check_item(stored.study), REFERENCE
        return self._wav(stored.stimulus(item, condition).sha256)

    def _url(self, kind: str, id: str, *place: int) -> str:
        return f"listening/stim/{self._audio.dumps([kind, id, *place])}"

    # ------------------------------------------------ who asks

    def _study(self, public_id: str, fresh: bool = False) -> StoredStudy:
        at, stored = self._known.get(public_id, (0.0, None))
        if stored is None or fresh or time.monotonic() - at > 2:
            try:
                stored = self.store.study(public_id)
            except KeyError as error:
                raise Refused("unknown_study", "There is no study behind this link.") from error
            self._known[public_id] = time.monotonic(), stored
        return stored

    def _rater(self, token: str, stored: StoredStudy | None = None) -> Rater | None:
        """None for a forged token, one of another study, or one whose answers were deleted."""
        try:
            public_id, id = self._raters.loads(token)
        except (BadSignature, ValueError, TypeError):
            return None
        return self._person(id) if stored is None or public_id == stored.public_id else None

    def _person(self, id: str) -> Rater | None:
        """A rater does not change, and is asked for with every request."""
        if (known := self._people.get(id)) is None and (known := self.store.rater(id)) is not None:
            while len(self._people) >= REMEMBERED:
                self._people.pop(next(iter(self._people)), None)
            self._people[id] = known
        return known

    def _session(self, token: str) -> tuple[StoredStudy, Rater]:
        rater = self._rater(token)
        if rater is None:
            raise Refused("bad_token", "This session is not known here.")
        return self._study(rater.public_id), rater

    def _seed(self, rater: Rater) -> str:
        return hmac.new(self._secret.encode(), rater.id.encode(), hashlib.sha256).hexdigest()


_tone = functools.lru_cache(maxsize=8)(headphones.tone)


def _heard(given: object, slots: int, seconds: float) -> list[float]:
    """Seconds of each slot in the union of the intervals a page reports. Errors: `Refused`."""
    try:
        intervals = [[(float(a), float(b)) for a, b in slot] for slot in list(given)[:slots]]
    except (TypeError, ValueError, OverflowError) as error:
        raise Refused("invalid_answer", "heard is a list of [start, stop] in seconds for every slot.") from error
    return [_union(slot, seconds) for slot in intervals] + [0.0] * (slots - len(intervals))


def _union(intervals: list[tuple[float, float]], seconds: float) -> float:
    total, reached = 0.0, 0.0
    for start, stop in sorted(intervals):
        start, stop = max(start, reached), min(stop, seconds)
        if stop > start:  # not so for nan
            total, reached = total + stop - start, stop
    return total


def _flags(stored: StoredStudy, rater: Rater, shown: ShownTrial, answer: object, heard: float) -> list[Flag]:
    flags = []
    if passes(stored.study, shown.trial, answer) is False:
        detail = f"trial {shown.number}: {'/'.join(shown.trial.shown)} was answered {answer}"
        flags.append(Flag(rater.id, shown.trial.kind, 1, detail))
    passed = time.time() - shown.since
    if passed >= 0 and heard > passed + LEEWAY:  # a clock that was set back in between says nothing
        flags.append(
            Flag(rater.id, "impossible-time", 1, f"trial {shown.number}: {heard:.1f} s heard in {passed:.1f} s")
        )
    return flags


def _count(value: object) -> int:
    if isinstance(value, float) and not math.isfinite(value):
        return 0
    return min(max(int(value), 0), 10**9) if isinstance(value, int | float) else 0


def _few(data: Mapping[str, object]) -> dict:
    """A small flat mapping of plain values, whatever a page sends."""
    plain = {_text(name)[:40]: value for name, value in list(data.items())[:20] if isinstance(value, _PLAIN)}
    return {name: _text(value)[:200] if isinstance(value, str) else _number(value) for name, value in plain.items()}


def _number(value: float) -> float | None:
    """None for what JSON and the databases have no word for."""
    return value if abs(value) <= sys.float_info.max else None


def _text(value: object) -> str:
    """PostgreSQL stores no zero character."""
    return str(value).replace("\0", "")
