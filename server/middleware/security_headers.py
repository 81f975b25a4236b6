"""Security headers on every answer, refusals too."""

from __future__ import annotations

import os

from server.middleware.asgi import App, Message, Receive, Scope, Send


def content_security_policy(framed_by: str = "'self'") -> str:
    """Everything is loaded from this server. Inline scripts and eval are allowed, because Gradio's page needs both."""
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
            "form-action 'self'",
            f"frame-ancestors {framed_by}",
        )
    )


def framing() -> str:
    """Who may frame a page. A Space: the pages of its platform, any other app: its own pages only."""
    return "'self' https://huggingface.co https://*.hf.space" if "SPACE_ID" in os.environ else "'self'"


def security_headers() -> dict[bytes, bytes]:
    """By lower-case name."""
    headers = {
        "content-security-policy": content_security_policy(framing()),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
        "cross-origin-resource-policy": "same-origin",
    }
    if "SPACE_ID" not in os.environ:
        headers["x-frame-options"] = "SAMEORIGIN"
    return {name.encode(): value.encode() for name, value in headers.items()}


class SecurityHeadersMiddleware:
    """Adds the headers that an answer does not set itself, and removes `server`."""

    def __init__(self, app: App) -> None:
        self._app, self._headers = app, security_headers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on and adds the headers to its answer."""
        await self._app(scope, receive, self._with_headers(scope, send) if scope["type"] == "http" else send)

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        # Modules of the page that import each other must be of one version: the browser asks for them each time, and gets
        # them again only if they have changed (ETag)
        own = {b"cache-control": b"no-cache"} if "/gradio_api/file=" in scope["path"] else {}

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *(pair for pair in message["headers"] if pair[0].lower() != b"server"),
                    *(pair for pair in (self._headers | own).items() if pair[0] not in given),
                ]
            await send(message)

        return sending
