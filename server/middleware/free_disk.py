"""503 for uploads while the disk has no room for them."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import JSONResponse

from server.middleware.asgi import App, RefusingMiddleware, Scope, is_upload, refused


class FreeDiskMiddleware(RefusingMiddleware):
    """Refuses uploads while the disk is nearly full."""

    def __init__(self, app: App, is_full: Callable[[], bool]) -> None:
        super().__init__(app)
        self._is_full = is_full

    def refusal(self, scope: Scope) -> JSONResponse | None:
        """503 for an upload while `is_full()`."""
        if is_upload(scope) and self._is_full():
            return refused(503, "The server's disk is nearly full; try again later.", {"Retry-After": "600"})
        return None
