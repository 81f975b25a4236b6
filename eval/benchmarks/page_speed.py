"""How fast the app is as a person meets it, and how much memory a long file takes: whole processes, timed from outside."""

from __future__ import annotations

import contextlib
import functools
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.memory import peak_memory
from common.paths import ROOT
from eval.benchmarks.plain_inference import PlainSystems
from eval.benchmarks.processor_time import processor_seconds
from eval.benchmarks.speed import Row, Tell, seconds_of
from vocoders.audio import SAMPLE_RATE, write_wav
from vocoders.catalogue import COMPARED, find_system

MAX_START_SECONDS = 180.0  # of an app; it takes 4 to 6 on an idle machine


@dataclass(frozen=True)
class PageTimes:
    """Seconds; `first` is from the click to the first output that can be played, `whole` to the last download."""

    start: float  # of the process to a page that answers
    first_cold: float
    whole_cold: float
    first_warm: float
    resident: int | None  # bytes that the answering process, not the computing one, held at most; None if untold


@dataclass(frozen=True)
class Waited:
    """From the click to `what` of one comparison: seconds, and processor seconds of the app with all its processes (None where
    the operating system does not tell)."""

    what: str
    wall: float
    processor: float | None


SOUND, ALL_SOUNDS, ALL_NUMBERS = "first sound", "all sounds", "all numbers, pictures and files"  # what is waited for


def time_page(
    samples: np.ndarray, systems: PlainSystems, rounds: int, tell: Tell = lambda name: None
) -> tuple[PageTimes, Row]:
    """A real app and the default comparison through its API: after a fresh start, then in turns with the plain way.

    Every turn has another level, so that nothing is remembered from the one before.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tell("the app's start")
        with app(folder / "first"):
            pass  # leaves compiled bytecode behind, as any second start finds it
        began = time.perf_counter()
        with app(folder / "second") as page:
            start = time.perf_counter() - began
            tell("the first comparison of a fresh app")
            first_cold, _, whole_cold = (waited.wall for waited in page.compare(samples, COMPARED))
            firsts, wholes, before = [], [], []
            for turn in range(rounds):
                tell(f"the whole page, turn {turn + 1} of {rounds}")
                output = (samples * 0.97 ** (turn + 1)).astype(np.float32)
                before.append(seconds_of(functools.partial(systems.compare, output, folder)))
                first, _, whole = (waited.wall for waited in page.compare(output, COMPARED))
                firsts.append(first)
                wholes.append(whole)
            resident = peak_memory(page.process)
    times = PageTimes(start, first_cold, whole_cold, statistics.median(firsts), resident)
    row = Row(
        "the whole default comparison", statistics.median(before), statistics.median(wholes), len(samples) / SAMPLE_RATE
    )
    return times, row


@dataclass(frozen=True)
class App:
    """One that runs. process: its number; folder: for files on the way."""

    process: int
    url: str
    folder: Path

    def compare(self, samples: np.ndarray, systems: Sequence[str]) -> list[Waited]:
        """What a person waits for, `SOUND`, `ALL_SOUNDS` and `ALL_NUMBERS`. Errors: RuntimeError where nothing could be heard."""
        from gradio_client import Client, handle_file

        clip = self.folder / "clip.wav"
        write_wav(clip, samples)
        client = Client(self.url, verbose=False)
        began, spent = time.perf_counter(), processor_seconds(self.process)
        found: dict[str, Waited] = {}

        def reached(what: str) -> None:
            if what not in found:
                now = processor_seconds(self.process)
                used = None if now is None or spent is None else now - spent
                found[what] = Waited(what, time.perf_counter() - began, used)

        job = client.submit(handle_file(clip), list(systems), api_name="/compare")
        for shown in job:
            ready = ['"ready"' in json.dumps(track) for track in _tracks(shown)]
            if any(ready):
                reached(SOUND)
            if ready and all(ready):
                reached(ALL_SOUNDS)
        if ALL_SOUNDS not in found:
            said = job.outputs()[-1][0] if job.outputs() else "no answer"
            raise RuntimeError(f"the comparison did not make all systems heard: {said}")
        reached(ALL_NUMBERS)
        return list(found.values())


@contextlib.contextmanager
def app(data: Path, root: Path = ROOT) -> Iterator[App]:
    """Started, and ended with the block. data: a folder for it, beside whose name files go; root: of the revision that runs.

    Errors: RuntimeError where it does not start.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "app.py", "--port", str(port), "--data-dir", str(data)]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        began = time.monotonic()
        while not _answers(url):
            if process.poll() is not None or time.monotonic() - began > MAX_START_SECONDS:
                raise RuntimeError("the app did not start; see what `python app.py` says")
            time.sleep(0.05)
        yield App(process.pid, url, data.parent)
    finally:
        process.terminate()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        return urllib.request.urlopen(url, timeout=5).status == 200
    except OSError:
        return False


def _tracks(shown: tuple) -> list[dict]:
    """The player's tracks behind the recording's, in what the page was sent."""
    return next((value["tracks"][1:] for value in shown if isinstance(value, dict) and "tracks" in value), [])


# Runs a command and prints the peak memory of its process. A small process of its own, because a child counts what its
# parent held when it was forked.
_PEAK = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
sys.exit(status)
"""


def peak_of_long_file(system: str, minutes: float) -> tuple[float, int]:
    """(times real time, peak bytes) of `python -m vocoders resynth` on so many minutes, in a process of its own."""
    find_system(system)
    with tempfile.TemporaryDirectory() as name:
        rng, source = np.random.default_rng(0), Path(name) / "long.wav"
        write_wav(source, rng.normal(0, 0.05, round(60 * minutes * SAMPLE_RATE)).astype(np.float32))
        command = [sys.executable, "-m", "vocoders", "resynth", str(source), "--vocoders", system, "--out", name]
        command += ["--max-seconds", str(60 * minutes + 1)]
        began = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", _PEAK, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise RuntimeError(f"{system} failed on {minutes:g} minutes")
        return 60 * minutes / (time.perf_counter() - began), int(done.stdout)
