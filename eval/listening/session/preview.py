"""Links with which owners walk through their study: a signed token, good for a day, that opens nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from itsdangerous import BadSignature, URLSafeTimedSerializer

from common.kept import Kept, MemoryKept
from eval.listening.session.errors import RequestError
from eval.listening.session.every_trial import EveryTrial
from eval.listening.session.rehearsal import Rehearsal
from eval.listening.session.service import Listening

MAX_LINK_SECONDS = 24 * 3600
PARAMETER = "preview"  # of the rating page's address
KINDS = (Rehearsal, EveryTrial)


class Preview:
    """Decides whether a request belongs to a listener's session or to a rehearsal."""

    def __init__(self, listening: Listening, kept: Kept | None = None) -> None:
        """kept: where rehearsals live; None: in the memory of this process."""
        self._listening, kept = listening, kept or MemoryKept()
        self._rehearsals = {kind.prefix: kind(listening.store, listening.secret, kept) for kind in KINDS}
        self._links = URLSafeTimedSerializer(listening.secret, salt="preview")

    def link(self, public_id: str, kind: type[Rehearsal] = Rehearsal) -> str:
        """The end of the address, behind that of the app, for who holds the study's key. The key itself is not in it."""
        return f"rate/?study={public_id}&{PARAMETER}={self._links.dumps([public_id, kind.prefix])}"

    def opened(self, public_id: str, address: Mapping[str, object]) -> Listening:
        """The sessions that an address opens. Errors: `RequestError` for a link that is too old, or of another study."""
        if (token := address.get(PARAMETER)) is None:
            return self._listening
        try:
            study, prefix = self._links.loads(str(token), max_age=MAX_LINK_SECONDS)
        except (BadSignature, ValueError, TypeError):
            study = None
        if study != public_id:
            raise RequestError(
                "bad_preview", "This link to a preview is too old, or not of this study; make a new one."
            )
        return self._rehearsals[prefix]

    def holding(self, token: str) -> Listening:
        """The sessions that a token is of: a rater's, or that of a sound."""
        found = (rehearsal for prefix, rehearsal in self._rehearsals.items() if token.startswith(prefix))
        return next(found, self._listening)
