"""The rows of a study as its owner handles them: found by a key, counted, copied, deleted."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from eval.listening.closing import CLOSED, REOPENED, end_of, is_closed
from eval.listening.storage import tables as t
from eval.listening.storage.hashes import hash_of
from eval.listening.storage.jsonl_mirror import Mirror
from eval.listening.storage.transactions import CHANGING_STUDIES, Transactions, hold, lock_study


@dataclass(frozen=True)
class StudyLine:
    """A study in a list. raters: who started; expected: raters it was planned for; ends: of its description, None without an end.
    Times in seconds since 1970."""

    public_id: str
    name: str
    mode: str
    revision: int
    closed: bool
    raters: int
    expected: int
    answers: int
    last_answer: float | None
    created: float
    ends: float | None = None


class Owning(Transactions):
    """What the holder of a study's key, or the administrator, may do."""

    _mirror: Mirror | None
    _clock: Callable[[], float]

    def has_key(self, public_id: str, key: str) -> bool:
        """Whether this is the study's key; compared in constant time."""
        with self._read() as connection:
            known = connection.scalar(sa.select(t.study.c.key_hash).where(t.study.c.public_id == public_id))
        return secrets.compare_digest(known or "", hash_of(key))

    def opened_by(self, key: str) -> list[str]:
        """Public ids of the studies that have this key, newest first: revisions may share one."""
        wanted = sa.select(t.study.c.public_id).where(t.study.c.key_hash == hash_of(key))
        with self._read() as connection:
            return list(connection.scalars(wanted.order_by(t.study.c.id.desc())))

    def overview(self, public_ids: Sequence[str] | None = None) -> list[StudyLine]:
        """A line per study, newest first. public_ids: only these; None: all there are."""
        answers = sa.select(
            t.rater.c.study_id,
            sa.func.count(sa.distinct(t.rater.c.id)).label("raters"),
            sa.func.count(t.response.c.id).label("answers"),
            sa.func.max(t.response.c.created).label("last"),
        )
        joined = t.rater.outerjoin(t.trial).outerjoin(t.response)
        counts = answers.select_from(joined).group_by(t.rater.c.study_id).subquery()
        wanted = sa.select(t.study, counts).select_from(t.study.outerjoin(counts))
        if public_ids is not None:
            wanted = wanted.where(t.study.c.public_id.in_(public_ids))
        with self._read() as connection:
            rows = connection.execute(wanted.order_by(t.study.c.id.desc())).all()
            states = connection.execute(_states()).all()
        last = {row.study_id: (row.kind, row.created) for row in states}  # in their order: the last one stays
        now = self._clock()
        ends = {row.id: end_of(row.config.get("closes", "")) for row in rows}
        return [
            StudyLine(
                row.public_id,
                row.config["name"],
                row.config["mode"],
                row.revision,
                is_closed(last.get(row.id), ends[row.id], now),
                row.raters or 0,
                row.config.get("raters", 0),
                row.answers or 0,
                row.last,
                row.created,
                ends[row.id],
            )
            for row in rows
        ]

    def family(self, public_id: str) -> list[str]:
        """Public ids of all revisions of a study, itself among them, oldest first. Errors: KeyError."""
        with self._read() as connection:
            rows = connection.execute(sa.select(t.study.c.id, t.study.c.public_id, t.study.c.revises)).all()
        parent = {row.id: row.revises for row in rows}
        number = {row.public_id: row.id for row in rows}
        mine = _root(number[public_id], parent)
        return [row.public_id for row in sorted(rows, key=lambda row: row.id) if _root(row.id, parent) == mine]

    def delete_study(self, public_id: str) -> None:
        """Deletes the study with all answers, here and in the mirror, and the stimuli that no other study has.

        Errors: KeyError, `StoreError`; then nothing was deleted.
        """
        with self._write() as connection:
            hold(connection, CHANGING_STUDIES)
            row = self._study_row(connection, public_id)
            lock_study(connection, row.id)
            raters = sa.select(t.rater.c.id).where(t.rater.c.study_id == row.id)
            trials = sa.select(t.trial.c.id).where(t.trial.c.rater_id.in_(raters))
            owners = {"study_id": [row.id], "rater_id": raters, "trial_id": trials}
            for table in reversed(t.metadata.sorted_tables):  # what refers to others goes before them
                if mine := next((name for name in owners if name in table.c), None):
                    connection.execute(sa.delete(table).where(table.c[mine].in_(owners[mine])))
            after = t.study.c.revises == row.id
            connection.execute(sa.update(t.study).where(after).values(revises=row.revises))
            connection.execute(sa.delete(t.study).where(t.study.c.id == row.id))
            drop_unused_wavs(connection)
        if self._mirror:
            self._mirror.delete_study(public_id)


def drop_unused_wavs(connection: Connection) -> None:
    """Deletes the stimuli of studies that are gone."""
    used = sa.select(t.stimulus.c.sha256)
    connection.execute(sa.delete(t.wav_file).where(t.wav_file.c.sha256.not_in(used)))


def is_closed_now(connection: Connection, number: int, ends: float | None, now: float) -> bool:
    """Whether the study of that row is over, or was closed and not opened again. ends: of the study; now: both s since 1970."""
    newest_first = _states().where(t.event.c.study_id == number).order_by(None).order_by(t.event.c.id.desc())
    last = connection.execute(newest_first.limit(1)).first()
    return is_closed(None if last is None else (last.kind, last.created), ends, now)


def _states() -> sa.Select:
    of_studies = t.event.c.rater_id.is_(None) & t.event.c.kind.in_((CLOSED, REOPENED))
    return sa.select(t.event.c.study_id, t.event.c.kind, t.event.c.created).where(of_studies).order_by(t.event.c.id)


def _root(number: int, parent: Mapping[int, int | None]) -> int:
    while (before := parent.get(number)) is not None:
        number = before
    return number
