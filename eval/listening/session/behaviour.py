"""The page's report on how a rater listened to a trial: its bounds, the required time of listening, and flags."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eval.listening.analysis.screening import Flag
from eval.listening.design import passes
from eval.listening.session.errors import RequestError
from eval.listening.storage.records import Rater, ShownTrial, StoredStudy

MIN_HEARD_SECONDS, MIN_HEARD_SHARE = 2.0, 0.5  # of every slot before an answer is taken: the smaller one
HEARD_TOLERANCE_SECONDS = 0.05  # by which less may have been heard
CLOCK_TOLERANCE_SECONDS = 1.0  # by which more may have been heard than time has passed: clocks and latencies
MAX_COUNT = 10**9


@dataclass(frozen=True)
class Behaviour:
    """heard: seconds of each slot that were played at least once; plays: starts of each slot."""

    heard: list[float]
    plays: list[int]
    switches: int  # between slots
    dwell_ms: int  # from the trial's appearance to its answer

    def as_row(self) -> dict[str, object]:
        """The columns of the stored response."""
        heard = [round(seconds, 3) for seconds in self.heard]
        return {"heard": heard, "plays": self.plays, "switches": self.switches, "dwell_ms": self.dwell_ms}


def read_behaviour(reported: Mapping[str, Any], slots: int, seconds: float) -> Behaviour:
    """reported: heard, plays, switches and dwell_ms as the page sent them; seconds: length of the trial's stimuli.

    Errors: `RequestError`.
    """
    return Behaviour(
        heard=_heard(reported.get("heard"), slots, seconds),
        plays=[_count(n) for n in list(reported.get("plays") or ())[:slots]],
        switches=_count(reported.get("switches")),
        dwell_ms=_count(reported.get("dwell_ms")),
    )


def required_seconds(seconds: float) -> float:
    """Seconds of a stimulus of that length that must be heard before an answer is taken."""
    return round(min(MIN_HEARD_SECONDS, MIN_HEARD_SHARE * seconds), 3)


def require_listening(behaviour: Behaviour, needed: float) -> None:
    """needed: seconds, as of `required_seconds`. Errors: `RequestError` where a slot was heard for less."""
    least, slots = needed - HEARD_TOLERANCE_SECONDS, len(behaviour.heard)
    if short := [heard for heard in behaviour.heard if heard < least]:
        raise RequestError("not_heard", f"{len(short)} of {slots} sounds were not listened to for long enough.")


def response_flags(
    stored: StoredStudy, rater: Rater, shown: ShownTrial, answer: object, behaviour: Behaviour
) -> list[Flag]:
    """Flags of a failed check, and of more listening than the time since the trial was shown allows."""
    flags = []
    if passes(stored.study, shown.trial, answer) is False:
        detail = f"trial {shown.number}: {'/'.join(shown.trial.shown)} was answered {answer}"
        flags.append(Flag(rater.id, shown.trial.kind, 1, detail))
    heard, passed = sum(behaviour.heard), time.time() - shown.since
    if passed >= 0 and heard > passed + CLOCK_TOLERANCE_SECONDS:  # negative: the clock was set back, nothing is known
        detail = f"trial {shown.number}: {heard:.1f} s heard in {passed:.1f} s"
        flags.append(Flag(rater.id, "impossible-time", 1, detail))
    return flags


def _heard(given: Any, slots: int, seconds: float) -> list[float]:
    """Seconds of each slot in the union of its [start, stop] intervals. Errors: `RequestError`."""
    try:
        intervals = [[(float(a), float(b)) for a, b in slot] for slot in list(given)[:slots]]
    except (TypeError, ValueError, OverflowError) as error:
        raise RequestError("invalid_answer", "heard is a list of [start, stop] in seconds for every slot.") from error
    return [_union(slot, seconds) for slot in intervals] + [0.0] * (slots - len(intervals))


def _union(intervals: list[tuple[float, float]], seconds: float) -> float:
    total, reached = 0.0, 0.0
    for start, stop in sorted(intervals):
        start, stop = max(start, reached), min(stop, seconds)
        if stop > start:  # false for NaN
            total, reached = total + stop - start, stop
    return total


def _count(value: object) -> int:
    if isinstance(value, float) and not math.isfinite(value):
        return 0
    return min(max(int(value), 0), MAX_COUNT) if isinstance(value, int | float) else 0
