"""Security headers on every answer, refusals too."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool

from eval.listening.recruiting.platform import Platform
from server.middleware.asgi import App, Message, Receive, Scope, Send, route_path


def content_security_policy(framed_by: str = "'self'", form_targets: Sequence[str] = ()) -> str:
    """Everything is loaded from this server. Inline scripts and eval are allowed, because Gradio's page needs both.

    form_targets: other origins that a form of the page may be sent to.
    """
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            " ".join(("form-action 'self'", *form_targets)),
            f"frame-ancestors {framed_by}",
        )
    )


def framing() -> str:
    """Who may frame a page. A Space: the pages of its platform, any other app: its own pages only."""
    return "'self' https://huggingface.co https://*.hf.space" if "SPACE_ID" in os.environ else "'self'"


def security_headers(platform: Platform | None = None) -> dict[bytes, bytes]:
    """By lower-case name. platform: of recruiting, which may show the page in a frame, and get a form from it."""
    framed_by = " ".join((framing(), *(platform.framed_by if platform else ())))
    headers = {
        "content-security-policy": content_security_policy(framed_by, platform.form_targets if platform else ()),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
        "cross-origin-resource-policy": "same-origin",
    }
    if framed_by == "'self'":
        headers["x-frame-options"] = "SAMEORIGIN"
    return {name.encode(): value.encode() for name, value in headers.items()}


class SecurityHeadersMiddleware:
    """Adds the headers that an answer does not set itself, and removes `server`."""

    def __init__(self, app: App, platform_of: Callable[[str], Platform | None]) -> None:
        """platform_of: {public id of a listening study: where its listeners come from}; None for all others."""
        self._app, self._headers, self._platform_of = app, security_headers(), platform_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on and adds the headers to its answer."""
        if scope["type"] == "http":
            send = self._with_headers(scope, send, await self._headers_for(scope))
        await self._app(scope, receive, send)

    async def _headers_for(self, scope: Scope) -> dict[bytes, bytes]:
        """Of the rating page, those that its study's platform needs."""
        if route_path(scope) != "/rate/" or scope["method"] != "GET":
            return self._headers
        (study,) = parse_qs(scope["query_string"].decode("latin-1")).get("study", [""])[:1]
        platform = await run_in_threadpool(self._platform_of, study)
        return security_headers(platform) if platform else self._headers

    @staticmethod
    def _with_headers(scope: Scope, send: Send, headers: dict[bytes, bytes]) -> Send:
        # Modules of the page that import each other must be of one version: the browser asks for them each time, and gets
        # them again only if they have changed (ETag)
        own = {b"cache-control": b"no-cache"} if "/gradio_api/file=" in scope["path"] else {}

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *(pair for pair in message["headers"] if pair[0].lower() != b"server"),
                    *(pair for pair in (headers | own).items() if pair[0] not in given),
                ]
            await send(message)

        return sending
