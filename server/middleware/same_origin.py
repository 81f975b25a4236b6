"""403 for requests that change something and come from the page of another site."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from server.middleware.asgi import Refusal, RefusingMiddleware, Scope, headers_of


class SameOriginMiddleware(RefusingMiddleware):
    """Refuses requests by which another site's page would change something (cross-site request forgery)."""

    def refusal(self, scope: Scope) -> Refusal | None:
        """403 for a request with an effect whose origin is another site."""
        if scope["method"] in ("GET", "HEAD", "OPTIONS") or _is_same_origin(headers_of(scope)):
            return None
        return Refusal(403, "Requests from other sites are not accepted.")


def _is_same_origin(headers: Mapping[str, str]) -> bool:
    """True also without an Origin header: browsers always send one, other programs do not."""
    origin = headers.get("origin")
    if origin is None:
        return True
    hosts = {headers.get("host", ""), headers.get("x-forwarded-host", "")}
    return urlsplit(origin).netloc in hosts - {""}
