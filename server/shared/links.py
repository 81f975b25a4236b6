"""Links to comparisons: files with unguessable names, each with the time until which it is kept."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from common.disk_space import is_full
from common.durable import DiskFull, alone_in, write_durably, write_text_durably
from server.shared_state import Limiter

MAX_LINKS = 500  # beyond it the oldest goes
MAX_BYTES = 4e9  # of all files; beyond it the oldest go
MAX_PER_HOUR = 20  # of one client
OFF = "off"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")  # 128 random bits
_UNITS = {"d": 86_400.0, "h": 3600.0}


class LinkRefused(ValueError):
    """No link was made. The message is a sentence for the person who asked for it."""


@dataclass(frozen=True)
class Link:
    """A new link. key: deletes it; only its hash is stored. expires: seconds since 1970."""

    token: str
    key: str
    expires: float


@dataclass(frozen=True)
class _Record:
    """What is stored beside the file of a link."""

    created: float  # seconds since 1970
    expires: float
    key_sha256: str


class SharedLinks:
    """HTML files below `root`, two files for each link: the later one, the record, makes it valid. Threads and processes may share
    them."""

    def __init__(
        self,
        root: Path,
        lifetime: float | None,
        max_links: int = MAX_LINKS,
        max_bytes: float = MAX_BYTES,
        clock: Callable[[], float] = time.time,
        limiter: Limiter | None = None,
    ) -> None:
        """lifetime: of new links in seconds; None makes none, and opens none of those that were made before. limiter: counts
        the links of a client, None: in this process."""
        self.lifetime = lifetime
        self._root, self._max_links, self._max_bytes, self._clock = root, max_links, max_bytes, clock
        self._lock = threading.Lock()
        self._limiter = limiter or Limiter()

    def add(self, page: bytes, client: str) -> Link:
        """Stores the page under a new link. client: an address; each may make `MAX_PER_HOUR`.

        Errors: `LinkRefused` where links are off, the client made too many, the page is too large or the disk is full.
        """
        from limits import RateLimitItemPerHour

        if self.lifetime is None:
            raise LinkRefused("This server keeps no comparisons; download the file and send that.")
        if not self._limiter.hit(RateLimitItemPerHour(MAX_PER_HOUR), client, "links"):
            raise LinkRefused(f"At most {MAX_PER_HOUR} links an hour can be made from one address; try again later.")
        if len(page) > self._max_bytes:
            raise LinkRefused("This comparison is too large for a link; download the file and send that.")
        self._root.mkdir(parents=True, exist_ok=True)
        if is_full(self._root):
            raise LinkRefused("The server's disk is nearly full; download the file and send that.")
        now = self._clock()
        link = Link(secrets.token_urlsafe(16), secrets.token_urlsafe(16), now + self.lifetime)
        record = _Record(now, link.expires, _hash(link.key))
        with self._lock, alone_in(self._root):
            self._make_room(len(page))
            try:
                write_durably(self._page(link.token), page)
                write_text_durably(self._record(link.token), json.dumps(asdict(record)))
            except DiskFull as error:
                self._remove(link.token)
                raise LinkRefused("The server's disk is full; download the file and send that.") from error
        return link

    def find(self, token: str) -> Path | None:
        """The file of a link; None where there is none, where its time is over, and while links are off."""
        record = self._read(token) if self.lifetime is not None else None
        return self._page(token) if record and record.expires > self._clock() else None

    def remove(self, token: str, key: str) -> bool:
        """Deletes the link; whether there was one with that key."""
        with self._lock, alone_in(self._root):
            record = self._read(token)
            if record is None or not hmac.compare_digest(record.key_sha256, _hash(key)):
                return False
            self._remove(token)
        return True

    def sweep(self) -> None:
        """Removes links whose time is over, and remains of one that was not finished."""
        with self._lock, alone_in(self._root):
            records = self._records()
            for token, record in records.items():
                if record.expires <= self._clock():
                    self._remove(token)
            for path in self._root.glob("*"):  # some end in ".part": a write that was interrupted
                if path.name.partition(".")[0] not in records or path.suffix == ".part":
                    path.unlink(missing_ok=True)

    def _make_room(self, needed: int) -> None:
        """Removes the oldest links until one more of `needed` bytes is within the bounds."""
        oldest_first = sorted(self._records().items(), key=lambda item: item[1].created)
        sizes = {token: self._page(token).stat().st_size for token, _ in oldest_first}
        count, total = len(sizes), sum(sizes.values())
        for token, _ in oldest_first:
            if count < self._max_links and total + needed <= self._max_bytes:
                break
            self._remove(token)
            count, total = count - 1, total - sizes[token]

    def _records(self) -> dict[str, _Record]:
        """Of all valid links, by token."""
        tokens = [path.stem for path in self._root.glob("*.json")]
        return {token: record for token in tokens if (record := self._read(token))}

    def _read(self, token: str) -> _Record | None:
        if not _TOKEN.fullmatch(token) or not self._page(token).is_file():
            return None
        try:
            return _Record(**json.loads(self._record(token).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _remove(self, token: str) -> None:
        self._record(token).unlink(missing_ok=True)  # first: without it there is no link
        self._page(token).unlink(missing_ok=True)

    def _page(self, token: str) -> Path:
        return self._root / f"{token}.html"

    def _record(self, token: str) -> Path:
        return self._root / f"{token}.json"


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def parse_lifetime(text: str) -> float | None:
    """ "30d" or "12h" -> seconds, "off" -> None. Errors: ValueError with the allowed forms."""
    if text == OFF:
        return None
    match = re.fullmatch(r"([1-9]\d{0,3})([dh])", text)
    if not match:
        raise ValueError(f"{text!r} is no time to keep comparisons; allowed are days (30d), hours (12h) and off")
    return int(match[1]) * _UNITS[match[2]]
