"""429 for clients that ask too often for work that costs something. Answers of listeners are never limited."""

from __future__ import annotations

import re
from dataclasses import dataclass

from server.middleware.asgi import App, Refusal, RefusingMiddleware, Scope, route_path
from server.shared_state import Limiter


@dataclass(frozen=True)
class Rule:
    """A limit of its own for the POST requests whose path matches; the first rule that fits counts."""

    path: re.Pattern
    share: float  # of the general limit

    def fits(self, method: str, path: str) -> bool:
        """Whether the rule counts requests of this method and path."""
        return method == "POST" and bool(self.path.match(path))


RULES = (
    Rule(re.compile(r"/gradio_api/upload"), 0.25),
    Rule(re.compile(r"/gradio_api/(queue/join|run/|api/|call/)"), 1.0),
    Rule(re.compile(r"/listening/(join|forget)"), 0.5),  # a class behind one address starts at the same time
    Rule(re.compile(r"/listening/(open|mine|privacy)"), 2.0),
    Rule(re.compile(r"/c/"), 0.25),  # deleting: guesses of a key
)


class RateLimitMiddleware(RefusingMiddleware):
    """One count for each client address and rule."""

    def __init__(self, app: App, per_minute: int, limiter: Limiter) -> None:
        """per_minute: requests of one client, 0 for no limit; limiter: counts them."""
        super().__init__(app)
        self._limiter, self._per_minute = limiter, per_minute

    def refusal(self, scope: Scope) -> Refusal | None:
        """429 for a client above the requests per minute of the first rule that fits."""
        from limits import RateLimitItemPerMinute

        rule = next((rule for rule in RULES if rule.fits(scope["method"], route_path(scope))), None)
        if not self._per_minute or rule is None:
            return None
        client = (scope.get("client") or ("unknown",))[0]
        limit = RateLimitItemPerMinute(max(1, round(self._per_minute * rule.share)))
        if self._limiter.hit(limit, client, rule.path.pattern):
            return None
        return Refusal(429, "That was too much at once; try again in a minute.", {"Retry-After": "60"})
