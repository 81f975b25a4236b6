"""Uvicorn, with a word to the app when it is asked to stop."""

from __future__ import annotations

import asyncio
import socket

import uvicorn


class Server(uvicorn.Server):
    """Sets `stopping` before it waits for requests to be finished."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As of Uvicorn."""
        self._stopping.set()
        await super().shutdown(sockets)
