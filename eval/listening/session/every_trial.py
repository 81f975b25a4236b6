"""A session that stores nothing, for the owner of a study: every trial as listeners see it, without the wait until all was heard.

Where the visitor is follows from what the page sends, so that nothing has to be kept here either: the step that is done, or the
nonce of the trial that is answered, which names its number.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer, URLSafeTimedSerializer

from eval.listening.analysis.screening import Flag
from eval.listening.design import check_answer, plan_session
from eval.listening.session.errors import RequestError
from eval.listening.session.service import SETUP_STEPS, Listening
from eval.listening.session.trials.progress import BETWEEN
from eval.listening.storage.records import Rater, ShownTrial, StoredStudy
from eval.listening.storage.store import Store
from eval.listening.study import Study
from eval.listening.trial import Trial

MAX_AGE_SECONDS = 86_400  # of a link to a preview
CODE = "PREVIEW"


@dataclass(frozen=True)
class _Visitor(Rater):
    kinds: frozenset[str] = frozenset()
    answered: int = 0


class _Unwritten:
    """The store of a preview: reads studies and sounds, and writes nothing."""

    def __init__(self, store: Store, secret: str) -> None:
        self._store, self._nonces = store, URLSafeSerializer(secret, salt="previewed trial")
        self.wav = store.wav

    def check(self) -> None:
        pass

    def study(self, public_id: str) -> StoredStudy:
        """Open, and without participants: whoever has the link is let in."""
        stored = self._store.study(public_id)
        return replace(stored, closed=False, study=replace(stored.study, recruiting=None))

    def rater(self, rater_id: str) -> _Visitor:
        """rater_id: the public id of the study."""
        stored = self.study(rater_id)
        return _Visitor(rater_id, stored.number, rater_id, 0, every_trial(stored.study), CODE)

    def done(self, visitor: _Visitor) -> tuple[frozenset[str], int]:
        return visitor.kinds, visitor.answered

    def show(self, visitor: _Visitor, number: int) -> ShownTrial:
        nonce = str(self._nonces.dumps([visitor.public_id, number]))
        return ShownTrial(number, nonce, visitor.plan[number], time.time())

    def shown(self, nonce: str) -> tuple[str, ShownTrial] | None:
        try:
            public_id, number = self._nonces.loads(nonce)
        except BadSignature:
            return None
        return public_id, self.show(self.rater(public_id), number)

    def visit_of(self, visitor: _Visitor) -> None:
        """Nobody sent the owner."""

    def add_event(self, visitor: _Visitor, kind: str, data: Mapping[str, object]) -> None:
        pass

    def add_response(
        self, visitor: _Visitor, shown: ShownTrial, response: Mapping[str, object], flags: Sequence[Flag] = ()
    ) -> bool:
        return True


class EveryTrial(Listening):
    """The requests of the rating page, for links of `link`."""

    def __init__(self, store: Store, secret: str) -> None:
        """secret: of the sessions; tokens of previews are signed with another one that follows from it."""
        secret = f"{secret}/preview"
        super().__init__(_Unwritten(store, secret), secret)  # type: ignore[arg-type]
        self._links = URLSafeTimedSerializer(secret, salt="link")

    def link(self, public_id: str) -> str:
        """The `study` of an address of the rating page; valid for a day."""
        return str(self._links.dumps(public_id))

    def owns(self, token: str | None) -> bool:
        """Whether a link's `study`, or the token of a session, is a preview's."""
        return bool(token) and (self._linked(token or "") is not None or self._rater(token or "") is not None)

    def resume(self, public_id: str, token: str | None, *_: Any) -> dict:
        """The first step again: where the visitor was is not known."""
        stored = self._of_link(public_id)
        return self._at(stored) if token and self._rater(token, stored) else self._named(stored)

    def join(self, public_id: str, language: str, device: Mapping[str, object], *_: Any) -> dict:
        """A token that names the study and nobody."""
        stored = self._of_link(public_id)
        return {"token": self._raters.dumps([stored.public_id, stored.public_id]), **self._at(stored)}

    def next(self, token: str, done: str, data: Mapping[str, object]) -> dict:
        """The step after it."""
        stored, _ = self._session(token)
        if done not in SETUP_STEPS:
            raise RequestError("invalid_answer", f"There is no step called {done!r:.40}.")
        return self._at(stored, SETUP_STEPS[: SETUP_STEPS.index(done) + 1])

    def answer(self, token: str, nonce: str, answer: object, reported: Mapping[str, object]) -> dict:
        """The next trial, however little was heard."""
        stored, rater = self._session(token)
        found = self.store.shown(nonce)
        if found is None or found[0] != rater.id:
            raise RequestError("stale", "This is not the trial you have in front of you.")
        try:
            check_answer(stored.study, found[1].trial, answer)
        except ValueError as error:
            raise RequestError("invalid_answer", str(error)) from error
        return self._at(stored, SETUP_STEPS, found[1].number + 1)

    def questionnaire(self, token: str, answers: Mapping[str, object]) -> dict:
        """The end."""
        stored, rater = self._session(token)
        return self._at(stored, (*SETUP_STEPS, "questionnaire"), len(rater.plan))

    def privacy(self, public_id: str) -> dict:
        """As listeners read it."""
        return super().privacy(self._linked(public_id) or public_id)

    def own_data(self, token: str) -> dict:
        """There is nothing."""
        stored, _ = self._session(token)
        return {"study": stored.public_id, "answers": []}

    def delete_rater(self, token: str) -> dict:
        """There is nothing to delete."""
        return {"step": "forgotten"}

    def _at(self, stored: StoredStudy, kinds: Sequence[str] = (), answered: int = 0) -> dict:
        visitor = self.store.rater(stored.public_id)
        assert isinstance(visitor, _Visitor)
        between = (
            f"{BETWEEN}{number}" for number in range(1, len(visitor.plan) + 1)
        )  # not asked: a visitor has no memory
        return self._step(stored, replace(visitor, kinds=frozenset((*kinds, *between)), answered=answered))

    def _next_number(self, stored: StoredStudy, rater: Rater, answered: int) -> int | None:
        return answered if answered < len(rater.plan) else None

    def _trial(self, stored: StoredStudy, rater: Rater, number: int, answered: int) -> dict:
        return super()._trial(stored, rater, number, answered) | {"need": 0.0}

    def _named(self, stored: StoredStudy) -> dict:
        welcome = self._welcome(stored)
        welcome["study"] |= {"name": f"Preview: {stored.study.name}", "trials": len(every_trial(stored.study))}
        return welcome

    def _of_link(self, link: str) -> StoredStudy:
        public_id = self._linked(link)
        if public_id is None:
            raise RequestError("unknown_study", "This preview has expired; open it again from the studies.")
        return self._study(public_id)

    def _linked(self, link: str) -> str | None:
        try:
            return str(self._links.loads(link, max_age=MAX_AGE_SECONDS))
        except BadSignature:
            return None


def every_trial(study: Study) -> tuple[Trial, ...]:
    """The session of the first rater, checks and repeats in it, and then whatever questions others are asked."""
    first = plan_session(study, 0)
    asked = {(trial.item, frozenset(trial.shown)) for trial in first if trial.counted}
    units = [(item, unit) for item in range(len(study.items)) for unit in range(len(study.clip_units))]
    others = [study.task.trial(study, 0, item, unit) for item, unit in units]
    return (*first, *(trial for trial in others if (trial.item, frozenset(trial.shown)) not in asked))
