"""Watches the checks of a study while raters answer, and tells its owner about one that nearly everybody fails.

Neither the counting nor the message delays an answer: both run in a thread of their own, and a failure is a line in the log.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from math import floor, log

from eval.listening.analysis.alarm import OF_SESSIONS, Alarm, expected_share, is_implausible
from eval.listening.analysis.results import flags_of, has_finished, votes_of
from eval.listening.storage.database import StoreError
from eval.listening.storage.records import StoredStudy
from eval.listening.storage.store import Store

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

    def __init__(self, store: Store, run: Callable[[Callable[[], None]], None] = in_background) -> None:
        self._store, self._run = store, run
        self._ended: Counter[str] = Counter()  # sessions of each study, as this process has seen them

    def look(self, stored: StoredStudy, rule: str) -> None:
        """Counts who failed, and raises the alarm where it is due and was not raised before."""
        self._run(lambda: self._look(stored, rule))

    def look_at_votes(self, stored: StoredStudy) -> None:
        """The same of the rules of `OF_SESSIONS`, whenever a session may have ended. A study of n raters is read about 10 ln(n) times."""
        self._ended[stored.public_id] += 1
        if is_due(self._ended[stored.public_id]):
            self._run(lambda: self._look_at_votes(stored))

    def _look(self, stored: StoredStudy, rule: str) -> None:
        asked = {"gold": stored.study.golds, "trap": stored.study.traps}.get(rule, 1)
        try:
            self._judge(stored, rule, *self._store.failures(stored, rule), expected_share(rule, asked))
        except StoreError as error:
            _log.error("the check %s of %s was not counted: %s", rule, stored.public_id, error)

    def _look_at_votes(self, stored: StoredStudy) -> None:
        try:
            people, rows = self._store.raters(stored.public_id), self._store.answers(stored.public_id)
            answered = Counter(row["rater"] for row in rows)
            finished = {one["rater"]: one for one in people if has_finished(one, answered[one["rater"]])}
            votes = votes_of(stored.study, [row for row in rows if row["rater"] in finished])
            flags = flags_of(stored.study, votes, list(finished.values()))
            for rule, expected in OF_SESSIONS.items():
                failed = {flag.rater for flag in flags if flag.rule == rule}
                self._judge(stored, rule, len(failed), len(finished), expected)
        except StoreError as error:
            _log.error("the votes of %s were not looked at: %s", stored.public_id, error)

    def _judge(self, stored: StoredStudy, rule: str, failed: int, raters: int, expected: float) -> None:
        if any(alarm.rule == rule for alarm in stored.alarms) or not is_implausible(failed, raters, expected):
            return
        alarm = Alarm(rule, raters, failed, expected)
        if self._store.add_alarm(stored, alarm):
            _tell(stored, alarm)


def is_due(ended: int) -> bool:
    """Whether to look after so many sessions: after each of the first ten, and then whenever they have grown by a tenth."""
    return ended <= 10 or floor(10 * log(ended)) > floor(10 * log(ended - 1))


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
