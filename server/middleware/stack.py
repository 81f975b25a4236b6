"""The order of the middleware."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware

from eval.listening.recruiting.platform import Platform
from server.middleware.access_log import AccessLogMiddleware
from server.middleware.closed_routes import ClosedRoutesMiddleware
from server.middleware.free_disk import FreeDiskMiddleware
from server.middleware.open_streams import OpenStreamsMiddleware
from server.middleware.rate_limit import RateLimitMiddleware
from server.middleware.same_origin import SameOriginMiddleware
from server.middleware.security_headers import SecurityHeadersMiddleware
from server.middleware.size_cap import SizeCapMiddleware
from server.middleware.upload_paths import UploadPathsMiddleware
from server.shared_state import Limiter


def protect(
    app: Starlette,
    *,
    max_file_bytes: float,
    uploads: Path,
    requests_per_minute: int = 240,
    is_full: Callable[[], bool] = lambda: False,
    platform_of: Callable[[str], Platform | None] = lambda study: None,
    limiter: Limiter | None = None,
    stopping: asyncio.Event | None = None,
) -> None:
    """Puts all middleware around the app.

    max_file_bytes: of one uploaded file; uploads: the folder in which Gradio stores them; requests_per_minute: of one client
    for work that costs something, 0 for no limit; is_full: whether the disk has no room for an upload; platform_of: where the listeners
    of a study come from, by its public id; limiter: counts requests, None: in this process; stopping: set when the app is asked to stop,
    None: never.
    """
    outermost_first = (
        Middleware(OpenStreamsMiddleware, stopping=stopping or asyncio.Event()),
        Middleware(AccessLogMiddleware),  # refusals are logged too
        Middleware(SecurityHeadersMiddleware, platform_of=platform_of),  # and have the headers
        Middleware(ClosedRoutesMiddleware),
        Middleware(SameOriginMiddleware),
        Middleware(SizeCapMiddleware, max_file_bytes=max_file_bytes),
        Middleware(FreeDiskMiddleware, is_full=is_full),
        Middleware(RateLimitMiddleware, per_minute=requests_per_minute, limiter=limiter or Limiter()),
        Middleware(UploadPathsMiddleware, uploads=uploads),  # the only one that reads the body, so the last
    )
    for middleware, _, options in reversed(outermost_first):
        app.add_middleware(middleware, **options)
