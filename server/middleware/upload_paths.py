"""400 for JSON that names a file which is no upload.

Gradio fetches any address that stands in the place of a path, and checks that a path is an upload only where the sender
marks it as a file. So every "path" of a body sent to Gradio is checked here.
"""

from __future__ import annotations

import json
from pathlib import Path

from server.middleware.asgi import App, Message, Receive, Refusal, Scope, Send, is_upload
from server.middleware.size_cap import CUT_OFF, MAX_REQUEST_BYTES, too_large


class UploadPathsMiddleware:
    """Checks the file paths in JSON for Gradio: a request may name only files that were uploaded."""

    def __init__(self, app: App, uploads: Path) -> None:
        """uploads: the folder in which Gradio stores them."""
        self._app, self._uploads = app, uploads.resolve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on a request whose paths are allowed, with its body as it was checked, and refuses any other."""
        if scope["type"] != "http" or not _is_json_for_gradio(scope):
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        checked = too_large(MAX_REQUEST_BYTES) if body is None else self._checked(body)
        if isinstance(checked, bytes):
            await self._app(scope, _replay(checked, receive), send)
        else:
            await checked(scope, receive, send)

    def _checked(self, body: bytes) -> bytes | Refusal:
        """The body for Gradio, written anew from the values that were checked, so that no second parser reads it differently;
        or the refusal."""
        if not body:
            return body
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            return Refusal(400, "The request is not as it should be.")
        waiting = [content]
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                if isinstance(path := value.get("path"), str) and not self._is_stored_upload(path):
                    return Refusal(400, "Send the file itself: nothing else is read here, and nothing fetched.")
                waiting += value.values()
            elif isinstance(value, list):
                waiting += value
        return json.dumps(content).encode()

    def _is_stored_upload(self, path: str) -> bool:
        try:
            return Path(path).resolve().is_relative_to(self._uploads)
        except (OSError, ValueError, RuntimeError):  # a null byte, a name too long, a loop of links
            return False


def _is_json_for_gradio(scope: Scope) -> bool:
    return scope["method"] == "POST" and "/gradio_api/" in scope["path"] and not is_upload(scope)


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or as much as came before the client left; None where the size cap cut it off."""
    body = b""
    while True:
        message = await receive()
        if message is CUT_OFF:
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed
