"""The store of studies and answers. An answer is committed before it is confirmed, and stored once however often it is sent."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from eval.listening.analysis.screening import Flag
from eval.listening.closing import CLOSED, REOPENED
from eval.listening.recruiting.platform import Visit
from eval.listening.storage import tables as t
from eval.listening.storage.admissions import insert_event
from eval.listening.storage.alarms import Alarms, alarms_of
from eval.listening.storage.database import StoreError
from eval.listening.storage.hashes import hash_of
from eval.listening.storage.owning import Owning, drop_unused_wavs, is_closed_now
from eval.listening.storage.personal import Personal
from eval.listening.storage.records import TITLE_OF, Rater, ShownTrial, Stimulus, StoredStudy
from eval.listening.storage.results_links import ResultsLinks
from eval.listening.storage.transactions import CHANGING_STUDIES, hold, lock_study
from eval.listening.study import Study, study_from
from eval.listening.trial import Trial

# What every request of a session asks, in one statement each
_ANSWERED = sa.select(sa.func.count()).select_from(t.response.join(t.trial)).where(t.trial.c.rater_id == t.rater.c.id)
_DONE = (
    sa.select(t.event.c.kind, _ANSWERED.scalar_subquery().label("answered"))
    .select_from(t.rater.outerjoin(t.event, t.event.c.rater_id == t.rater.c.id))
    .where(t.rater.c.id == sa.bindparam("rater"))
)
_SHOWN = (
    sa.select(t.trial, t.study.c.public_id)
    .select_from(t.trial.join(t.rater).join(t.study))
    .where(t.trial.c.nonce == sa.bindparam("nonce"))
)


def _new_key() -> str:
    """Not one that a command line would take for an option."""
    while (key := secrets.token_urlsafe(18)).startswith("-"):
        pass
    return key


class Store(Owning, ResultsLinks, Personal, Alarms):
    """Studies, raters and answers in the database, with a copy of every row in the mirror."""

    # ------------------------------------------------ studies

    def add_study(
        self,
        study: Study,
        stimuli: Sequence[Stimulus],
        wavs: Mapping[str, bytes],
        versions: Mapping[str, str],
        revises: str | None = None,
        key: str | None = None,
    ) -> tuple[str, str]:
        """(public id, key to the results, which is not kept). A study without raters is replaced by its revision.

        wavs: {SHA-256: file} of all stimuli that are not stored yet. key: that of an earlier revision, to open this one too; None:
        a new one. Study and stimuli are there together, or not at all.

        Errors: `StoreError`; KeyError for an unknown `revises`.
        """
        public_id, key = secrets.token_hex(8), key or _new_key()
        with self._write() as connection:
            hold(connection, CHANGING_STUDIES)  # another process might delete a stimulus that both studies have
            before = revision = follows = None
            if revises is not None:
                before = self._study_row(connection, revises)
                lock_study(connection, before.id)
                started = connection.scalar(sa.select(sa.func.count()).where(t.rater.c.study_id == before.id))
                revision, follows = before.revision + 1, before.id
                if not started:
                    public_id, revision, follows = before.public_id, before.revision, before.revises
                    connection.execute(sa.delete(t.study).where(t.study.c.id == before.id))
            inserted = connection.execute(
                sa.insert(t.study).values(
                    public_id=public_id,
                    key_hash=hash_of(key),
                    revision=revision or 1,
                    revises=follows,
                    config=asdict(study),
                    config_sha256=study.sha256,
                    versions=dict(versions),
                    created=self._clock(),
                )
            ).inserted_primary_key
            assert inserted is not None
            number = inserted[0]
            known = set(connection.scalars(sa.select(t.wav_file.c.sha256).where(t.wav_file.c.sha256.in_(wavs))))
            if new := [{"sha256": sha256, "wav": wav} for sha256, wav in wavs.items() if sha256 not in known]:
                connection.execute(sa.insert(t.wav_file), new)
            connection.execute(sa.insert(t.stimulus), [{"study_id": number, **asdict(s)} for s in stimuli])
            drop_unused_wavs(connection)  # of a study that was replaced
        self._copy("study", public_id, {"config": study.shareable(), "stimuli": [asdict(s) for s in stimuli]})
        return public_id, key

    def study(self, public_id: str) -> StoredStudy:
        """Errors: KeyError."""
        with self._read() as connection:
            row = self._study_row(connection, public_id)
            stimuli = connection.execute(sa.select(t.stimulus).where(t.stimulus.c.study_id == row.id)).all()
            study = study_from(row.config)
            closed = is_closed_now(connection, row.id, study.ends, self._clock())
            alarms = alarms_of(connection, row.id)
        found = tuple(Stimulus(s.item, s.condition, s.sha256, s.seconds, s.made, s.metrics) for s in stimuli)
        named = {key.removeprefix(TITLE_OF): name for key, name in row.versions.items() if key.startswith(TITLE_OF)}
        about = {"alarms": alarms, "versions": row.versions, "created": row.created}
        return StoredStudy(row.id, public_id, row.revision, study, found, closed, named, **about)

    def wav(self, sha256: str) -> bytes:
        """Errors: KeyError."""
        with self._read() as connection:
            content = connection.scalar(sa.select(t.wav_file.c.wav).where(t.wav_file.c.sha256 == sha256))
        if content is None:
            raise KeyError(sha256)
        return bytes(content)

    def studies(self) -> list[dict]:
        """Every study with the number of raters who started, newest first."""
        raters = sa.select(sa.func.count()).where(t.rater.c.study_id == t.study.c.id).scalar_subquery()
        with self._read() as connection:
            rows = connection.execute(sa.select(t.study, raters.label("raters")).order_by(t.study.c.id.desc())).all()
        keep = ("public_id", "revision", "created", "raters")
        return [{name: getattr(row, name) for name in keep} | {"name": row.config["name"]} for row in rows]

    def set_closed(self, public_id: str, closed: bool) -> None:
        """Closes or reopens a study, and notes the event. Errors: KeyError, `StoreError`."""
        with self._write() as connection:
            number = self._study_row(connection, public_id).id
            lock_study(connection, number)  # nobody is let in behind it who was looked at before it
            insert_event(connection, self._clock(), number, None, CLOSED if closed else REOPENED, {})

    # ------------------------------------------------ raters

    def add_rater(
        self, public_id: str, language: str, device: Mapping[str, object], visit: Visit | None = None
    ) -> Rater:
        """As `start`. Errors: KeyError too."""
        return self.start(self.study(public_id), language, device, visit)

    def event(self, rater: Rater, kind: str) -> dict | None:
        """What is stored with an event of the rater."""
        with self._read() as connection:
            return connection.scalar(
                sa.select(t.event.c.data).where(t.event.c.rater_id == rater.id, t.event.c.kind == kind)
            )

    def done(self, rater: Rater) -> tuple[set[str], int]:
        """Kinds of events so far, and how many trials are answered."""
        with self._read() as connection:
            rows = connection.execute(_DONE, {"rater": rater.id}).all()
        return {row.kind for row in rows if row.kind}, rows[0].answered if rows else 0

    def given(self, rater: Rater) -> dict[int, Any]:
        """{number of a trial: the rater's answer}."""
        wanted = sa.select(t.trial.c.number, t.response.c.answer).select_from(t.response.join(t.trial))
        with self._read() as connection:
            return {row.number: row.answer for row in connection.execute(wanted.where(t.trial.c.rater_id == rater.id))}

    def add_event(self, rater: Rater, kind: str, data: Mapping[str, object]) -> None:
        """Stores the first event of each kind; later ones are dropped."""
        with contextlib.suppress(IntegrityError):
            with self._write() as connection:
                insert_event(connection, self._clock(), rater.study, rater.id, kind, data)
            self._copy("event", rater.public_id, {"rater": rater.id, "kind": kind, "data": dict(data)})

    def show(self, rater: Rater, number: int) -> ShownTrial:
        """The trial with that number of the rater's plan; the same nonce however often it is shown."""
        known = sa.select(t.trial).where(t.trial.c.rater_id == rater.id, t.trial.c.number == number)
        with self._read() as connection:
            row = connection.execute(known).first()
        if row is None:
            with contextlib.suppress(IntegrityError), self._write() as connection:
                self._insert_trial(connection, rater, number)
            with self._read() as connection:
                row = connection.execute(known).first()
        if row is None:
            raise StoreError("the rater was just deleted")
        return _shown(row)

    def shown(self, nonce: str) -> tuple[str, ShownTrial, str] | None:
        """(the rater's id, the trial, the study's public id), None for a nonce that was never given out."""
        with self._read() as connection:
            row = connection.execute(_SHOWN, {"nonce": nonce}).first()
        return None if row is None else (row.rater_id, _shown(row), row.public_id)

    def add_response(
        self,
        rater: Rater,
        shown: ShownTrial,
        response: Mapping[str, object],
        flags: Sequence[Flag] = (),
        following: int | None = None,
    ) -> bool:
        """Whether the answer is new; the first one to a trial is kept. flags: of this answer, stored in the same transaction.
        following: number of the trial that is shown next, where that is known: its row is in the transaction too.

        Errors: `StoreError`, then nothing was stored.
        """
        raised = [{"rater_id": rater.id, "rule": f.rule, "version": f.version, "detail": f.detail} for f in flags]
        trial = sa.select(t.trial.c.id).where(t.trial.c.nonce == shown.nonce).scalar_subquery()
        try:
            with self._write() as connection:
                connection.execute(sa.insert(t.response).values(trial_id=trial, created=self._clock(), **response))
                if raised:
                    connection.execute(sa.insert(t.flag), [{**flag, "created": self._clock()} for flag in raised])
                if following is not None:
                    self._insert_trial(connection, rater, following)
        except IntegrityError:
            return False
        self._copy("response", rater.public_id, {"rater": rater.id, **_flat(shown), **response})
        for flag in raised:
            self._copy("flag", rater.public_id, flag)
        return True

    def _insert_trial(self, connection: Connection, rater: Rater, number: int) -> None:
        """Unless it is there: two tabs, or two processes, may ask at once. Errors: IntegrityError for a rater who was deleted."""
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        values = {"rater_id": rater.id, "number": number, "nonce": secrets.token_hex(12), **asdict(rater.plan[number])}
        connection.execute(insert(t.trial).values(**values, created=self._clock()).on_conflict_do_nothing())

    # ------------------------------------------------ everything, for the results

    def answers(self, public_id: str) -> list[dict]:
        """A row per answer, with its trial and its rater, in the order they came."""
        trial = [t.trial.c[name] for name in ("number", "nonce", "kind", "item", "shown", "x")]
        said = [t.response.c[name] for name in ("answer", "heard", "plays", "switches", "dwell_ms")]
        times = [t.trial.c.created.label("shown_at"), t.response.c.created.label("answered_at")]
        rater = [t.rater.c.id.label("rater"), t.rater.c.row, t.rater.c.language]
        with self._read() as connection:
            number = self._study_row(connection, public_id).id
            wanted = sa.select(*rater, *trial, *said, *times).select_from(t.response.join(t.trial).join(t.rater))
            rows = connection.execute(wanted.where(t.rater.c.study_id == number).order_by(t.response.c.id)).all()
        return [dict(row._mapping) for row in rows]

    def raters(self, public_id: str) -> list[dict]:
        """A row per rater, with their events and flags. Ids of participants are not among them."""
        with self._read() as connection:
            number = self._study_row(connection, public_id).id
            mine = t.rater.c.study_id == number
            rows = connection.execute(sa.select(t.rater).where(mine).order_by(t.rater.c.row)).all()
            events = connection.execute(sa.select(t.event).where(t.event.c.study_id == number)).all()
            flags = connection.execute(sa.select(t.flag).select_from(t.flag.join(t.rater)).where(mine)).all()
        return [
            {
                "rater": row.id,
                "row": row.row,
                "language": row.language,
                "device": row.device,
                "code": row.code,
                "created": row.created,
                "trials": len(row.plan),
                "events": {e.kind: e.data for e in events if e.rater_id == row.id},
                "flags": [
                    {"rule": f.rule, "version": f.version, "detail": f.detail} for f in flags if f.rater_id == row.id
                ],
            }
            for row in rows
        ]


def _shown(row: sa.Row) -> ShownTrial:
    return ShownTrial(row.number, row.nonce, Trial(row.kind, row.item, tuple(row.shown), row.x), row.created)


def _flat(shown: ShownTrial) -> dict:
    return {"number": shown.number, "nonce": shown.nonce, **asdict(shown.trial), "shown_at": shown.since}
