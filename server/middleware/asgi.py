"""The parts that the middleware share: ASGI's types, paths of requests, refusals."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse

from server.error_pages import error_page, wants_page

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
    def refusal(self, scope: Scope) -> Refusal | None:
        """The answer to a request that is refused; None for one that may pass. scope: of an HTTP request."""


class Refusal(JSONResponse):
    """JSON with a sentence for the person who sent the request, or a page that says it where a browser will show the answer."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__({"error": "refused", "detail": detail}, status, headers)
        self._page = status, detail, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends what the request asks for."""
        request, (status, detail, headers) = HTTPConnection(scope), self._page
        if wants_page(request):
            await error_page(request, detail, status, headers)(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def route_path(scope: Scope) -> str:
    """The path of the request without the prefix below which a proxy serves the app."""
    return scope["path"].removeprefix(scope.get("root_path", "")) or "/"


def headers_of(scope: Scope) -> dict[str, str]:
    """The request's headers by lower-case name; of repeated ones the last."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def is_upload(scope: Scope) -> bool:
    """Whether the request is an upload to Gradio."""
    return scope["method"] == "POST" and scope["path"].rstrip("/").endswith("/gradio_api/upload")
