"""What the page holds instead of ids: a token for its rater, and an address for every sound.

The address of a stimulus is a signed (trial, slot), new for every trial, so that neither the address nor anything sent with it tells
which system made the sound, or that two slots play the same one.
"""

from __future__ import annotations

import hashlib
import hmac

from itsdangerous import BadSignature, URLSafeSerializer

from eval.listening.analysis.votes import REFERENCE
from eval.listening.session import headphones
from eval.listening.session.cache import StoreCache
from eval.listening.session.disguise import Disguise
from eval.listening.session.errors import RequestError
from eval.listening.storage.records import Rater, ShownTrial, StoredStudy
from eval.listening.storage.store import Store


class Tokens:
    """Signs and reads them."""

    def __init__(self, store: Store, secret: str) -> None:
        """secret: the key that signs."""
        self.store, self.secret = store, secret
        self._cache = StoreCache(store)
        self._disguise = Disguise(secret)
        self._raters = URLSafeSerializer(secret, salt="rater")
        self._audio = URLSafeSerializer(secret, salt="audio")

    def audio(self, token: str) -> bytes:
        """The wav file behind a URL. Errors: `RequestError`."""
        try:
            kind, owner, *place = self._audio.loads(token)
        except (BadSignature, ValueError, TypeError) as error:
            raise RequestError("bad_token", "There is no such sound.") from error
        if kind == "tone":  # the same three for everybody: nothing is looked up
            number, slot = place
            return headphones.tone(headphones.order(self._seed(owner), number)[slot])
        if kind == "slot":
            if (found := self.store.shown(owner)) is None:
                raise RequestError("bad_token", "There is no such session.")
            _, shown, public_id = found
            stored = self._study(public_id)
            slots, slot = self._slots(stored, shown), place[0]
            item, condition = shown.trial.item, slots[slot][1]
        else:
            if (rater := self.store.rater(owner)) is None:
                raise RequestError("bad_token", "There is no such session.")
            stored = self._study(rater.public_id)
            slots, slot, item, condition = [("reference", REFERENCE)], 0, stored.study.check_item, REFERENCE
        return self._disguise.wear(self._cache.wav(stored.stimulus(item, condition).sha256), owner, slot, len(slots))

    def _url(self, kind: str, owner: str, *place: int) -> str:
        """owner: the nonce of a trial for its slots, else the id of the rater."""
        return f"listening/stim/{self._audio.dumps([kind, owner, *place])}"

    @staticmethod
    def _slots(stored: StoredStudy, shown: ShownTrial) -> list[tuple[str, str]]:
        """(role, condition) of every slot of the trial."""
        return stored.study.task.slots(shown.trial)

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
        return self.store.rater(rater_id) if stored is None or public_id == stored.public_id else None

    def _token(self, rater: Rater) -> str:
        return str(self._raters.dumps([rater.public_id, rater.id]))

    def _seed(self, rater_id: str) -> str:
        """Seed of the rater's headphone check, which the page cannot compute."""
        return hmac.new(self.secret.encode(), rater_id.encode(), hashlib.sha256).hexdigest()
