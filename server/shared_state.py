"""What several app processes share beside the database and the data directory: counts of requests, and rehearsals, in Redis.

One process alone keeps both in its memory. The package `redis` is needed only where an address of one is given.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from common.durable import drawn_once
from common.kept import MAX_AGE_SECONDS, Kept, MemoryKept
from eval.listening.session.service import Listening
from eval.listening.storage.database import StoreError
from eval.listening.storage.hashes import hash_of

PREFIX = "lab:"  # of all keys
ANSWER_SECONDS = 0.5  # until a Redis that says nothing counts as away
AWAY_SECONDS = 5.0  # for which one that was away is not asked again
AGREED_SECONDS = 180  # that a process may be silent until others may start with another secret
_log = logging.getLogger(__name__)


class Limiter:
    """Counts what clients do in moving windows. Where the shared counts are away, this process counts by itself."""

    def __init__(self, shared: Any = None) -> None:
        """shared: a storage of `limits`; None: there is one process."""
        from limits.storage import MemoryStorage
        from limits.strategies import MovingWindowRateLimiter

        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._shared = MovingWindowRateLimiter(shared) if shared else None
        self._errors: Any = shared.base_exceptions if shared else ()
        self._away_until = 0.0

    def hit(self, limit: Any, *names: str) -> bool:
        """Counts once more; whether that is within the limit, an item of `limits`. names: of the client, and of what is counted."""
        return self._ask("hit", limit, names)

    def test(self, limit: Any, *names: str) -> bool:
        """Whether one more would be within the limit."""
        return self._ask("test", limit, names)

    def _ask(self, what: str, limit: Any, names: tuple[str, ...]) -> bool:
        if self._shared and time.monotonic() >= self._away_until:
            try:
                return getattr(self._shared, what)(limit, *names)
            except self._errors as error:
                self._away_until = time.monotonic() + AWAY_SECONDS
                _log.warning("Redis is away, this process counts requests by itself: %s", error)
        return getattr(self._own, what)(limit, *names)


class RedisKept:
    """Values that any process reads and changes, until their time is over. Errors: `StoreError` while Redis is away."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def get(self, key: str) -> dict | None:
        """The value; None where there is none, or its time is over."""
        return self._asked(lambda: _read(self._client.get(_key(key))))

    def put(self, key: str, value: Mapping[str, Any]) -> None:
        """Keeps it for `MAX_AGE_SECONDS`."""
        self._asked(lambda: self._client.set(_key(key), json.dumps(value), ex=int(MAX_AGE_SECONDS)))

    def change(self, key: str, change: Callable[[dict], object]) -> dict | None:
        """As of `Kept`; done again where another process was faster."""

        def once(pipe: Any) -> dict | None:
            value = _read(pipe.get(_key(key)))
            pipe.multi()
            if value is not None:
                change(value)
                pipe.set(_key(key), json.dumps(value), keepttl=True)
            return value

        return self._asked(lambda: self._client.transaction(once, _key(key), value_from_callable=True))

    def remove(self, key: str) -> None:
        """Nothing happens where there is none."""
        self._asked(lambda: self._client.delete(_key(key)))

    def _asked(self, ask: Callable[[], Any]) -> Any:
        from redis.exceptions import RedisError

        try:
            return ask()
        except RedisError as error:
            raise StoreError(f"Redis cannot be used: {error}") from error


class SharedState:
    """limiter: of requests; kept: rehearsals. alone: whether there is one process, which is so without a Redis."""

    def __init__(self, redis_url: str = "") -> None:
        """Errors: ValueError with what to do, for an address that is none or where no Redis answers."""
        self._client = _connect(redis_url) if redis_url else None
        self._agreed: dict[str, str] = {}
        self._lock = threading.Lock()
        self.limiter = Limiter(_counts(redis_url, self._client) if self._client else None)
        self.kept: Kept = RedisKept(self._client) if self._client else MemoryKept()

    @property
    def alone(self) -> bool:
        """Whether nobody else uses the data directory."""
        return self._client is None

    def agree(self, name: str, value: str, otherwise: str) -> None:
        """All processes that run now must have the same value. Errors: ValueError with the sentence `otherwise`."""
        if self._client is None:
            return
        key = f"{PREFIX}agreed:{name}"
        self._client.set(key, value, nx=True, ex=AGREED_SECONDS)
        if self._client.get(key) != value.encode():
            raise ValueError(otherwise)
        with self._lock:
            self._agreed[key] = value

    def refresh(self) -> None:
        """Keeps what was agreed on; to be called more often than every `AGREED_SECONDS`."""
        if self._client is None:
            return
        from redis.exceptions import RedisError

        with self._lock:
            agreed = dict(self._agreed)
        try:
            for key, value in agreed.items():
                self._client.set(key, value, ex=AGREED_SECONDS)
        except RedisError as error:
            _log.warning("Redis is away: %s", error)


def check_addresses(database: str, redis: str) -> None:
    """Errors: ValueError with what to do, for addresses with which no process of the app can work."""
    scheme = database.partition("://")[0]
    if database and scheme.partition("+")[0] not in ("postgres", "postgresql", "sqlite"):
        raise ValueError(f"--database: allowed is postgresql://USER@HOST/NAME, not {scheme}")
    if redis and not scheme.startswith("postgres"):
        raise ValueError(
            "--redis is for several processes, which need a database that all reach: add --database postgresql://..."
        )


def require_one_service(shared: SharedState, data_dir: Path, listening: Listening) -> None:
    """All processes that share a Redis must sign with one secret, and see one data directory. Errors: ValueError with what to do."""
    if shared.alone:
        return
    shared.agree(
        "secret",
        hash_of(listening.secret),
        "the other processes of the app sign with another secret: give all of them the same LISTENING_SECRET, or none and one "
        f"--data-dir. If all of them were stopped on purpose, start again after {AGREED_SECONDS} s",
    )
    shared.agree(
        "directory",
        hash_of(drawn_once(data_dir / "directory-id")),
        "the other processes of the app see another --data-dir: results and links to comparisons would be found by one of them "
        f"only; mount one directory for all. If all of them were stopped on purpose, start again after {AGREED_SECONDS} s",
    )


def _connect(url: str) -> Any:
    try:
        import redis
    except ImportError as error:
        raise ValueError("--redis needs the package redis: pip install redis") from error
    try:
        client = redis.Redis.from_url(url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS)
        client.ping()
    except ValueError as error:
        raise ValueError(
            f"--redis: allowed is redis://HOST:PORT/NUMBER, a password stands as :PASSWORD@ before HOST: {error}"
        ) from error
    except redis.exceptions.AuthenticationError as error:
        raise ValueError(f"--redis: this Redis wants another password: {error}") from error
    except redis.exceptions.RedisError as error:
        raise ValueError(f"--redis: no Redis answers there; start it, or correct the address: {error}") from error
    return client


def _counts(url: str, client: Any) -> Any:
    from limits.storage import RedisStorage

    return RedisStorage(url, connection_pool=client.connection_pool, key_prefix=f"{PREFIX}limits")


def _key(name: str) -> str:
    return f"{PREFIX}kept:{name}"


def _read(content: bytes | None) -> dict | None:
    return None if content is None else json.loads(content)
