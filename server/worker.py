"""Earlier names of `server.executor`, for `ui/compare` until its imports follow."""

from server.executor import ComputeError
from server.executor import Executor as Compute
from server.executor import InlineExecutor as Here

__all__ = ["Compute", "ComputeError", "Here"]
