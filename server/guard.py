"""What stands between the open internet and the app: one layer around everything, before anything is parsed or stored.

It closes what Gradio serves and this app does not need, caps sizes while they arrive, refuses other sites' requests, slows
down whoever asks too often, and puts security headers on every answer.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SMALL = 2 * 1024 * 1024  # bytes of a request that is no upload
MULTIPART = 64 * 1024  # bytes that an upload may have around its file
MANY = 20  # files of the largest size in one upload; what a study may bring
# Of Gradio's routes: fetching from elsewhere, streams, analytics, editing of the app from the browser, and a login we do not have
CLOSED = re.compile(
    r"(/rate)?/(gradio_api/(proxy=|file=[a-z]+:|stream/|custom_component/|component_server|deep_link|dev/|run-history|runs\b|"
    r"process_recording|vibe-|undo-vibe)|monitoring\b|login\b|logout\b|token\b|user\b|pwa_icon|manifest\.json)|"
    r"/rate/gradio_api/(upload|queue/join|run/|api/|call/)"  # listeners send answers, and those elsewhere
)


@dataclass(frozen=True)
class Rule:
    """How often a client may ask for what a path stands for, a minute; the first rule that fits counts."""

    path: re.Pattern
    share: float  # of the general limit

    def fits(self, method: str, path: str) -> bool:
        return method == "POST" and bool(self.path.match(path))


RULES = (
    Rule(re.compile(r"/gradio_api/upload"), 0.25),
    Rule(re.compile(r"/gradio_api/(queue/join|run/|api/|call/)"), 1.0),
    Rule(re.compile(r"/listening/(join|forget)"), 0.5),  # a class behind one address starts at the same time
    Rule(re.compile(r"/listening/open"), 2.0),
)


def content_security_policy(framed_by: str = "'self'") -> str:
    """Gradio evaluates scripts of its own in the page; everything comes from this server, and nothing else may be loaded."""
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


def security_headers() -> dict[bytes, bytes]:
    """A Space is shown inside a frame of its platform, everything else in none but its own."""
    framed_by = "'self' https://huggingface.co https://*.hf.space" if "SPACE_ID" in os.environ else "'self'"
    headers = {
        "content-security-policy": content_security_policy(framed_by),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
        "cross-origin-resource-policy": "same-origin",
    }
    if "SPACE_ID" not in os.environ:
        headers["x-frame-options"] = "SAMEORIGIN"
    return {name.encode(): value.encode() for name, value in headers.items()}


def route_path(scope: Scope) -> str:
    """The path that was asked for, without the prefix below which a proxy serves the app."""
    return scope["path"].removeprefix(scope.get("root_path", "")) or "/"


class Guard:
    """ASGI middleware. `uploads`: the folder Gradio puts them in; `per_minute`: requests of one client that cost something, 0
    for no limit; `is_full` says whether the disk has no room for an upload."""

    def __init__(
        self,
        app: App,
        largest_file: float,
        uploads: Path,
        per_minute: int = 240,
        is_full: Callable[[], bool] = lambda: False,
    ) -> None:
        from limits.storage import MemoryStorage
        from limits.strategies import MovingWindowRateLimiter

        self._app, self._largest, self._is_full = app, round(largest_file), is_full
        self._uploads = uploads.resolve()
        self._headers = security_headers()
        self._limiter, self._per_minute = MovingWindowRateLimiter(MemoryStorage()), per_minute

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope, headers)
        if refusal is None and _is_json_for_gradio(scope):
            body = await _read(receive, SMALL)
            content, refusal = (None, _too_large(SMALL)) if body is None else self._checked(body)
            receive = _replay(content, receive)
        if refusal is None:
            await self._app(scope, self._counted(scope, receive), self._with_headers(scope, send))
        else:
            await refusal(scope, receive, self._with_headers(scope, send))

    def _refusal(self, scope: Scope, headers: MutableMapping[str, str]) -> JSONResponse | None:
        path, method = route_path(scope), scope["method"]
        if CLOSED.match(path):
            return _answer(404, "There is nothing here.")
        if method not in ("GET", "HEAD", "OPTIONS") and not _same_origin(headers):
            return _answer(403, "Requests from other sites are not accepted.")
        if (length := headers.get("content-length", "0")).isdigit() and int(length) > self._cap(scope):
            return _too_large(self._cap(scope))
        if _is_upload(scope) and self._is_full():
            return _answer(503, "The server's disk is nearly full; try again later.", {"Retry-After": "600"})
        if self._per_minute and (rule := next((rule for rule in RULES if rule.fits(method, path)), None)):
            return self._slowed(scope, rule)
        return None

    def _checked(self, body: bytes) -> tuple[bytes | None, JSONResponse | None]:
        """What Gradio gets to parse: exactly what was looked at here. Every file it names must be an upload.

        Gradio would fetch whatever address stands where a path should, and looks whether a path is an upload only where the
        sender says that it is a file.
        """
        if not body:
            return body, None
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            return None, _answer(400, "The request is not as it should be.")
        waiting = [content]
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                if isinstance(path := value.get("path"), str) and not self._is_upload(path):
                    return None, _answer(400, "Send the file itself: nothing else is read here, and nothing fetched.")
                waiting += value.values()
            elif isinstance(value, list):
                waiting += value
        return json.dumps(content).encode(), None

    def _is_upload(self, path: str) -> bool:
        try:
            return Path(path).resolve().is_relative_to(self._uploads)
        except (OSError, ValueError, RuntimeError):  # a null byte, a name too long, a loop of links
            return False

    def _slowed(self, scope: Scope, rule: Rule) -> JSONResponse | None:
        from limits import RateLimitItemPerMinute

        client = (scope.get("client") or ("unknown",))[0]
        limit = RateLimitItemPerMinute(max(1, round(self._per_minute * rule.share)))
        if self._limiter.hit(limit, client, rule.path.pattern):
            return None
        return _answer(429, "That was too much at once; try again in a minute.", {"Retry-After": "60"})

    def _cap(self, scope: Scope) -> int:
        return self._largest * MANY + MULTIPART if _is_upload(scope) else SMALL

    def _counted(self, scope: Scope, receive: Receive) -> Receive:
        """The same messages; an upload without a length, or with a false one, is cut off when it passes the cap."""
        left = self._cap(scope)

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            return message if left >= 0 else {"type": "http.disconnect"}

        return counted

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        # Modules of the page that import each other must be of one version: always asked for, rarely sent again (ETag)
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


def _is_upload(scope: Scope) -> bool:
    return scope["method"] == "POST" and scope["path"].rstrip("/").endswith("/gradio_api/upload")


def _is_json_for_gradio(scope: Scope) -> bool:
    return scope["method"] == "POST" and "/gradio_api/" in scope["path"] and not _is_upload(scope)


def _same_origin(headers: MutableMapping[str, str]) -> bool:
    """Browsers name the site a request comes from; programs that are no browsers do not."""
    origin = headers.get("origin")
    if origin is None:
        return True
    hosts = {headers.get("host", ""), headers.get("x-forwarded-host", "")}
    return urlsplit(origin).netloc in hosts - {""}


async def _read(receive: Receive, cap: int) -> bytes | None:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > cap:
            return None
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return body


def _replay(body: bytes | None, receive: Receive) -> Receive:
    waiting = [{"type": "http.request", "body": body or b"", "more_body": False}]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed


def _too_large(cap: int) -> JSONResponse:
    return _answer(413, f"The request is too large; {cap / 1e6:.0f} MB are the most.")


def _answer(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": "refused", "detail": detail}, status, headers)
