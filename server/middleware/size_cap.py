"""413 for requests whose header declares too large a body; a body that is larger than declared is cut at the cap."""

from __future__ import annotations

from server.middleware.asgi import App, Message, Receive, Refusal, Scope, Send, headers_of, is_upload

MAX_REQUEST_BYTES = 2 * 1024 * 1024  # of a request that is no upload
MAX_UPLOAD_FILES = 20  # of the largest size, in one upload: the recordings of a study
MULTIPART_OVERHEAD_BYTES = 64 * 1024  # around the files of an upload
CUT_OFF: Message = {"type": "http.disconnect"}  # in place of the part of a body that is beyond the cap


class SizeCapMiddleware:
    """Bounds the bytes of a request, by its header and, where that lies or is missing, while the body arrives."""

    def __init__(self, app: App, max_file_bytes: float) -> None:
        self._app = app
        self._max_upload_bytes = round(max_file_bytes) * MAX_UPLOAD_FILES + MULTIPART_OVERHEAD_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 413 where the declared length exceeds the cap; otherwise the body ends at the cap."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        cap = self._max_upload_bytes if is_upload(scope) else MAX_REQUEST_BYTES
        length = headers_of(scope).get("content-length", "0")
        if length.isdigit() and int(length) > cap:
            await too_large(cap)(scope, receive, send)
        else:
            await self._app(scope, _cut_off(receive, cap), send)


def _cut_off(receive: Receive, cap: int) -> Receive:
    """The same messages; a body without a length, or with a false one, ends as if the client had left when it passes the cap."""
    left = cap

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        return message if left >= 0 else CUT_OFF

    return counted


def too_large(cap: int) -> Refusal:
    """The answer 413. cap: bytes."""
    return Refusal(413, f"The request is too large; {cap / 1e6:.0f} MB are the most.")
