"""Alarms about checks: raised once for each rule of a study, and answered by its owner."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from eval.listening.analysis.alarm import Alarm
from eval.listening.storage import tables as t
from eval.listening.storage.records import ALARM_ANSWERED, StoredStudy
from eval.listening.storage.transactions import Transactions


class Alarms(Transactions):
    """The alarms in the database."""

    _clock: Callable[[], float]

    def failures(self, stored: StoredStudy, rule: str) -> tuple[int, int]:
        """(raters who failed, raters who were asked) of a rule of `OF_ANSWERS`."""
        mine = t.rater.c.study_id == stored.number
        asked = sa.select(t.trial.c.rater_id).select_from(t.trial.join(t.response).join(t.rater))
        failed = sa.select(t.flag.c.rater_id).select_from(t.flag.join(t.rater)).where(mine, t.flag.c.rule == rule)
        with self._read() as connection:
            if rule == "headphones":
                events = sa.select(t.event.c.data).where(t.event.c.study_id == stored.number, t.event.c.kind == rule)
                passed = [bool(data.get("passed")) for data in connection.scalars(events)]
                return passed.count(False), len(passed)
            raters = set(connection.scalars(asked.where(mine, t.trial.c.kind == rule)))
            return len(raters & set(connection.scalars(failed))), len(raters)

    def add_alarm(self, stored: StoredStudy, alarm: Alarm) -> bool:
        """Whether it is the first of its rule."""
        values = {"rule": alarm.rule, "raters": alarm.raters, "failed": alarm.failed, "expected": alarm.expected}
        try:
            with self._write() as connection:
                connection.execute(sa.insert(t.alarm).values(study_id=stored.number, **values, created=self._clock()))
        except IntegrityError:
            return False
        return True

    def answer_alarm(self, public_id: str, rule: str, excludes: bool) -> None:
        """The owner has looked. excludes: whether the check works, and those who failed it are left out after all.

        Errors: KeyError for an alarm that was not raised.
        """
        joined = t.alarm.join(t.study)
        with self._write() as connection:
            wanted = sa.select(t.alarm.c.study_id).select_from(joined)
            number = connection.scalar(wanted.where(t.study.c.public_id == public_id, t.alarm.c.rule == rule))
            if number is None:
                raise KeyError(rule)
            values = {"study_id": number, "kind": ALARM_ANSWERED, "data": {"rule": rule, "excludes": excludes}}
            connection.execute(sa.insert(t.event).values(rater_id=None, created=self._clock(), **values))

    def open_alarms(self) -> int:
        """How many of all studies no owner has answered."""
        with self._read() as connection:
            numbers = connection.scalars(sa.select(t.alarm.c.study_id).distinct()).all()
            return sum(alarm.excludes is None for number in numbers for alarm in alarms_of(connection, number))


def alarms_of(connection: Connection, study: int) -> tuple[Alarm, ...]:
    """Of a study, in the order they were raised. study: number of its row."""
    rows = connection.execute(sa.select(t.alarm).where(t.alarm.c.study_id == study).order_by(t.alarm.c.id)).all()
    if not rows:
        return ()
    events = sa.select(t.event.c.data).where(t.event.c.study_id == study, t.event.c.kind == ALARM_ANSWERED)
    answers = {data["rule"]: data["excludes"] for data in connection.scalars(events.order_by(t.event.c.id))}
    return tuple(Alarm(row.rule, row.raters, row.failed, row.expected, answers.get(row.rule)) for row in rows)
