"""Links with which owners walk through their study: a signed token, good for a day, that opens nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from itsdangerous import BadSignature, URLSafeTimedSerializer

from common.kept import Kept, MemoryKept
from eval.listening.session.errors import RequestError
from eval.listening.session.rehearsal import PREFIX, Rehearsal
from eval.listening.session.service import Listening

MAX_LINK_SECONDS = 24 * 3600
PARAMETER = "preview"  # of the rating page's address


class Preview:
    """Decides whether a request belongs to a listener's session or to a rehearsal."""

    def __init__(self, listening: Listening, kept: Kept | None = None) -> None:
        """kept: where rehearsals live; None: in the memory of this process."""
        self._listening = listening
        self._rehearsal = Rehearsal(listening.store, listening.secret, kept or MemoryKept())
        self._links = URLSafeTimedSerializer(listening.secret, salt="preview")

    def link(self, public_id: str) -> str:
        """The end of the address, behind that of the app, for who holds the study's key. The key itself is not in it."""
        return f"rate/?study={public_id}&{PARAMETER}={self._links.dumps(public_id)}"

    def opened(self, public_id: str, address: Mapping[str, object]) -> Listening:
        """The sessions that an address opens. Errors: `RequestError` for a link that is too old, or of another study."""
        if (token := address.get(PARAMETER)) is None:
            return self._listening
        try:
            if self._links.loads(str(token), max_age=MAX_LINK_SECONDS) == public_id:
                return self._rehearsal
        except BadSignature:
            pass
        raise RequestError("bad_preview", "This link to a preview is too old, or not of this study; make a new one.")

    def holding(self, token: str) -> Listening:
        """The sessions that a token is of: a rater's, or that of a sound."""
        return self._rehearsal if token.startswith(PREFIX) else self._listening
