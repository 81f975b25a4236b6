"""Reading and writing the database of the studies: whole transactions, writers in turn, and one kind of error."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from eval.listening.storage import tables as t
from eval.listening.storage.database import LOCK_SECONDS, StoreError, make_engine, reported

MAX_WRITERS = (
    8  # of one process at a time, with PostgreSQL: readers find connections beside writers that wait for a lock
)
MAKING_TABLES, CHANGING_STUDIES = 0x1AB01, 0x1AB02  # advisory locks of PostgreSQL; the numbers only have to differ


class _Undone(Exception):
    """Rolls back the transaction of `check`."""


class Transactions:
    """One database: its tables are made when they are first needed, and every access is a transaction."""

    def __init__(self, url: str) -> None:
        """Nothing is opened yet: a database that is away for a while is tried again with every call.

        Errors: `StoreError` for an address that is none.
        """
        self._engine, self._lock, self._has_tables = make_engine(url), threading.Lock(), False
        is_postgresql = self._engine.dialect.name == "postgresql"
        self._turns = threading.BoundedSemaphore(MAX_WRITERS if is_postgresql else 1)  # SQLite has one writer
        # PostgreSQL gives each statement of a reader a view of its own, transaction or not; without one it is asked a third as often
        self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT") if is_postgresql else self._engine

    def close(self) -> None:
        """Closes all connections."""
        self._engine.dispose()

    def check(self) -> None:
        """Writes and takes back a row, as every answer will be. Errors: `StoreError`."""
        empty = {"public_id": "-", "key_hash": "", "revision": 0, "config": {}, "config_sha256": "", "versions": {}}
        with contextlib.suppress(_Undone), self._write() as connection:
            connection.execute(sa.insert(t.study).values(**empty, created=0))
            raise _Undone

    @contextlib.contextmanager
    def _read(self) -> Iterator[Connection]:
        with reported():
            self._make_tables()
            with self._reading.connect() as connection:
                yield connection

    @contextlib.contextmanager
    def _write(self) -> Iterator[Connection]:
        """One transaction. Writers of this process that are too many wait for each other here, and not in the database."""
        with reported():
            self._make_tables()
            with self._turn(), self._engine.execution_options(writes=True).begin() as connection:
                yield connection

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Errors: `StoreError` if no writer is done within LOCK_SECONDS."""
        if not self._turns.acquire(timeout=LOCK_SECONDS):
            raise StoreError("the database of the studies is busy")
        try:
            yield
        finally:
            self._turns.release()

    def _make_tables(self) -> None:
        """Of several processes that start at once, one makes them, and the others wait for it."""
        if self._has_tables:
            return
        with self._lock:
            if t.metadata.tables.keys() - set(sa.inspect(self._engine).get_table_names()):
                with self._engine.execution_options(writes=True).begin() as connection:
                    hold(connection, MAKING_TABLES)
                    t.metadata.create_all(connection)
            self._has_tables = True

    @staticmethod
    def _study_row(connection: Connection, public_id: str) -> sa.Row:
        row = connection.execute(sa.select(t.study).where(t.study.c.public_id == public_id)).first()
        if row is None:
            raise KeyError(public_id)
        return row

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A consistent view of all tables, unchanged by writes that follow."""
        # A transaction of SQLite's sees nothing that is written after its first look; PostgreSQL's has to be told to
        options = {} if self._engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        with reported():
            self._make_tables()
            with self._engine.connect().execution_options(**options) as connection:
                yield connection

    def fill(self, rows: Mapping[sa.Table, Sequence[Mapping]]) -> None:
        """Writes whole tables, with their numbers, all of them or none."""
        with self._write() as connection:
            for table, content in rows.items():
                if content:
                    connection.execute(sa.insert(table), list(content))
                numbered = "id" in table.c and isinstance(table.c.id.type, sa.Integer)
                if content and numbered and connection.dialect.name == "postgresql":
                    following = sa.func.setval(
                        sa.func.pg_get_serial_sequence(table.name, "id"), sa.func.max(table.c.id)
                    )
                    connection.execute(sa.select(following))


def hold(connection: Connection, lock: int) -> None:
    """Waits for an advisory lock, and keeps it until the end of the transaction. A writer of SQLite is alone anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))


def lock_study(connection: Connection, number: int) -> None:
    """Keeps the study of that row as it is until the end of the transaction. SQLite has no such clause, and one writer.

    Errors: `StoreError` for one that is gone: another process has deleted or replaced it.
    """
    if connection.scalar(sa.select(t.study.c.id).where(t.study.c.id == number).with_for_update()) is None:
        raise StoreError("the study was just replaced or deleted; try again")
