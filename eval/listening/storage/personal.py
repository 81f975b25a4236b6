"""What is stored of one person: given to the person, and deleted, on request or when its time is over.

A deletion leaves one trace: a hash of the rater's random id, by which copies that were made before are cleaned of the person too.
"""

from __future__ import annotations

import contextlib

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from eval.listening.storage import tables as t
from eval.listening.storage.admissions import Admissions
from eval.listening.storage.hashes import hash_of
from eval.listening.storage.records import COMPLETED, TURNED_AWAY, Rater

DAY_SECONDS = 24 * 3600.0


class Personal(Admissions):
    """The data of single raters in the database."""

    def delete_rater(self, rater: Rater) -> None:
        """Deletes everything about the rater, the participant's id too, here and in the mirror."""
        with contextlib.suppress(IntegrityError), self._write() as connection:  # deleted twice at the same moment
            for table in (t.event, t.flag, t.participant, t.place, t.trial, t.rater):
                column = table.c.id if table is t.rater else table.c.rater_id
                if table is t.trial:
                    mine = sa.select(t.trial.c.id).where(t.trial.c.rater_id == rater.id)
                    connection.execute(sa.delete(t.response).where(t.response.c.trial_id.in_(mine)))
                connection.execute(sa.delete(table).where(column == rater.id))
            connection.execute(sa.insert(t.deletion).values(rater_sha256=hash_of(rater.id), created=self._clock()))
        if self._mirror:
            self._mirror.delete_rater(rater.public_id, rater.id)

    def delete_expired(self) -> list[str]:
        """Deletes the raters who began longer ago than their study keeps them; their ids."""
        with self._read() as connection:
            studies = connection.execute(sa.select(t.study.c.id, t.study.c.config)).all()
            limits = [(row.id, days) for row in studies if (days := row.config.get("keep_days"))]
            begun = sa.select(t.rater.c.id)
            expired = [
                rater
                for study, days in limits
                for rater in connection.scalars(
                    begun.where(t.rater.c.study_id == study, t.rater.c.created < self._clock() - days * DAY_SECONDS)
                )
            ]
        for rater in filter(None, map(self.rater, expired)):
            self.delete_rater(rater)
        return expired

    def deleted(self) -> set[str]:
        """`hash_of` all raters who were deleted."""
        with self._read() as connection:
            return set(connection.scalars(sa.select(t.deletion.c.rater_sha256)))

    def own_data(self, rater: Rater) -> dict:
        """Everything about the rater, JSON-ready; while the session goes on without what would tell how answers are checked, and
        without the code that proves its end. Which output was heard is no part of it: that is the study's."""
        mine = t.rater.c.id == rater.id
        columns = [t.trial.c.number.label("trial"), t.trial.c.created.label("shown_at")]
        said = [t.response.c[name] for name in ("answer", "heard", "plays", "switches", "dwell_ms")]
        answers = sa.select(*columns, t.response.c.created.label("answered_at"), *said).select_from(
            t.response.join(t.trial)
        )
        with self._read() as connection:
            row = connection.execute(sa.select(t.rater).where(mine)).one()
            ids = connection.execute(sa.select(t.participant).where(t.participant.c.rater_id == rater.id)).first()
            events = connection.execute(sa.select(t.event).where(t.event.c.rater_id == rater.id)).all()
            flags = connection.scalars(sa.select(t.flag.c.rule).where(t.flag.c.rater_id == rater.id)).all()
            own = answers.where(t.trial.c.rater_id == rater.id).order_by(t.trial.c.number)
            found = [dict(answer._mapping) for answer in connection.execute(own)]
        keep = ("participant", "platform_study", "platform_session")
        is_over = bool({COMPLETED, TURNED_AWAY} & {event.kind for event in events}) or len(found) == len(rater.plan) > 0
        return {
            "study": rater.public_id,
            "number": rater.id,
            "began": row.created,
            "language": row.language,
            "device": row.device,
            "participant": {name: getattr(ids, name) for name in keep} if ids else None,
            "steps": {event.kind: {"at": event.created, **event.data} for event in events},
            "answers": found,
            **({"code": rater.code, "flags": list(flags)} if is_over else {}),
        }
