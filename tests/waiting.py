"""The one place of the tests that looks at a clock: waiting for what other processes, threads and networks do.

No test depends on how long anything takes. Deadlines only bound a failure, and are ample: machines differ, and are busy.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

TIMEOUT_SECONDS = 180.0  # until a wait has failed
POLL_INTERVAL_SECONDS = 0.02  # between two looks
Found = TypeVar("Found")


def until(condition: Callable[[], Found], what: str, patience: float = TIMEOUT_SECONDS) -> Found:
    """The value of `condition` as soon as it is true. Errors: AssertionError that says what never came."""
    deadline = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {patience:g} s in vain until {what}"
        time.sleep(POLL_INTERVAL_SECONDS)
    return found


def random_moment(chance: random.Random, longest: float) -> None:
    """Let at most `longest` seconds pass, before a fault that may strike at any moment; what is asserted holds for all of them."""
    time.sleep(chance.uniform(0, longest))
