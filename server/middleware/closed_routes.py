"""404 for the routes that Gradio serves and this app does not need."""

from __future__ import annotations

import re

from server.error_pages import NOTHING_THERE
from server.middleware.asgi import Refusal, RefusingMiddleware, Scope, route_path

# Fetching from other addresses, streams, analytics, editing of the app from the browser, and a login that the app does not have
CLOSED = re.compile(
    r"(/rate)?/(gradio_api/(proxy=|file=[a-z]+:|stream/|custom_component/|component_server|deep_link|dev/|run-history|runs\b|"
    r"process_recording|vibe-|undo-vibe)|monitoring\b|login\b|logout\b|token\b|user\b|pwa_icon|manifest\.json)|"
    r"/rate/gradio_api/(upload|queue/join|run/|api/|call/)"  # the rating page sends its answers to /listening
)


class ClosedRoutesMiddleware(RefusingMiddleware):
    """Hides the routes of Gradio that this app does not use."""

    def refusal(self, scope: Scope) -> Refusal | None:
        """404 for a path of `CLOSED`."""
        return Refusal(404, NOTHING_THERE) if CLOSED.match(route_path(scope)) else None
