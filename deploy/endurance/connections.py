"""The HTTP client of a simulated rater: kept connections, as a browser has them, at a small cost for the machine under test.

A general client with one pool for all looks at each of its hundreds of connections before every request, and becomes what is measured.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from urllib.parse import urlsplit


class Away(Exception):
    """There was no whole answer: the connection was refused, cut or silent for too long."""


class Connections:
    """Of one rater; as many as requests at the same time, and kept between them."""

    def __init__(self, url: str, headers: Mapping[str, str], patience: float) -> None:
        """url: http://HOST:PORT; headers: of every request; patience: seconds until an answer counts as lost."""
        place = urlsplit(url)
        self._host, self._port, self._patience = str(place.hostname), place.port or 80, patience
        self._head = "".join(f"{name}: {value}\r\n" for name, value in {"Host": place.netloc, **headers}.items())
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def request(self, method: str, path: str, content: object = None) -> tuple[int, bytes]:
        """(status, body). content: becomes JSON. Errors: `Away`."""
        try:
            return await asyncio.wait_for(self._exchanged(method, path, content), self._patience)
        except (OSError, EOFError, ValueError, asyncio.TimeoutError, asyncio.LimitOverrunError) as error:
            raise Away(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """All connections."""
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()

    async def _exchanged(self, method: str, path: str, content: object) -> tuple[int, bytes]:
        body = b"" if content is None else json.dumps(content).encode()
        about = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        reader, writer = await self._connection()
        try:
            writer.write(f"{method} {path} HTTP/1.1\r\n{self._head}{about}\r\n".encode() + body)
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            received = await reader.readexactly(int(fields.get("content-length", "-1")))
        except BaseException:
            writer.close()
            raise
        if fields.get("connection", "").lower() == "close":
            writer.close()
        else:
            self._idle.append((reader, writer))
        return int(first.split(" ", 2)[1]), received

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()  # the server has closed it meanwhile
        return await asyncio.open_connection(self._host, self._port)
