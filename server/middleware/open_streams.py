"""Ends the streams that pages hold open as soon as the app is asked to stop: nobody waits for them, and nothing is lost with them."""

from __future__ import annotations

import asyncio
import re

from server.middleware.asgi import App, Message, Receive, Scope, Send, route_path

_STREAMS = re.compile(r"(/rate)?/gradio_api/(heartbeat/|queue/data)")
_LEFT = {"type": "http.disconnect"}


class OpenStreamsMiddleware:
    """Tells the app that the reader of a stream has left once `stopping` is set. All other requests are finished as ever."""

    def __init__(self, app: App, stopping: asyncio.Event) -> None:
        self._app, self._stopping = app, stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on."""
        if scope["type"] != "http" or not _STREAMS.match(route_path(scope)):
            await self._app(scope, receive, send)
            return
        is_open = False

        async def sending(message: Message) -> None:
            nonlocal is_open
            is_open = message["type"] == "http.response.start" or message.get("more_body", False)
            await send(message)

        await self._app(scope, lambda: self._received(receive), sending)
        if is_open:
            await send({"type": "http.response.body", "body": b""})

    async def _received(self, receive: Receive) -> Message:
        waiting = [asyncio.ensure_future(receive()), asyncio.ensure_future(self._stopping.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            return waiting[0].result() if waiting[0].done() else _LEFT  # type: ignore[return-value]
        finally:
            for task in waiting:
                task.cancel()
