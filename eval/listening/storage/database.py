"""The connection to the database: SQLite in the data directory, or PostgreSQL by `DATABASE_URL`.

SQLite writes ahead and waits for the disk (WAL, synchronous FULL), so that a killed process or a power cut loses nothing that
was confirmed.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError

LOCK_SECONDS = 30  # that a write waits for another writer
MAX_CONNECTIONS = 15  # of one process to PostgreSQL, which by default allows 100 of all
CONNECT_SECONDS = 10  # until a PostgreSQL that does not answer counts as away
TRUSTED_SECONDS = 1.0  # after its last use, in which a connection to PostgreSQL is used again without being tried
MAX_PAUSE_SECONDS = 60  # inside a transaction: a process that was suspended must not hold its locks against all others


class StoreError(RuntimeError):
    """Nothing could be written or read; nothing that was confirmed before is lost."""


def database_url(data_dir: Path, given: str = "") -> str:
    """The given address, else `DATABASE_URL`, else a file in the data directory."""
    url = given or os.environ.get("DATABASE_URL", "").strip()
    return full_url(url) if url else f"sqlite:///{data_dir / 'listening' / 'listening.db'}"


def full_url(url: str) -> str:
    """The URL in SQLAlchemy's form, also from the short form (postgres://) that hosts provide."""
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme in ("postgres", "postgresql") else url


def make_engine(url: str) -> Engine:
    """The engine of an address, with the settings that this program relies on. Errors: `StoreError`."""
    with reported():
        if not url.startswith("sqlite"):
            return _postgresql(url)
        path = sa.make_url(url).database or ":memory:"
        engine = sa.create_engine(url, creator=_opener(path))

    @sa.event.listens_for(engine, "checkout")
    def _on_checkout(_connection, record, _proxy) -> None:
        # A connection to a file that was moved or replaced would write rows that no reader finds
        if record.info["file"] != _identity(path):
            raise sa.exc.DisconnectionError("the database is another file now")

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection, record) -> None:
        record.info["file"] = _identity(path)
        connection.isolation_level = None  # transactions begin in `_on_begin`, not implicitly
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection) -> None:
        # A reader that turns writer in the middle would be refused when another process has written meanwhile
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(url: str) -> Engine:
    """Connections that nobody has used for a while are tried before they are used, so that a server that was started anew costs no
    answer. Those that were used last are used first: their statements are prepared."""
    if sa.make_url(url).get_backend_name() != "postgresql":
        raise sa.exc.ArgumentError("allowed are postgresql://user@host/name and sqlite:///FILE")
    pool = {"pool_size": MAX_CONNECTIONS, "max_overflow": 0, "pool_use_lifo": True, "pool_timeout": LOCK_SECONDS}
    engine = sa.create_engine(url, **pool, connect_args={"connect_timeout": CONNECT_SECONDS})

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection, _record) -> None:
        connection.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
        connection.execute(f"SET idle_in_transaction_session_timeout = '{MAX_PAUSE_SECONDS}s'")
        connection.commit()

    @sa.event.listens_for(engine, "checkin")
    def _on_checkin(_connection, record) -> None:
        record.info["used"] = time.monotonic()

    @sa.event.listens_for(engine, "checkout")
    def _on_checkout(connection, record, _proxy) -> None:
        used = record.info.get("used")  # none for a new one
        if used is None or time.monotonic() - used < TRUSTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise sa.exc.InvalidatePoolError("the server was started anew") from error

    return engine


def _opener(path: str) -> Callable[[], sqlite3.Connection]:
    """Makes the file only the first time: one that is gone later is an error and not an empty database."""
    opened = False

    def connect() -> sqlite3.Connection:
        nonlocal opened
        address = f"file:{urllib.parse.quote(path)}?mode={'rw' if opened else 'rwc'}"
        connection = sqlite3.connect(address, timeout=LOCK_SECONDS, check_same_thread=False, uri=True)
        opened = True
        return connection

    return connect


def _identity(path: str) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        found = os.stat(path)
        return found.st_dev, found.st_ino
    return None


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Raises errors of the database as `StoreError`, except IntegrityError: a row that exists already."""
    try:
        yield
    except IntegrityError:
        raise
    except (sa.exc.ArgumentError, sa.exc.DBAPIError, sa.exc.TimeoutError, ModuleNotFoundError, OSError) as error:
        first = str(getattr(error, "orig", None) or error).strip().splitlines()[:1]
        raise StoreError(f"the database of the studies cannot be used: {''.join(first)}") from error
