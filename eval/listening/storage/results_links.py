"""Links that show the results of a study to those who have no key, until their time is over or the owner revokes them."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import sqlalchemy as sa

from eval.listening.storage import tables as t
from eval.listening.storage.hashes import hash_of
from eval.listening.storage.transactions import Transactions

LINK_DAYS = 90  # that a new link is valid, unless its owner says otherwise
DAY_SECONDS = 86_400.0


class ExpiredLink(LookupError):
    """A link whose time is over. ended: seconds since 1970."""

    def __init__(self, ended: float) -> None:
        super().__init__("the link has expired")
        self.ended = ended


class ResultsLinks(Transactions):
    """Of every link only a hash is stored, with its end."""

    _clock: Callable[[], float]

    def add_results_link(self, public_id: str, days: float | None = LINK_DAYS) -> tuple[str, float | None]:
        """(token of a new link, its end in seconds since 1970). days: that it is valid; None: until it is revoked, without an end.

        Errors: KeyError for an unknown study, `StoreError`.
        """
        token, now = secrets.token_urlsafe(16), self._clock()
        ends = None if days is None else now + days * DAY_SECONDS
        with self._write() as connection:
            number = self._study_row(connection, public_id).id
            values = {"study_id": number, "token_hash": hash_of(token), "created": now}
            row = connection.execute(sa.insert(t.results_link).values(**values)).inserted_primary_key
            if ends is not None and row is not None:
                connection.execute(sa.insert(t.results_link_end).values(link_id=row[0], ends=ends))
        return token, ends

    def linked_study(self, token: str) -> str | None:
        """Public id of the study whose results the token shows; None for an unknown or revoked one. Errors: `ExpiredLink`."""
        wanted = sa.select(t.study.c.public_id, t.results_link_end.c.ends).select_from(_joined().join(t.study))
        with self._read() as connection:
            row = connection.execute(wanted.where(t.results_link.c.token_hash == hash_of(token))).first()
        if row is None:
            return None
        if row.ends is not None and row.ends <= self._clock():
            raise ExpiredLink(row.ends)
        return str(row.public_id)

    def results_links(self, public_id: str) -> list[float | None]:
        """The ends of the links that are valid, seconds since 1970, the earliest first; None for one without an end. Errors: KeyError."""
        with self._read() as connection:
            number = self._study_row(connection, public_id).id
            wanted = sa.select(t.results_link_end.c.ends).select_from(_joined())
            ends = connection.scalars(wanted.where(t.results_link.c.study_id == number)).all()
        now = self._clock()
        return sorted((end for end in ends if end is None or end > now), key=lambda end: (end is None, end))

    def revoke_results_links(self, public_id: str) -> int:
        """Ends all of them; returns how many were valid. Errors: KeyError, `StoreError`."""
        valid = len(self.results_links(public_id))
        with self._write() as connection:
            number = self._study_row(connection, public_id).id
            connection.execute(sa.delete(t.results_link).where(t.results_link.c.study_id == number))
        return valid


def _joined() -> sa.Join:
    return t.results_link.outerjoin(t.results_link_end)
