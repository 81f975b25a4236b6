"""How far a study has come, by counting rows: no vote is read, no statistic computed, so that it may be asked every few seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from eval.listening.session.service import SETUP_STEPS
from eval.listening.storage import tables as t
from eval.listening.storage.records import StoredStudy
from eval.listening.storage.store import Store

ACTIVE_SECONDS = 300.0  # since the last sign of a listener, who is taken to be at it until then
MIN_HOURS, MAX_HOURS = 12, 48  # of the curve of answers


@dataclass(frozen=True)
class Session:
    """One rater. seen: their last sign, seconds since 1970; steps: kinds of events; answered, of: trials, training and checks among
    them."""

    rater: str
    seen: float
    steps: frozenset[str]
    answered: int
    of: int

    def place(self, questions: bool) -> str:
        """The step that was not done yet: one of `SETUP_STEPS`, "trial N", "questionnaire" or "done"."""
        for step in SETUP_STEPS:
            if step not in self.steps:
                return step
        if self.answered < self.of:
            return f"trial {self.answered + 1}"
        return "questionnaire" if questions and "questionnaire" not in self.steps else "done"


@dataclass(frozen=True)
class Progress:
    """Counts of raters, unless said otherwise.

    active: seen within `ACTIVE_SECONDS`, and not finished. hourly: (hour, answers in it), hours since 1970, of the last `MIN_HOURS` to
    `MAX_HOURS`. median_seconds: of a trial that counts, None without any. failed: {rule of a check: raters that it flagged}.
    reached: (step, raters who came to it), in the order of a session; left: (step, raters who stopped there), most first.
    """

    started: int
    finished: int
    active: int
    answers: int
    hourly: tuple[tuple[int, int], ...]
    median_seconds: float | None
    failed: dict[str, int]
    reached: tuple[tuple[str, int], ...]
    left: tuple[tuple[str, int], ...]
    last_answer: float | None


def progress_of(store: Store, stored: StoredStudy, now: float) -> Progress:
    """now: seconds since 1970. Errors: `StoreError`."""
    with store.snapshot() as connection:
        sessions = _sessions(connection, stored.number)
        hourly = _hourly(connection, stored.number, now)
        median, last = _median_seconds(connection, stored.number), _last_answer(connection, stored.number)
        failed = _failed(connection, stored.number)
    questions = bool(stored.study.questions)
    places = {session.rater: session.place(questions) for session in sessions}
    active = {s.rater for s in sessions if places[s.rater] != "done" and now - s.seen <= ACTIVE_SECONDS}
    left = Counter(place for rater, place in places.items() if place != "done" and rater not in active)
    return Progress(
        started=len(sessions),
        finished=sum(place == "done" for place in places.values()),
        active=len(active),
        answers=sum(session.answered for session in sessions),
        hourly=hourly,
        median_seconds=median,
        failed=failed,
        reached=_reached(list(places.values()), max((s.of for s in sessions), default=0), questions),
        left=tuple(left.most_common()),
        last_answer=last,
    )


def _reached(places: Sequence[str], trials: int, questions: bool) -> tuple[tuple[str, int], ...]:
    """Somebody who is at a step has come to all before it. The end is a step, too."""
    ends = ("questionnaire", "done") if questions else ("done",)
    steps = [*SETUP_STEPS, *(f"trial {n}" for n in range(1, trials + 1)), *ends]
    number = {step: k for k, step in enumerate(steps)}
    at = Counter(number[place] for place in places)
    beyond, found = len(places), []
    for k, step in enumerate(steps):
        found.append((step, beyond))
        beyond -= at[k]
    return tuple(found)


def _sessions(connection: Connection, study: int) -> list[Session]:
    answered = (
        sa.select(
            t.trial.c.rater_id,
            sa.func.count(t.response.c.id).label("answered"),
            sa.func.max(t.trial.c.created).label("shown"),
            sa.func.max(t.response.c.created).label("last"),
        )
        .select_from(t.trial.join(t.rater).outerjoin(t.response))
        .where(t.rater.c.study_id == study)
        .group_by(t.trial.c.rater_id)
        .subquery()
    )
    length = sa.func.json_array_length(t.rater.c.plan).label("length")
    wanted = sa.select(t.rater.c.id, t.rater.c.created, length, answered.c.answered, answered.c.shown, answered.c.last)
    rows = connection.execute(wanted.select_from(t.rater.outerjoin(answered)).where(t.rater.c.study_id == study)).all()
    events = sa.select(t.event.c.rater_id, t.event.c.kind, t.event.c.created)
    steps: dict[str, set[str]] = {row.id: set() for row in rows}
    seen = {row.id: max(filter(None, (row.created, row.shown, row.last))) for row in rows}
    for event in connection.execute(events.where(t.event.c.study_id == study, t.event.c.rater_id.is_not(None))):
        if event.rater_id in steps:
            steps[event.rater_id].add(event.kind)
            seen[event.rater_id] = max(seen[event.rater_id], event.created)
    return [Session(row.id, seen[row.id], frozenset(steps[row.id]), row.answered or 0, row.length) for row in rows]


def _hourly(connection: Connection, study: int, now: float) -> tuple[tuple[int, int], ...]:
    # Rounding is the one way to whole numbers in which SQLite and PostgreSQL agree
    hour = sa.func.round(t.response.c.created / 3600 - 0.5).label("hour")
    wanted = sa.select(hour, sa.func.count()).select_from(t.response.join(t.trial).join(t.rater))
    last = int(now // 3600)
    recent = t.response.c.created >= (last - MAX_HOURS + 1) * 3600.0
    found = connection.execute(wanted.where(t.rater.c.study_id == study, recent).group_by(hour)).all()
    counts = {int(row[0]): row[1] for row in found}
    first = min([*counts, last - MIN_HOURS + 1])
    return tuple((at, counts.get(at, 0)) for at in range(first, last + 1))


def _median_seconds(connection: Connection, study: int) -> float | None:
    counted = (t.rater.c.study_id == study) & (t.trial.c.kind == "trial")
    joined = t.response.join(t.trial).join(t.rater)
    count = connection.scalar(sa.select(sa.func.count()).select_from(joined).where(counted)) or 0
    if not count:
        return None
    dwell = sa.select(t.response.c.dwell_ms).select_from(joined).where(counted).order_by(t.response.c.dwell_ms)
    middle = connection.scalars(dwell.offset((count - 1) // 2).limit(2 - count % 2)).all()
    return sum(middle) / len(middle) / 1000


def _last_answer(connection: Connection, study: int) -> float | None:
    wanted = sa.select(sa.func.max(t.response.c.created)).select_from(t.response.join(t.trial).join(t.rater))
    return connection.scalar(wanted.where(t.rater.c.study_id == study))


def _failed(connection: Connection, study: int) -> dict[str, int]:
    """Of the checks during a session; screening compares raters, and has no part in this."""
    count = sa.func.count(sa.distinct(t.flag.c.rater_id))
    wanted = sa.select(t.flag.c.rule, count).select_from(t.flag.join(t.rater)).where(t.rater.c.study_id == study)
    found = {row[0]: row[1] for row in connection.execute(wanted.group_by(t.flag.c.rule).order_by(t.flag.c.rule))}
    checks = sa.select(t.event.c.data).where(t.event.c.study_id == study, t.event.c.kind == "headphones")
    outcomes = list(connection.scalars(checks))
    skipped = sum(bool(outcome.get("skipped")) for outcome in outcomes)
    failed = sum(not outcome.get("passed", True) for outcome in outcomes) - skipped
    named = {"headphones skipped": skipped, "headphones failed": failed}
    return found | {name: count for name, count in named.items() if count > 0}
