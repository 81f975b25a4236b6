"""The executor that runs heavy work on a Dask cluster, whose workers may come and go while it runs.

A task on a worker only holds the place: it hands the work to a computing process of that machine (`server.process.Worker`), so that
what hangs, crashes or grows is ended there as it is here. Dask starts the task again where its worker is lost.

    app  --- run(work, *arguments) --->  scheduler  ---  a worker: `compute`  --- pipe --->  its computing process
         <--- a queue of reports, then the result of the task ---
"""

from __future__ import annotations

import logging
import pickle
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from server.executor import ComputeError, WorkerCrashed, ignore_report
from server.process import STALL_TIMEOUT_SECONDS, Worker

CONNECT_SECONDS = 10.0  # until a scheduler that does not answer counts as away
POLL_SECONDS = 1.0  # between two looks at a task that says nothing
NO_WORKER_SECONDS = 60.0  # that a task waits for the first worker
_END = b""  # the last message of a task; every other one is a pickle
_log = logging.getLogger(__name__)
_own_worker: list[Worker] = []  # of this machine, where this module runs in a worker of the cluster
_own_lock = threading.Lock()
T = TypeVar("T")


class Cluster:
    """Thread-safe. The work must be importable on the workers, which run the same revision and see the same files."""

    def __init__(self, address: str, prepare: Callable[[], None] = ignore_report) -> None:
        """address: of the scheduler; prepare: as of `Worker`. Errors: ValueError with what to do."""
        self._address, self._prepare = address, prepare
        self._lock = threading.Lock()
        try:
            from distributed.utils import LoopRunner
        except ImportError as error:
            raise ValueError("--dask needs the package distributed: pip install distributed") from error
        # One thread for every client that this makes: Dask's own would stay after a failed connection
        self._loop = LoopRunner()
        self._loop.start()
        try:
            self._client = self._connected()
        except (OSError, ValueError) as error:  # a TimeoutError is an OSError
            raise ValueError(
                f"--dask: allowed is tcp://HOST:PORT of a scheduler that runs (dask scheduler): {error}"
            ) from error

    def run(
        self,
        work: Callable[..., T],
        *arguments: Any,
        on_report: Callable[..., None] = ignore_report,
        stall_timeout: float = STALL_TIMEOUT_SECONDS,
    ) -> T:
        """As `server.executor.Executor.run`."""
        from dask.distributed import Queue
        from distributed.client import FutureCancelledError
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker

        name, client = f"lab-{secrets.token_hex(8)}", self._living()
        content = pickle.dumps((work, arguments))
        task = None
        try:
            reports = Queue(name, client=client)
            task = client.submit(compute, content, self._prepare, name, stall_timeout, key=name, pure=False)
            while (report := self._next(client, task, reports)) != _END:
                on_report(*pickle.loads(report))
            return task.result()
        except KilledWorker as error:
            raise WorkerCrashed(
                "The computation crashed, probably because it ran out of memory. A shorter recording may help."
            ) from error
        except (CommClosedError, FutureCancelledError) as error:
            raise ComputeError("The computing cluster is away; try again in a minute.") from error
        finally:
            _forget(task, name, client)

    def stop(self) -> None:
        """Leaves the cluster. Its tasks end at their next report."""
        self._client.close()
        self._loop.stop()

    def _next(self, client: Any, task: Any, reports: Any) -> bytes:
        """The next report, or `_END`. Errors: `ComputeError` where no worker is there to make one."""
        since = time.monotonic()
        while True:
            try:
                return reports.get(timeout=POLL_SECONDS)
            except TimeoutError:
                if task.status != "pending":
                    return _END
            if time.monotonic() - since > NO_WORKER_SECONDS and not client.scheduler_info()["workers"]:
                raise ComputeError("The computing cluster has no worker now; try again in a minute.")

    def _living(self) -> Any:
        """The client, made anew where the connection was given up."""
        with self._lock:
            if self._client.status == "closed":
                try:
                    self._client = self._connected()
                except OSError as error:
                    raise ComputeError("The computing cluster is away; try again in a minute.") from error
            return self._client

    def _connected(self) -> Any:
        from dask.distributed import Client

        client = Client.__new__(Client)
        try:
            client.__init__(self._address, timeout=CONNECT_SECONDS, set_as_default=False, loop=self._loop.loop)
        except BaseException:
            # A client that is left open is closed by the garbage collector, in any thread: one that holds the lock
            # which closing needs would wait for itself for ever.
            client.close()
            raise
        return client


def compute(content: bytes, prepare: Callable[[], None], reports: str, stall_timeout: float) -> Any:
    """The task: runs the work of `content` on the worker that this is called on. reports: name of the queue that gets them."""
    from dask.distributed import Queue, get_client, get_worker

    work, arguments = pickle.loads(content)
    worker, queue = get_worker(), Queue(reports, client=get_client())

    def on_report(*values: Any) -> None:
        if _is_cancelled(worker, reports):
            raise _Unwanted
        queue.put(pickle.dumps(values))

    try:
        return _worker_here(prepare).run(work, *arguments, on_report=on_report, stall_timeout=stall_timeout)
    except _Unwanted:
        return None
    finally:
        if not _is_cancelled(worker, reports):
            queue.put(_END)


class _Unwanted(Exception):
    """Nobody waits for the task any more: it was stopped, or its app has ended."""


def _is_cancelled(worker: Any, key: str) -> bool:
    """Whether the scheduler has released the task that runs here: asked for by its app, or because that is gone."""
    task = worker.state.tasks.get(key)
    return task is None or task.state == "cancelled"


def _worker_here(prepare: Callable[[], None]) -> Worker:
    with _own_lock:
        if not _own_worker:
            _own_worker.append(Worker(prepare))
        return _own_worker[0]


def _forget(task: Any, name: str, client: Any) -> None:
    """Stops the task where it still runs, and removes what the scheduler keeps of its reports."""
    from dask.distributed import Queue

    try:
        if task is not None:
            task.cancel()
        Queue(name, client=client).close()
    except Exception as error:  # of a cluster that is gone: there is nothing to remove
        _log.warning("a task could not be removed from the cluster: %s", error)
