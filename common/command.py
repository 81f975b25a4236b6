"""Shared by all commands of this project: one-line errors, notes, progress bars, nothing overwritten silently."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from common.memory import reuse_freed_memory
from common.unavailable import Unavailable


class Noticed(Protocol):
    """A `Recording`, or whatever keeps its notices."""

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences about its input that the person who gave it should read."""


def run(main: Callable[[], int]) -> None:
    """Run a command and leave: its exit code, or one line on stderr and 1."""
    reuse_freed_memory()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name need not be UTF-8; on stderr it is so anyway
    try:
        code = main()
    except (ValueError, Unavailable, OSError) as error:
        complain(error)
        code = 1
    except KeyboardInterrupt:
        complain("interrupted")
        code = 130
    sys.exit(code)


def complain(message: object) -> None:
    """Writes `error: ` and the message to stderr, in one line."""
    print(f"error: {' '.join(str(message).split())}", file=sys.stderr)


def mention(recording: Noticed, name: object) -> None:
    """Say on stderr what was unexpected about a recording that was used all the same."""
    for notice in recording.notices:
        note(f"{name}: {notice}")


def note(message: object) -> None:
    """A sentence without full stop, on stderr, about something that goes on all the same."""
    print(f"note: {' '.join(str(message).split())}.", file=sys.stderr)


def note_table(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """A note with a table of two columns below it, on stderr."""
    note(title)
    width = max((len(first) for first, _ in rows), default=0)
    for first, second in rows:
        print(f"  {first:{width}}  {second}", file=sys.stderr)


def refuse_overwriting(paths: Iterable[Path], force: bool, instead: str = "--force overwrites") -> None:
    """Errors: ValueError when something is there already and `force` was not given; `instead` says what helps."""
    existing = [path for path in paths if path.exists()]
    if existing and not force:
        more = f" and {len(existing) - 1} more" if len(existing) > 1 else ""
        raise ValueError(f"{existing[0]}{more} exists already; {instead}")


@contextlib.contextmanager
def counting_bar(unit: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr, where that is a terminal; what it yields is called with (done, total)."""
    from tqdm import tqdm

    with tqdm(unit=unit, disable=None) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show
