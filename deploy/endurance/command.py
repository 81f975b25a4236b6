"""python -m deploy endurance: several servers on this machine under raters, visitors and kills; what they lost, and how fast they were."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.endurance.comparisons import Compared, Visitors
from deploy.endurance.faults import kill_until
from deploy.endurance.programs import Start, family_seconds, raise_on_sigterm, start_python
from deploy.endurance.raters import Measured, Rater, rate
from deploy.endurance.service import Service, service
from deploy.endurance.studies import make_studies
from deploy.endurance.verdict import Stored, compare_with_database, is_fast, is_whole, table

VISITORS = 2  # who compare
VISITOR_PAUSE_SHARE = 1 / 40  # of the whole time, between two comparisons of one visitor


@dataclass(frozen=True)
class Plan:
    """How much is asked of the servers. seconds: about, of all sessions together; kill_every: seconds; most_kills: of apps, and of
    workers, None: until the sessions are over; trials: of a rater, checks not counted."""

    raters: int = 300
    studies: int = 3
    seconds: float = 600.0
    kill_every: float = 30.0
    most_kills: int | None = None
    apps: int = 3
    workers: int = 2
    trials: int = 8


@dataclass(frozen=True)
class Outcome:
    """kills: of apps and workers; seconds: that the sessions took; app_seconds: of processor time in the apps, their starts not
    counted; start_seconds: of those starts that the kills made necessary; other_seconds: {PostgreSQL, nginx: of processor time};
    database_bytes: by which the database has grown."""

    stored: Stored
    measured: Measured
    compared: Compared
    kills: tuple[int, int]
    seconds: float
    app_seconds: float
    start_seconds: float
    other_seconds: Mapping[str, float]
    database_bytes: int

    @property
    def holds(self) -> bool:
        """Whether nothing was lost, doubled or changed."""
        return self.stored.holds and is_whole(self.compared)


def endure(plan: Plan, folder: Path, start: Start = start_python, tell: Callable[[str], None] = print) -> Outcome:
    """Runs it in the folder. start: starts a Python of this project. Errors: ValueError for a program that is not installed."""
    tell(f"starting PostgreSQL, Redis, {plan.apps} processes of the app, {plan.workers} workers and nginx in {folder}")
    with service(folder, plan.apps, plan.workers, start) as running:
        asked = make_studies(running.data_dir, running.database, plan.studies, plan.trials)
        raters = [Rater(asked[number % len(asked)], number) for number in range(plan.raters)]
        measured, before = Measured(), _used(running)
        tell(
            f"{plan.raters} raters in {plan.studies} studies over {plan.seconds:.0f} s, a kill of each kind every {plan.kill_every:.0f} s"
        )
        visitors = Visitors(running.url, VISITORS, folder, VISITOR_PAUSE_SHARE * plan.seconds)
        began = time.monotonic()
        with _kills(plan, running):
            asyncio.run(rate(running.url, raters, plan.seconds, measured))
        seconds, used = time.monotonic() - began, _used(running)
        return Outcome(
            compare_with_database(running.data_dir, running.database, asked, raters),
            measured,
            visitors.end(),
            (sum(app.kills for app in running.apps), sum(worker.kills for worker in running.workers)),
            seconds,
            used["apps"] - before["apps"],
            used["starts"] - before["starts"],
            {program.name: used[program.name] - before[program.name] for program in running.others},
            round(used["bytes"] - before["bytes"]),
        )


@contextlib.contextmanager
def _kills(plan: Plan, running: Service):
    """Until the raters are done. After an error the thread ends with this program."""
    ended = threading.Event()
    killer = threading.Thread(target=kill_until, args=(running, plan.kill_every, ended, plan.most_kills), daemon=True)
    killer.start()
    yield
    if plan.most_kills is None:
        ended.set()  # else a short run, whose kills were promised
    killer.join()


def _used(running: Service) -> dict[str, float]:
    """So far: seconds of processor time, and bytes of the database."""
    return {
        "apps": sum(app.served_seconds for app in running.apps),
        "starts": sum(app.start_seconds for app in running.apps),
        "bytes": _database_bytes(running.database),
        **{program.name: family_seconds(program.pid) for program in running.others},
    }


def report(outcome: Outcome) -> list[str]:
    """Lines for people."""
    stored, measured, compared = outcome.stored, outcome.measured, outcome.compared
    lines = [f"{'call':15}{'requests':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}"]
    for name, count, *times in table(measured):
        lines.append(f"{name:15}{count:9}" + "".join(f"{1e3 * seconds:9.0f}" for seconds in times))
    requests = sum(len(values) for values in measured.latencies.values())
    lines += [
        "(from the moment it was due to the acknowledgement, waits between tries included)",
        f"requests        {requests / outcome.seconds:.1f}/s over {outcome.seconds:.0f} s; {measured.again} of {measured.tries} tries repeated another",
        f"kills           {outcome.kills[0]} processes of the app, {outcome.kills[1]} workers",
        f"answers         {stored.acknowledged} acknowledged, {stored.stored} stored: {stored.lost} lost, {stored.doubled} doubled, "
        f"{stored.changed} changed, {stored.unknown} that nobody gave",
        f"sessions        {stored.sessions}, {stored.twice} of them begun again since the process died before it had said so",
        f"comparisons     {compared.arrived} of {compared.asked} arrived, {compared.asked - compared.arrived} lost; "
        f"{compared.again} submitted again; median {_median(compared.seconds):.1f} s",
        f"processor       {1e3 * outcome.app_seconds / max(requests, 1):.1f} ms of the apps per request, everything they do counted; "
        + "; ".join(
            f"{1e3 * value / max(requests, 1):.1f} ms of {name}" for name, value in outcome.other_seconds.items()
        )
        + f"; {outcome.start_seconds:.0f} s of new processes of the app",
        f"load            {1e3 * measured.processor_seconds / max(requests, 1):.1f} ms of processor of the raters per request; "
        f"95 % of their requests began within {1e3 * _percentile_95(measured.late):.0f} ms after they were due",
        f"database        {outcome.database_bytes / max(stored.stored, 1):.0f} bytes per answer, sessions and indexes counted",
        f"sounds          {measured.sound_bytes / max(measured.sounds, 1) / 1e3:.0f} kB each, {measured.sounds / max(stored.stored, 1):.1f} per answer",
        *stored.problems,
        *compared.problems,
    ]
    return lines


def endurance_command(plan: Plan) -> int:
    """0 where nothing was lost and the 95th percentile is within its bound."""
    raise_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="endurance-") as folder:
        outcome = endure(plan, Path(folder))
    print(*report(outcome), sep="\n")
    if not outcome.holds:
        print("NOT held: something was lost, doubled or changed")
    if not is_fast(outcome.measured):
        print("NOT held: the 95th percentile of all requests is above 500 ms")
    return 0 if outcome.holds and is_fast(outcome.measured) else 1


def _database_bytes(database: str) -> int:
    import psycopg

    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return int(row[0]) if row else 0


def _percentile_95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * len(values))] if values else float("nan")


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2] if values else float("nan")
