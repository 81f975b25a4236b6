"""Signals that many tests use. Everything is seeded; nothing comes from the network."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import settings
from lightning.fabric import Fabric

from common.paths import ROOT
from tests.waiting import until
from train.data.pack import Pack
from train.data.prepare import prepare
from vocoders.audio import SAMPLE_RATE

if TYPE_CHECKING:
    from gradio_client import Client

settings.register_profile("timeless", deadline=None)  # machines differ, and are busy with other things
settings.load_profile("timeless")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--proof", action="store_true", help="run the proofs of robustness in full (hours), not in short")


def harmonic_tone(seconds: float = 1.5, f0: float = 196.0, vibrato: float = 0.03, seed: int = 0) -> np.ndarray:
    """A bright sung-like tone: 40 falling harmonics with 5.5 Hz vibrato and a little noise; (n,) float32, peak 0.5."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * np.cumsum(f0 * (1 + vibrato * np.sin(2 * np.pi * 5.5 * time))) / SAMPLE_RATE
    harmonics = [np.sin(k * phase) / k for k in range(1, 41) if k * f0 * (1 + vibrato) < SAMPLE_RATE / 2]
    noise = np.random.default_rng(seed).normal(0, 0.01, len(time))
    tone = np.sum(harmonics, axis=0) + noise
    return (0.5 * tone / np.abs(tone).max()).astype(np.float32)


@pytest.fixture(scope="session")
def tone() -> np.ndarray:
    return harmonic_tone()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.fixture(scope="session")
def app_url(tmp_path_factory) -> Iterator[str]:
    """The real app in a process of its own, ready to answer."""
    with running_app(tmp_path_factory.mktemp("app-data")) as url:
        yield url


@contextlib.contextmanager
def running_app(data: Path, port: int | None = None, options: Sequence[str] = ()) -> Iterator[str]:
    """Its address. Fails when the app has died before the end."""
    process, url = start_app(data, port, options)
    try:
        yield url
        assert process.poll() is None, "the app died during the tests"
    finally:
        process.terminate()
        process.wait(20)


def start_app(
    data: Path, port: int | None = None, options: Sequence[str] = (), program: Sequence[str] = ("app.py",)
) -> tuple[subprocess.Popen, str]:
    """The app's process and its address, once it answers. program: what Python runs in the place of the app."""
    port = port or free_port()
    with (data / "log.txt").open("a+") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                *program,
                "--port",
                str(port),
                "--data-dir",
                str(data),
                "--max-seconds",
                "20",
                "--requests-per-minute",
                "0",
                *options,
            ],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url, process, log)
    return process, url


def patient_client(url: str) -> Client:
    """A program that talks to the app; the first answers of a busy machine take longer than its usual timeouts."""
    from gradio_client import Client

    return Client(url, verbose=False, httpx_kwargs={"timeout": 120})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(url: str, process: subprocess.Popen, log) -> None:
    def answers() -> bool:
        if process.poll() is not None:
            log.seek(0)
            raise RuntimeError(f"the app did not start:\n{log.read()}")
        try:
            return urllib.request.urlopen(f"{url}/healthz", timeout=10).status == 200
        except OSError:
            return False

    until(answers, f"the app answers; {log.name} is its log")


@pytest.fixture(scope="session")
def songs(tmp_path_factory) -> Path:
    """Four voices, three phrases of 3 s each: one folder per voice."""
    root = tmp_path_factory.mktemp("songs")
    for voice, f0 in enumerate((110.0, 165.0, 220.0, 330.0)):
        (root / f"voice-{voice}").mkdir()
        for phrase, ratio in enumerate((1.0, 1.125, 1.25)):
            samples = harmonic_tone(3.0, f0 * ratio, seed=10 * voice + phrase)
            soundfile.write(root / f"voice-{voice}" / f"{phrase}.flac", samples, SAMPLE_RATE)
    return root


@pytest.fixture(scope="session")
def pack(songs, tmp_path_factory) -> Pack:
    """`songs`, packed, with one voice held out."""
    return prepare(songs, tmp_path_factory.mktemp("pack"), validation=0.2, jobs=1, licence="CC0")


@pytest.fixture(scope="session")
def fabric() -> Fabric:
    return Fabric(accelerator="cpu", devices=1)


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Small networks train faster on one thread than on two that wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
