"""Watches the checks of a study while raters answer, and tells its owner about one that nearly everybody fails.

Neither the counting nor the message delays an answer: both run in a thread of their own, and a failure is a line in the log.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import urllib.request
from collections.abc import Callable, Mapping

from eval.listening.analysis.alarm import Alarm, expected_share, is_implausible
from eval.listening.storage.alarms import Alarms
from eval.listening.storage.database import StoreError
from eval.listening.storage.records import StoredStudy

WEBHOOK = (
    "LISTENING_WEBHOOK"  # environment variable: address that alarms are posted to; without it there is the log alone
)
WEBHOOK_SECONDS = 10.0  # for its answer
_log = logging.getLogger(__name__)


def in_background(work: Callable[[], None]) -> None:
    """Runs it in a thread that does not keep the process alive."""
    threading.Thread(target=work, daemon=True).start()


class Watch:
    """Looks at a rule when somebody fails it."""

    def __init__(self, store: Alarms, run: Callable[[Callable[[], None]], None] = in_background) -> None:
        self._store, self._run = store, run

    def look(self, stored: StoredStudy, rule: str) -> None:
        """Counts who failed, and raises the alarm where it is due and was not raised before."""
        self._run(lambda: self._look(stored, rule))

    def _look(self, stored: StoredStudy, rule: str) -> None:
        if any(alarm.rule == rule for alarm in stored.alarms):
            return
        asked = {"gold": stored.study.golds, "trap": stored.study.traps}.get(rule, 1)
        expected = expected_share(rule, asked)
        try:
            failed, raters = self._store.failures(stored, rule)
            if not is_implausible(failed, raters, expected):
                return
            alarm = Alarm(rule, raters, failed, expected)
            if self._store.add_alarm(stored, alarm):
                _tell(stored, alarm)
        except StoreError as error:
            _log.error("the check %s of %s was not counted: %s", rule, stored.public_id, error)


def _tell(stored: StoredStudy, alarm: Alarm) -> None:
    _log.warning("study %s: %s", stored.public_id, alarm.text)
    if not (url := os.environ.get(WEBHOOK, "").strip()):
        return
    text = f"{stored.study.name} ({stored.public_id}): {alarm.text}"
    about = {"study": stored.public_id, "rule": alarm.rule, "raters": alarm.raters, "failed": alarm.failed}
    try:
        post(url, {"text": text, **about})
    except (OSError, ValueError) as error:
        _log.error("the alarm about %s did not reach %s: %s", stored.public_id, WEBHOOK, error)


def post(url: str, content: Mapping[str, object]) -> None:
    """JSON, to a webhook of a chat or of anything else. Errors: OSError; ValueError for what is no http address."""
    if not url.startswith(("https://", "http://")):
        raise ValueError(f"allowed is an http or https address, not {url.partition(':')[0]}:")
    body = json.dumps(content).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=WEBHOOK_SECONDS) as response:
        response.read(1)
