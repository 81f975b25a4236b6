"""The executor interface for heavy work, its errors, and the executor that runs the work in the calling thread.

`server.process.Worker` is the executor that runs it in another process.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class ComputeError(RuntimeError):
    """The work has no result, and the cause lies outside the work itself. The message is shown to the user."""


class WorkerTimeout(ComputeError):
    """The job reported nothing for too long; its process was killed."""


class WorkerCrashed(ComputeError):
    """The process ended under the job at every attempt."""


class Executor(Protocol):
    """Runs heavy work, in this process or in another one."""

    def run(
        self, work: Callable[..., T], *arguments: Any, on_report: Callable[..., None] = ..., stall_timeout: float = ...
    ) -> T:
        """Returns `work(*arguments, report)`; every call of `report` is passed on to `on_report`.

        on_report: may raise, which ends the work. Its calls start again from the first when the work is attempted again.
        stall_timeout: seconds that may pass without a report. Errors: those of `work` and of `on_report`; `ComputeError`.
        """


def ignore_report(*report: Any) -> None:
    """Takes any report of progress, and does nothing with it."""


class InlineExecutor:
    """Runs the work in the calling thread: for work that cannot be pickled, and where one process is enough."""

    def run(
        self,
        work: Callable[..., T],
        *arguments: Any,
        on_report: Callable[..., None] = ignore_report,
        stall_timeout: float = math.inf,
    ) -> T:
        """Returns `work(*arguments, on_report)`, computed in the calling thread. stall_timeout has no effect."""
        return work(*arguments, on_report)
