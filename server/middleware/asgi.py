"""The parts that the middleware share: ASGI's types, paths of requests, refusals."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.responses import JSONResponse

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class RefusingMiddleware(ABC):
    """Answers requests that its `refusal` finds fault with, and passes all others on."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a refused request itself and passes on any other."""
        answer = self.refusal(scope) if scope["type"] == "http" else None
        await (answer or self._app)(scope, receive, send)

    @abstractmethod
    def refusal(self, scope: Scope) -> JSONResponse | None:
        """The answer to a request that is refused; None for one that may pass. scope: of an HTTP request."""


def refused(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """The JSON answer of a refusal: `detail` is a sentence for the person who sent the request."""
    return JSONResponse({"error": "refused", "detail": detail}, status, headers)


def route_path(scope: Scope) -> str:
    """The path of the request without the prefix below which a proxy serves the app."""
    return scope["path"].removeprefix(scope.get("root_path", "")) or "/"


def headers_of(scope: Scope) -> dict[str, str]:
    """The request's headers by lower-case name; of repeated ones the last."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def is_upload(scope: Scope) -> bool:
    """Whether the request is an upload to Gradio."""
    return scope["method"] == "POST" and scope["path"].rstrip("/").endswith("/gradio_api/upload")
