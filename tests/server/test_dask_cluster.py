"""Heavy work on a real Dask cluster: as in the computing process here, whatever happens to workers and apps."""

import threading

import pytest

from deploy.endurance.programs import free_port, start_python
from deploy.endurance.service import scheduler, worker
from server.dask_cluster import Cluster
from server.executor import ComputeError, WorkerTimeout
from tests import jobs, warm_python
from tests.executors import assert_unwanted_work_ends
from tests.waiting import until


def start(arguments, log):
    return warm_python.start(arguments, log)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    address, program = scheduler(tmp_path_factory.mktemp("dask"), start)
    program.wait_until_ready()
    yield address
    program.stop()


@pytest.fixture(scope="module")
def one(address, tmp_path_factory):
    """A worker of the cluster."""
    program = worker(tmp_path_factory.mktemp("worker"), "worker 1", address, start)
    program.wait_until_ready()
    yield program
    program.stop()


@pytest.fixture(scope="module")
def cluster(address, one):
    cluster = Cluster(address)
    yield cluster
    cluster.stop()


def test_work_is_done_there_and_tells_on_its_way(cluster, one):
    reports = []
    pid = cluster.run(jobs.counted, 3, on_report=lambda *report: reports.append(report))
    assert reports == [(0, 0), (1, -1), (2, -2)]
    assert pid != one.pid, "in the worker's computing process"
    assert cluster.run(jobs.pid_of) == pid


def test_errors_come_back_as_they_are(cluster):
    with pytest.raises(ValueError, match="the reason"):
        cluster.run(jobs.refused)
    with pytest.raises(WorkerTimeout, match="nothing moved for 1 seconds"):
        cluster.run(jobs.stuck, stall_timeout=1.0)
    assert cluster.run(jobs.counted, 0) > 0, "and it goes on"


def test_work_that_nobody_wants_any_more_ends(cluster, tmp_path):
    assert_unwanted_work_ends(cluster, tmp_path)


def test_work_of_an_app_that_is_gone_ends(address, one, tmp_path):
    """The app is killed, so nothing tells the worker but the scheduler that has lost its client."""
    code = (
        "import sys; from pathlib import Path; from server.dask_cluster import Cluster; from tests import jobs; "
        "folder = Path(sys.argv[2]); Cluster(sys.argv[1]).run(jobs.endless, folder / 'marks', folder / 'ended')"
    )
    app = start_python(["-c", code, address, str(tmp_path)], tmp_path / "log.txt")
    until((tmp_path / "marks").exists, "the work is under way")
    app.kill()
    app.wait()
    until((tmp_path / "ended").exists, "the work has ended")


def test_a_worker_that_is_killed_costs_no_work(cluster, one, tmp_path):
    begun, results = tmp_path / "begun", []
    other = threading.Thread(target=lambda: results.append(cluster.run(jobs.done_the_second_time, begun)), daemon=True)
    other.start()
    until(begun.exists, "the work has begun")
    one.kill()
    one.start_again()
    until(lambda: not other.is_alive(), "another worker has done it")
    assert results == ["done"]
    assert begun.stat().st_size == 2


def test_a_connection_that_fails_leaves_nothing_open(monkeypatch):
    """An open client is closed by the garbage collector, which may run where Dask holds the lock that closing needs."""
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("server.dask_cluster.CONNECT_SECONDS", 0.2)
    begun = []
    start = distributed.Client.start
    monkeypatch.setattr(
        distributed.Client, "start", lambda self, **options: (begun.append(self), start(self, **options))
    )
    for address in ("nonsense://127.0.0.1", f"tcp://127.0.0.1:{free_port()}"):
        with pytest.raises(ValueError, match=r"--dask: allowed is"):
            Cluster(address)
    assert [client.status for client in begun] == ["closed", "closed"]


def test_an_outage_costs_no_threads(tmp_path, monkeypatch):
    address, program = scheduler(tmp_path, start)
    program.wait_until_ready()
    cluster = Cluster(address)
    monkeypatch.setattr("server.dask_cluster.CONNECT_SECONDS", 0.2)
    program.stop()
    cluster._client.close()
    before = threading.active_count()
    for _ in range(3):
        with pytest.raises(ComputeError, match="is away"):
            cluster.run(jobs.pid_of)
    assert threading.active_count() <= before
    cluster.stop()


def test_where_nobody_computes_the_page_says_so(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"--dask: allowed is tcp://HOST:PORT"):
        Cluster("nonsense://127.0.0.1")
    monkeypatch.setattr("server.dask_cluster.CONNECT_SECONDS", 0.2)
    with pytest.raises(ValueError, match="of a scheduler that runs"):
        Cluster(f"tcp://127.0.0.1:{free_port()}")
    monkeypatch.undo()
    address, lonely = scheduler(tmp_path, start)
    lonely.wait_until_ready()
    monkeypatch.setattr("server.dask_cluster.NO_WORKER_SECONDS", 0.0)
    cluster = Cluster(address)
    with pytest.raises(ComputeError, match="has no worker now"):
        cluster.run(jobs.pid_of)
    cluster.stop()
    lonely.stop()
