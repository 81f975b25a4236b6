"""Counts and times requests for /metrics, and logs a line about each: no address of a client, no query, no token."""

from __future__ import annotations

import time

from server.log import ACCESS
from server.middleware.asgi import App, Message, Receive, Scope, Send, route_path
from server.prometheus import LATENCY, REQUESTS

_METHODS = ("GET", "HEAD", "POST", "OPTIONS")
_ROUTES = (
    "healthz",
    "readyz",
    "metrics",
    "results",
    "training",
    "c",
    "study",
    "listening",
    "rate",
    "assets",
    "static",
    "config",
    "theme.css",
)
_GRADIO_KINDS = ("queue", "upload", "file", "call", "run", "info", "heartbeat")
_LISTENING_ACTIONS = ("open", "join", "next", "answer", "stim", "forget", "mine", "privacy")


class AccessLogMiddleware:
    """Counts, times and logs every HTTP request by its route."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on; its status and time to the first byte are recorded when the answer starts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, route, method = time.perf_counter(), route_of(route_path(scope)), scope["method"]

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                seconds = time.perf_counter() - began
                REQUESTS.labels(route, method if method in _METHODS else "other", message["status"]).inc()
                LATENCY.labels(route).observe(seconds)
                about = {"route": route, "method": method, "status": message["status"], "ms": round(1e3 * seconds, 1)}
                ACCESS.info("request", extra={"about": about})
            await send(message)

        await self._app(scope, receive, sending)


def route_of(path: str) -> str:
    """The path's first words, without names, tokens and files. The number of different results is bounded."""
    words = path.strip("/").split("/")
    if words[0] == "rate" and len(words) > 1:
        words = words[1:]
    if words == [""]:
        return "/"
    second = words[1] if len(words) > 1 else ""
    if words[0] == "gradio_api":
        kind = second.split("=")[0]
        return f"/gradio_api/{kind}" if kind in _GRADIO_KINDS else "/gradio_api"
    if words[0] == "listening":
        return f"/listening/{second}" if second in _LISTENING_ACTIONS else "/listening"
    return f"/{words[0]}" if words[0] in _ROUTES else "other"
