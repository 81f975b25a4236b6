"""What stands in the database afterwards, beside what the servers had acknowledged; and the figures of the run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deploy.endurance.comparisons import Compared
from deploy.endurance.raters import Measured, Rater
from deploy.endurance.studies import Asked

MAX_P95_SECONDS = 0.5  # of every call of the rating page


@dataclass(frozen=True)
class Stored:
    """answers: acknowledged, and so many of them stored; lost, doubled, changed, unknown: nonces; sessions: rows of raters, of whom
    `twice` were begun a second time, since the process died before it could say that it had begun the first; problems: of plans."""

    acknowledged: int
    stored: int
    lost: int
    doubled: int
    changed: int
    unknown: int
    sessions: int
    twice: int
    problems: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether each acknowledged answer stands once and as it was given, nothing else stands, and all plans are kept."""
        return not (self.lost or self.doubled or self.changed or self.unknown or self.problems)


def compare_with_database(data_dir: Path, database: str, studies: Sequence[Asked], raters: Sequence[Rater]) -> Stored:
    """Reads the database directly, past the app and its caches."""
    from eval.listening.session.open import open_store

    store = open_store(data_dir, mirrored=False, database=database)
    acknowledged = {nonce: answer for rater in raters for nonce, answer in rater.acknowledged.items()}
    rows = [row for study in studies for row in store.answers(study.public_id)]
    sessions = [(study, rater) for study in studies for rater in store.raters(study.public_id)]
    store.close()
    counts = Counter(row["nonce"] for row in rows)
    answers = {row["nonce"]: row["answer"] for row in rows}
    begun = Counter(study.public_id for study, _ in sessions)
    return Stored(
        acknowledged=len(acknowledged),
        stored=len(rows),
        lost=len(acknowledged.keys() - counts.keys()),
        doubled=sum(count > 1 for count in counts.values()),
        changed=sum(answers[nonce] != answer for nonce, answer in acknowledged.items() if nonce in answers),
        unknown=len(counts.keys() - acknowledged.keys()),
        sessions=len(sessions),
        twice=len(sessions) - len(raters),
        problems=tuple(_problems_of_plans(studies, sessions, rows, begun, raters)),
    )


def _problems_of_plans(studies, sessions, rows, begun, raters) -> Iterable[str]:
    design = defaultdict(list)
    for study, rater in sessions:
        design[study.public_id].append(rater["row"])
    for study in studies:
        if sorted(design[study.public_id]) != list(range(begun[study.public_id])):
            yield f"rows of the design of {study.mode} are not 0 to {begun[study.public_id] - 1}, each once"
    numbers = defaultdict(list)
    for row in rows:
        numbers[row["rater"]].append(row["number"])
    planned = {rater["rater"]: rater["trials"] for _, rater in sessions}
    for rater, found in numbers.items():
        if sorted(found) != list(range(planned[rater])):
            yield f"rater {rater} has answered {len(found)} of {planned[rater]} trials"
    if unfinished := sum(not rater.ended for rater in raters):
        yield f"{unfinished} sessions did not come to their end"


def table(measured: Measured) -> list[tuple[str, int, float, float, float]]:
    """(call, how many, p50, p95, p99 in seconds), and all of them together at the end."""
    together = [value for values in measured.latencies.values() for value in values]
    lines = [*sorted(measured.latencies.items()), ("all", together)]
    return [(name, len(values), *np.percentile(values, (50, 95, 99))) for name, values in lines if values]


def is_fast(measured: Measured) -> bool:
    """Whether 95 % of all requests were acknowledged within `MAX_P95_SECONDS`."""
    return table(measured)[-1][3] < MAX_P95_SECONDS


def is_whole(compared: Compared) -> bool:
    """Whether every comparison arrived."""
    return compared.asked == compared.arrived
