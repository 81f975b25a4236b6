"""Raters on their way in: one participation per id, places of a study's quotas, and the row of the design.

A place is held from the start of a session until it is completed, or no answer has come for the time that the study states; then
somebody else may take it. Every decision locks the study, so that no two processes count the same free place.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from eval.listening.design import plan_session
from eval.listening.recruiting.platform import Outcome, Visit
from eval.listening.recruiting.quotas import Holder, has_place, is_held
from eval.listening.recruiting.terms import Recruiting
from eval.listening.storage import tables as t
from eval.listening.storage.database import StoreError
from eval.listening.storage.jsonl_mirror import Mirror
from eval.listening.storage.owning import is_closed_now
from eval.listening.storage.records import COMPLETED, SCREENING, TURNED_AWAY, Rater, StoredStudy
from eval.listening.storage.transactions import Transactions, lock_study
from eval.listening.trial import Trial

MAX_ROW_ATTEMPTS = 20  # to get a row of the design while others who start take the same one


class NoPlaceError(Exception):
    """All places of a study are taken."""


class ClosedError(Exception):
    """The study is over, or was closed, perhaps by another process a moment ago."""


class Admissions(Transactions):
    """The raters of the database, until their first trial."""

    def __init__(self, url: str, mirror: Mirror | None = None, clock: Callable[[], float] = time.time) -> None:
        """mirror: receives a copy of every row; clock: s since 1970. Errors: `StoreError` for an invalid URL."""
        super().__init__(url)
        self._mirror, self._clock = mirror, clock

    def start(self, stored: StoredStudy, language: str, device: Mapping[str, object], visit: Visit | None) -> Rater:
        """A new rater, or the one whom the visit's participant is already. A study that screens its raters draws no row yet.

        Errors: `NoPlaceError`, `ClosedError`, `StoreError`.
        """
        terms = stored.study.recruiting
        for _ in range(MAX_ROW_ATTEMPTS):
            with contextlib.suppress(IntegrityError), self._write() as connection:
                lock_study(connection, stored.number)
                if visit and (known := self._rater_of(connection, stored.number, visit)):
                    return known
                if is_closed_now(connection, stored.number, stored.study.ends, self._clock()):
                    raise ClosedError
                if not self._has_room(connection, stored):
                    raise NoPlaceError
                row, plan = self._draw(connection, stored, bool(terms and terms.screens))
                code = secrets.token_hex(4).upper()
                rater = Rater(secrets.token_hex(12), stored.number, stored.public_id, row, plan, code, language)
                values = {"id": rater.id, "study_id": rater.study, "row": row, "code": rater.code}
                about = {"language": language, "device": dict(device), "created": self._clock()}
                connection.execute(sa.insert(t.rater).values(**values, plan=[asdict(x) for x in plan], **about))
                if visit:
                    connection.execute(
                        sa.insert(t.participant).values(rater_id=rater.id, study_id=rater.study, **self._ids(visit))
                    )
                if terms:
                    connection.execute(sa.insert(t.place).values(**self._place(rater, {})))
                break
        else:
            raise StoreError("too many people start at the same moment; try again")
        self._copy("rater", stored.public_id, {**values, **about})
        return rater

    def admit(self, stored: StoredStudy, rater: Rater) -> Rater:
        """The rater with a row of the design, drawn once. Errors: `StoreError`."""
        for _ in range(MAX_ROW_ATTEMPTS):
            with contextlib.suppress(IntegrityError), self._write() as connection:
                lock_study(connection, stored.number)
                row, plan = self._draw(connection, stored, False)
                mine = sa.update(t.rater).where(t.rater.c.id == rater.id, t.rater.c.row < 0)
                changed = connection.execute(mine.values(row=row, plan=[asdict(trial) for trial in plan])).rowcount
                break
        else:
            raise StoreError("too many people start at the same moment; try again")
        if changed:
            self._copy("admitted", stored.public_id, {"rater": rater.id, "row": row})
        found = self.rater(rater.id)
        assert found is not None
        return found

    def rater(self, rater_id: str) -> Rater | None:
        """The rater of this id; None where there is none."""
        with self._read() as connection:
            return _first_rater(connection, t.rater.c.id == rater_id)

    # ------------------------------------------------ participants

    def rater_of(self, stored: StoredStudy, visit: Visit) -> Rater | None:
        """The session that the participant has in this study."""
        with self._read() as connection:
            return self._rater_of(connection, stored.number, visit)

    def visit_of(self, rater: Rater) -> Visit | None:
        """The ids with which the rater came last; None for one who came without."""
        with self._read() as connection:
            row = connection.execute(sa.select(t.participant).where(t.participant.c.rater_id == rater.id)).first()
        return None if row is None else Visit(row.participant, row.platform_study, row.platform_session, row.server)

    def keep_visit(self, rater: Rater, visit: Visit) -> None:
        """Another visit of the same participant: the platform may have given it another session."""
        ids = self._ids(visit)
        del ids["created"]
        with self._write() as connection:
            connection.execute(sa.update(t.participant).where(t.participant.c.rater_id == rater.id).values(**ids))

    def took_part(self, public_ids: Sequence[str], visit: Visit) -> bool:
        """Whether the participant is a rater of one of these studies."""
        in_them = t.study.c.public_id.in_(public_ids) & (t.participant.c.participant == visit.participant)
        joined = t.participant.join(t.study, t.participant.c.study_id == t.study.c.id)
        with self._read() as connection:
            return (
                connection.execute(sa.select(t.participant.c.id).select_from(joined).where(in_them)).first() is not None
            )

    def participants(self, public_id: str) -> list[dict]:
        """{rater, participant, platform_study, platform_session, code, started, outcome} of all, for holders of the study's key."""
        joined = t.participant.join(t.rater, t.participant.c.rater_id == t.rater.c.id).join(t.study)
        ends = t.event.c.kind.in_((COMPLETED, TURNED_AWAY)) & (t.event.c.rater_id == t.rater.c.id)
        columns = (t.participant, t.rater.c.code, t.event.c.kind, t.event.c.data)
        wanted = sa.select(*columns).select_from(joined.outerjoin(t.event, ends))
        with self._read() as connection:
            rows = connection.execute(wanted.where(t.study.c.public_id == public_id).order_by(t.participant.c.id)).all()
        keep = ("participant", "platform_study", "platform_session", "code")
        return [
            {"rater": row.rater_id, **{name: getattr(row, name) for name in keep}, "started": row.created}
            | {"outcome": row.data["outcome"] if row.kind == TURNED_AWAY else row.kind or ""}
            for row in rows
        ]

    # ------------------------------------------------ places

    def take_place(self, rater: Rater, terms: Recruiting, answers: Mapping[str, str] | None = None) -> None:
        """Takes or keeps the rater's place, if there is one; else the rater is turned away for good. answers: to the questions that
        quotas are about, stored with it, the first time; None: those that were given before."""
        notes: list[tuple[str, Mapping[str, object]]] = [] if answers is None else [(SCREENING, answers)]
        with self._noting(rater, notes) as connection:
            own = connection.scalar(sa.select(t.place.c.attributes).where(t.place.c.rater_id == rater.id)) or {}
            attributes = own if answers is None else dict(answers)
            is_another = (t.place.c.study_id == rater.study) & (t.place.c.rater_id != rater.id)
            others = self._holders(connection, terms, is_another)
            connection.execute(sa.delete(t.place).where(t.place.c.rater_id == rater.id))
            if has_place(terms.quotas, others, attributes):
                connection.execute(sa.insert(t.place).values(**self._place(rater, attributes)))
            else:
                notes.append((TURNED_AWAY, {"outcome": "quota_full"}))

    def holds_place(self, rater: Rater, terms: Recruiting) -> bool:
        """Whether the rater has a place that nobody else may take."""
        with self._read() as connection:
            return bool(self._holders(connection, terms, t.place.c.rater_id == rater.id))

    def turn_away(self, rater: Rater, outcome: Outcome) -> None:
        """For good; the place is free again."""
        with self._noting(rater, [(TURNED_AWAY, {"outcome": outcome})]) as connection:
            connection.execute(sa.delete(t.place).where(t.place.c.rater_id == rater.id))

    @contextlib.contextmanager
    def _noting(self, rater: Rater, notes: list[tuple[str, Mapping[str, object]]]) -> Iterator[Connection]:
        """A transaction with the study locked, at whose end the events are stored; nothing of it, where one of that kind was there."""
        with contextlib.suppress(IntegrityError):
            with self._write() as connection:
                lock_study(connection, rater.study)
                yield connection
                for kind, data in notes:
                    insert_event(connection, self._clock(), rater.study, rater.id, kind, data)
            for kind, data in notes:
                self._copy("event", rater.public_id, {"rater": rater.id, "kind": kind, "data": dict(data)})

    def places_taken(self, stored: StoredStudy) -> list[Mapping[str, str]]:
        """The attributes of everybody who holds a place now; none for a study without recruiting."""
        if (terms := stored.study.recruiting) is None:
            return []
        with self._read() as connection:
            holders = self._holders(connection, terms, t.place.c.study_id == stored.number)
        return [holder.attributes for holder in holders]

    def has_room(self, stored: StoredStudy) -> bool:
        """Whether somebody may start."""
        with self._read() as connection:
            return self._has_room(connection, stored)

    def _has_room(self, connection: Connection, stored: StoredStudy) -> bool:
        terms = stored.study.recruiting
        if terms is None:
            return True
        return has_place(terms.quotas, self._holders(connection, terms, t.place.c.study_id == stored.number), {})

    def _holders(self, connection: Connection, terms: Recruiting, among: sa.ColumnElement[bool]) -> list[Holder]:
        """Who holds a place now. among: a condition on `place`."""
        of_rater = t.trial.c.rater_id == t.place.c.rater_id
        last = sa.select(sa.func.max(t.response.c.created)).select_from(t.response.join(t.trial)).where(of_rater)
        completed = sa.exists().where(t.event.c.rater_id == t.place.c.rater_id, t.event.c.kind == COMPLETED)
        columns = (t.place.c.rater_id, t.place.c.attributes, t.place.c.taken)
        wanted = sa.select(*columns, last.scalar_subquery().label("last"), completed.label("completed"))
        found = [
            Holder(row.rater_id, row.attributes, max(row.taken, row.last or 0), bool(row.completed))
            for row in connection.execute(wanted.where(among))
        ]
        now, seconds = self._clock(), 60 * terms.free_after_minutes
        return [holder for holder in found if is_held(holder, now, seconds)]

    def _place(self, rater: Rater, attributes: Mapping[str, str]) -> dict:
        return {
            "rater_id": rater.id,
            "study_id": rater.study,
            "attributes": dict(attributes),
            "taken": self._clock(),
        }

    def _ids(self, visit: Visit) -> dict:
        ids = {"platform_study": visit.study, "platform_session": visit.session, "server": visit.server}
        return {"participant": visit.participant, **ids, "created": self._clock()}

    # ------------------------------------------------ rows

    @staticmethod
    def _draw(connection: Connection, stored: StoredStudy, later: bool) -> tuple[int, tuple[Trial, ...]]:
        """The next row of the design and its trials. later: a number below 0 that stands for it, and no trials."""
        rows = sa.select(t.rater.c.row).where(t.rater.c.study_id == stored.number)
        if later:
            return min(connection.scalars(rows.order_by(t.rater.c.row).limit(1)).first() or 0, 0) - 1, ()
        last = connection.scalars(rows.where(t.rater.c.row >= 0).order_by(t.rater.c.row.desc()).limit(1)).first()
        row = 0 if last is None else last + 1
        return row, plan_session(stored.study, row)

    @staticmethod
    def _rater_of(connection: Connection, study: int, visit: Visit) -> Rater | None:
        is_theirs = (t.participant.c.study_id == study) & (t.participant.c.participant == visit.participant)
        return _first_rater(
            connection, t.rater.c.id.in_(sa.select(t.participant.c.rater_id).where(is_theirs).scalar_subquery())
        )

    def _copy(self, kind: str, public_id: str, content: Mapping[str, object]) -> None:
        if self._mirror:
            self._mirror.append(kind, public_id, content)


def insert_event(connection: Connection, now: float, study: int, rater: str | None, kind: str, data: Mapping) -> None:
    """One event of a study, or of a rater in it."""
    values = {"study_id": study, "rater_id": rater, "kind": kind, "data": dict(data), "created": now}
    connection.execute(sa.insert(t.event).values(**values))


def _first_rater(connection: Connection, condition: sa.ColumnElement[bool]) -> Rater | None:
    row = connection.execute(sa.select(t.rater, t.study.c.public_id).join(t.study).where(condition)).first()
    if row is None:
        return None
    return Rater(row.id, row.study_id, row.public_id, row.row, _plan(row.plan), row.code, row.language)


def _plan(rows: Sequence[Mapping]) -> tuple[Trial, ...]:
    return tuple(Trial(row["kind"], row["item"], tuple(row["shown"]), row["x"]) for row in rows)
