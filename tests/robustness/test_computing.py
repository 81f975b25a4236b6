"""The app while its computing process dies, or hangs, under comparisons.

python -m pytest tests/robustness/test_computing.py --proof -s
"""

import os
import random
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.conftest import start_app
from tests.processes import worker_of
from tests.robustness.test_soak import FAST, MAX_WAIT_SECONDS, clip, compared
from tests.waiting import random_moment, until

IMPATIENT = "import server.process as p, app; p.Worker.run.__kwdefaults__['stall_timeout'] = {}; app.main()"
WITH_NETWORK = [*FAST, "hifigan-original"]
CLIP_SECONDS = 4.0  # of a clip that takes some seconds to compare


def status(url: str, path: Path, systems: list[str]) -> tuple[str, str]:
    """The state in which a comparison ended, and the page's sentence about it."""
    found = compared(url, path, systems)["status"]
    return found["state"], found["text"]


def test_comparisons_survive_the_end_of_their_process(tmp_path, scale):
    """Two at a time, and the process is killed under them at random moments; both begin again, and come to their end."""
    kills, chance = scale(1, 40), random.Random(4)
    (tmp_path / "data").mkdir()
    process, url = start_app(tmp_path / "data")
    survived = 0
    try:
        with ThreadPoolExecutor(2) as pool:
            for _ in range(kills):
                # new clips, of which no result is cached
                new = [clip(tmp_path, chance.randrange(10**6), CLIP_SECONDS) for _ in range(2)]
                jobs = [pool.submit(status, url, path, WITH_NETWORK) for path in new]
                random_moment(chance, 2.0)
                os.kill(worker_of(process.pid), signal.SIGKILL)
                for job in jobs:
                    assert job.result() == ("done", f"{len(WITH_NETWORK)} systems ready")
                    survived += 1
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait(20)
    print(
        f"\ncomputing process killed {kills} times under two comparisons: {survived} of {2 * kills} came to their end"
    )


def answers(url: str) -> bool:
    return httpx.get(f"{url}/healthz", timeout=60).raise_for_status().text == "ok"


def test_a_process_that_hangs_is_killed_and_the_app_goes_on(tmp_path, scale):
    """Stopped by a signal, it does not move any more, as in a deadlock. Meanwhile the app answers."""
    hangs, patience = scale(1, 10), 30  # seconds; on a busy machine a fresh process needs 20 to import PyTorch
    (tmp_path / "data").mkdir()
    process, url = start_app(tmp_path / "data", program=("-c", IMPATIENT.format(patience)))
    try:
        compared(url, clip(tmp_path, 0), FAST)  # the process is ready
        with ThreadPoolExecutor(1) as pool:
            for number in range(1, hangs + 1):
                hanging = worker_of(process.pid)
                job = pool.submit(status, url, clip(tmp_path, number, 8.0), FAST)
                os.kill(hanging, signal.SIGSTOP)
                until(lambda job=job: answers(url) and job.done(), "the comparison is given up", MAX_WAIT_SECONDS)
                assert job.result() == ("cancelled", f"Given up: nothing moved for {patience} seconds")
                assert status(url, clip(tmp_path, 100 + number), FAST)[0] == "done"
                assert not Path(f"/proc/{hanging}").exists(), "it was killed, and nothing of it is left"
        metrics = httpx.get(f"{url}/metrics").text
        assert f"lab_stalled_jobs_total {hangs}.0" in metrics
    finally:
        process.terminate()
        process.wait(20)
    print(f"\ncomputing process stopped {hangs} times: killed each time (patience {patience} s), 0 crashed")
