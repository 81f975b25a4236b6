"""The processes of an app that a test has started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from server.process_main import NAME
from tests.waiting import until


def descendants(pid: int) -> Iterator[tuple[int, str]]:
    """(number, name) of the processes that it started, of those that these started, and so on."""
    started: dict[int, list[tuple[int, str]]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, _, rest = stat.read_text().partition(" (")
        except OSError:
            continue  # it has ended meanwhile
        name, _, fields = rest.rpartition(") ")
        started.setdefault(int(fields.split()[1]), []).append((int(number), name))
    found = [(pid, "")]
    for parent, _ in found:
        found += started.get(parent, [])
    yield from found[1:]


def worker_of(app: int) -> int:
    """The computing process of the app, once it is there."""
    return until(
        lambda: next((number for number, name in descendants(app) if name == NAME), 0),
        "the app has a computing process",
    )
