"""The computing process: results and errors come through, and whatever happens to it, the app goes on."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest

from eval.compare.recording import Output, compare_again
from server.executor import WorkerCrashed, WorkerTimeout
from server.process import MAX_ATTEMPTS, Worker
from server.prometheus import STALLED, WORKERS
from tests import jobs
from tests.conftest import harmonic_tone
from tests.executors import assert_unwanted_work_ends
from tests.waiting import until
from vocoders.audio import Recording
from vocoders.catalogue import BUILT_IN, find_system, find_systems


@pytest.fixture(scope="module")
def worker():
    worker = Worker()
    yield worker
    worker.stop()


def test_work_is_done_elsewhere_and_tells_on_its_way(worker):
    reports = []
    pid = worker.run(jobs.counted, 3, on_report=lambda *report: reports.append(report))
    assert reports == [(0, 0), (1, -1), (2, -2)]
    assert pid == worker.pid != os.getpid()


def test_errors_come_back_as_they_are(worker):
    with pytest.raises(ValueError, match="the reason"):
        worker.run(jobs.refused)
    with pytest.raises(RuntimeError, match="Local: its words"):
        worker.run(jobs.unsendable)
    with pytest.raises(AttributeError, match="lambda"):
        worker.run(lambda report: None)  # nothing that could be sent
    assert worker.run(jobs.counted, 0) == worker.pid, "and it goes on"


def test_work_that_nobody_wants_any_more_ends(worker, tmp_path):
    assert_unwanted_work_ends(worker, tmp_path)


def test_what_hangs_is_killed_and_others_begin_again(worker, tmp_path):
    stalls, results, begun = STALLED._value.get(), [], tmp_path / "begun"
    first = worker.run(jobs.pid_of)
    other = threading.Thread(
        target=lambda: results.append(worker.run(jobs.done_the_second_time, begun, stall_timeout=600)), daemon=True
    )
    other.start()
    until(begun.exists, "the other job has begun")
    with pytest.raises(WorkerTimeout, match="nothing moved for 1 seconds"):
        worker.run(jobs.stuck, stall_timeout=1.0)
    until(lambda: not other.is_alive(), "the other job has begun again and ended")
    assert results == ["done"]
    assert begun.stat().st_size == 2
    assert worker.run(jobs.pid_of) == worker.pid != first
    assert not Path(f"/proc/{first}").exists(), "the stuck process is gone"
    assert STALLED._value.get() == stalls + 1


def test_a_job_asked_for_while_the_process_hangs_waits_for_the_next_one(worker, tmp_path):
    """Though it is too long for the pipe, which the stuck process does not read."""

    def hang():
        with pytest.raises(WorkerTimeout):
            worker.run(jobs.told_and_stuck, tmp_path / "began", stall_timeout=2)

    worker.run(jobs.pid_of)  # the process is ready
    hanging = threading.Thread(target=hang, daemon=True)
    hanging.start()
    until((tmp_path / "began").exists, "the job that hangs has begun")
    sent = np.arange(1_000_000)
    np.testing.assert_array_equal(worker.run(jobs.sent_back, sent, stall_timeout=600), sent)
    until(lambda: not hanging.is_alive(), "the job that hangs was given up")


@pytest.mark.parametrize("survive_at", [MAX_ATTEMPTS, MAX_ATTEMPTS + 1])
def test_a_process_that_dies_is_replaced_and_the_work_begun_again(worker, tmp_path, survive_at):
    tries = tmp_path / "tries"
    if survive_at <= MAX_ATTEMPTS:
        assert worker.run(jobs.killed, tries, survive_at) == "survived"
    else:
        with pytest.raises(WorkerCrashed, match="ran out of memory"):
            worker.run(jobs.killed, tries, survive_at)
    assert tries.stat().st_size == MAX_ATTEMPTS
    assert worker.run(jobs.pid_of) == worker.pid


def test_a_process_that_has_grown_too_large_is_replaced_once_nobody_uses_it():
    before = WORKERS.labels("grown")._value.get()
    worker = Worker(max_idle_bytes=700e6)
    first = worker.run(jobs.pid_of)
    assert worker.run(jobs.pid_of) == first
    worker.run(jobs.grow, 800)
    assert worker.run(jobs.pid_of) != first
    assert WORKERS.labels("grown")._value.get() == before + 1
    worker.stop()


@pytest.mark.parametrize("system", BUILT_IN, ids=lambda system: system.id)
def test_a_system_equals_itself_after_the_trip(worker, system):
    assert worker.run(jobs.sent_back, system) == system


def test_a_comparison_there_is_the_comparison_here(worker):
    recording, systems = Recording("tone", harmonic_tone(0.8)), find_systems("griffin-lim,griffin-lim-oracle")
    here, there = [], []
    compare_again(recording, systems, here.append)
    worker.run(compare_again, recording, systems, on_report=there.append)
    for events in (here, there):
        events[:] = [event for event in events if isinstance(event, Output)]
    assert [output.system for output in there] == [find_system(s.id) for s in systems]
    for one, other in zip(here, there, strict=True):
        # Iterating amplifies rounding, which differs with the number of threads
        np.testing.assert_allclose(one.samples, other.samples, atol=5e-3)


def test_asking_again_there_costs_nothing(worker):
    """Cached results stay in the process, though every message brings new systems."""
    recording, systems = Recording("tone", harmonic_tone(3.0, seed=5)), find_systems("griffin-lim,griffin-lim-oracle")
    assert [worker.run(jobs.count_griffin_lims, recording, systems) for _ in range(2)] == [2, 0]
