"""Comparisons that run in threads of their own, so that a page can be left and loaded anew meanwhile."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

GRACE_SECONDS = 45.0  # that a comparison goes on while no page follows it
MAX_LEFT = 2  # comparisons that run although a page of theirs was left
Update = Mapping[str, Any]  # {component: its new value}
_log = logging.getLogger(__name__)


class LiveComparison:
    """One comparison, and what its page shows at this moment. Any number of pages follow it."""

    def __init__(self, stop: threading.Event, on_leave: Callable[[], None], grace: float) -> None:
        """stop: ends the comparison when it is set, and is set when no page has followed for `grace` seconds. on_leave: called
        when the last page that followed was left before the end."""
        self.stop, self.is_left, self.followers = stop, False, 0
        self._on_leave, self._grace = on_leave, grace
        self._changed = threading.Condition()
        self._shown: dict[str, Any] = {}
        self._version, self._ended = 0, False
        self._error: BaseException | None = None

    def run(self, updates: Iterator[Update], on_end: Callable[[Update], None]) -> None:
        """Until the end. on_end: called with all that is shown then, before the pages that follow learn of the end."""
        try:
            for update in updates:
                with self._changed:
                    self._shown |= update
                    self._version += 1
                    self._changed.notify_all()
            on_end(self._shown)
        except BaseException as error:  # raised to the pages that follow; without this they would wait for ever
            if not self.followers:
                _log.warning("a comparison failed while no page followed it", exc_info=error)
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def follow(self) -> Generator[dict[str, Any], None, None]:
        """All that is shown now, then whatever changes, until the end. Errors: those of the comparison."""
        seen = 0
        sent: dict[str, Any] = {}
        self._count(+1)
        try:
            while True:
                with self._changed:
                    while self._version == seen and not self._ended:
                        self._changed.wait()
                    seen, shown, ended = self._version, dict(self._shown), self._ended
                changed = {name: value for name, value in shown.items() if name not in sent or sent[name] is not value}
                sent = shown
                if changed:
                    yield changed
                if ended:
                    break
        finally:
            self._count(-1)
        if self._error:
            raise self._error

    def _count(self, change: int) -> None:
        with self._changed:
            self.followers += change
            if self.followers or self._ended or self.stop.is_set():
                return
        self.is_left = True
        self._on_leave()
        timer = threading.Timer(self._grace, self._stop_if_alone)
        timer.daemon = True
        timer.start()

    def _stop_if_alone(self) -> None:
        if not self.followers:
            self.stop.set()


class LiveComparisons:
    """Those of all pages, by the token of the folder of their files."""

    def __init__(self, grace: float = GRACE_SECONDS) -> None:
        self._grace = grace
        self._running: dict[str, LiveComparison] = {}

    def start(
        self, token: str, updates: Iterator[Update], stop: threading.Event, on_end: Callable[[Update], None]
    ) -> LiveComparison:
        """Begins one in a thread; `find` knows it until `on_end` has returned."""
        live = self._running[token] = LiveComparison(stop, self._limit, self._grace)

        def work() -> None:
            try:
                live.run(updates, on_end)
            finally:
                del self._running[token]

        threading.Thread(target=work, daemon=True).start()
        return live

    def find(self, token: str) -> LiveComparison | None:
        """One that runs."""
        return self._running.get(token)

    def _limit(self) -> None:
        """Stops comparisons beyond `MAX_LEFT`: first those that no page follows, then the oldest."""
        left = [live for live in list(self._running.values()) if live.is_left and not live.stop.is_set()]
        left.sort(key=lambda live: live.followers > 0)
        for live in left[: max(0, len(left) - MAX_LEFT)]:
            live.stop.set()
