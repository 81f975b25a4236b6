"""503 for uploads while the disk has no room for them."""

from __future__ import annotations

from collections.abc import Callable

from server.middleware.asgi import App, Refusal, RefusingMiddleware, Scope, is_upload


class FreeDiskMiddleware(RefusingMiddleware):
    """Refuses uploads while the disk is nearly full."""

    def __init__(self, app: App, is_full: Callable[[], bool]) -> None:
        super().__init__(app)
        self._is_full = is_full

    def refusal(self, scope: Scope) -> Refusal | None:
        """503 for an upload while `is_full()`."""
        if is_upload(scope) and self._is_full():
            return Refusal(503, "The server's disk is nearly full; try again later.", {"Retry-After": "600"})
        return None
