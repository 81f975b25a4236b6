"""The app under use: the same memory and disk after hundreds of comparisons, and thirty people at once.

python -m pytest tests/robustness/test_soak.py --proof -s
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import soundfile
from gradio_client import Client, handle_file
from scipy.stats import theilslopes

from common.memory import memory
from tests.conftest import harmonic_tone, patient_client, start_app
from tests.processes import worker_of

FAST = ["griffin-lim", "griffin-lim-oracle"]
MAX_WAIT_SECONDS = 600.0  # for one answer, on a machine that may be shared


def compared(url: str, clip: Path, systems: list[str], client: Client | None = None) -> dict:
    """The player's value at the end. Errors: the client's, where the app refuses."""
    client = client or patient_client(url)
    job = client.submit(handle_file(str(clip)), systems, api_name="/compare")
    job.result(MAX_WAIT_SECONDS)
    players = [values[2] for values in job.outputs() if isinstance(values[2], dict) and "tracks" in values[2]]
    return players[-1]


def megabytes_held(app: int) -> list[float]:
    """MB that the app has in use, and that its computing process has."""
    return [memory(process) / 1e6 for process in (app, worker_of(app))]


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def clip(folder: Path, number: int, seconds: float = 0.6) -> Path:
    path = folder / f"clip-{number}.wav"
    soundfile.write(path, harmonic_tone(seconds, 120 + number % 200, seed=number), 22_050)
    return path


def test_hundreds_of_comparisons_leave_nothing_behind(tmp_path, scale):
    """Every one with a recording of its own, in a session of its own; every tenth with a network.

    What is known of recordings is remembered, up to 250 MB: after some hundred clips of 4 s it is as much as it will be. The slope
    is the median of all pairs', because memory is got in steps of up to 80 MB, one of which would turn a straight line.
    """
    rounds, settled = scale(2, 250), scale(0, 120)
    (tmp_path / "data").mkdir()
    process, url = start_app(tmp_path / "data")
    held, disk = [], []
    try:
        for number in range(rounds):
            systems = [*FAST, "hifigan-original"] if number % 10 == 0 else FAST
            player = compared(url, clip(tmp_path, number, scale(1, 4)), systems)
            assert {track["state"] for track in player["tracks"]} == {"ready"}
            held.append(megabytes_held(process.pid))
            disk.append(
                megabytes(tmp_path / "data" / "results")
            )  # uploads stay for an hour, whatever is done with them
        assert process.poll() is None
        assert httpx.get(f"{url}/healthz").text == "ok"
    finally:
        process.terminate()
        process.wait(20)
    print(f"\nsoak: {rounds} comparisons, 0 failed")
    for name, values, most in (
        ("app", [app for app, _ in held], 1_200),
        ("computing process", [worker for _, worker in held], 2_000),
        ("results on disk", disk, 1_000),
    ):
        slope = 1000 * theilslopes(values[settled:])[0]
        print(
            f"  {name}: {values[0]:.0f} MB, {values[settled]:.0f} MB settled, {values[-1]:.0f} MB at the end, {slope:+.0f} kB each"
        )
        assert values[-1] < most
        assert rounds < 100 or slope < 200, f"{name} grows with every comparison"


def test_everybody_at_once_gets_their_own_or_a_clean_refusal(tmp_path, scale):
    """Clips of different lengths: a result of somebody else would have another."""
    users = scale(3, 30)
    (tmp_path / "data").mkdir()
    process, url = start_app(tmp_path / "data")
    lengths = [0.3 + 0.05 * number for number in range(users)]
    refused, taken, together = [], [], threading.Barrier(users)

    def use(number: int) -> None:
        path, client = clip(tmp_path, number, lengths[number]), patient_client(url)
        together.wait()
        try:
            player = compared(url, path, FAST, client)
        except Exception as error:  # the client has no class for a full queue
            refused.append(error)
            return
        taken.append(number)
        assert player["seconds"] == pytest.approx(lengths[number], abs=0.001), "somebody else's result"
        sound = httpx.get(f"{url}/{player['tracks'][1]['audio']['url']}", timeout=60).content
        assert len(sound) == pytest.approx(44 + 2 * 22_050 * lengths[number], abs=600)

    try:
        with ThreadPoolExecutor(users) as pool:
            for done in [pool.submit(use, number) for number in range(users)]:
                done.result()
        assert process.poll() is None
        assert httpx.get(f"{url}/healthz").text == "ok"
        assert len(compared(url, clip(tmp_path, 99), FAST)["tracks"]) == 3, "and it goes on"
    finally:
        process.terminate()
        process.wait(20)
    log = (tmp_path / "data" / "log.txt").read_text()
    for error in refused:
        assert "queue is full" in str(error).lower() or "503" in str(error), (repr(error), log)
    assert len(taken) >= min(users, 6)
    print(f"\nat once: {users} users, {len(taken)} answered, {len(refused)} refused (queue full), 0 wrong, 0 crashed")
