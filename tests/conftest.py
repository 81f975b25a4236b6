"""Signals that many tests use. Everything is seeded; nothing comes from the network."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

# Before any library reads it. Tests run side by side and networks are small: threads would wait for each other, and a waiting
# thread of OpenMP spins, which doubles the processor time of most files.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import settings

from deploy.endurance.programs import free_port
from tests import warm_python
from tests.command import Done, command
from tests.originals import CONFIG, with_weight_norm
from tests.signals import harmonic_tone
from tests.waiting import until
from tests.warm_python import WarmProcess
from train.config import PRESETS
from train.data.pack import Pack
from train.data.prepare import prepare
from train.loop import fit
from train.schedule import Budget
from vocoders.audio import SAMPLE_RATE
from vocoders.hifigan.generator import V3, Generator

if TYPE_CHECKING:
    from gradio_client import Client
    from lightning.fabric import Fabric

pytest_plugins = ["tests.seconds"]
settings.register_profile("timeless", deadline=None)  # machines differ, and are busy with other things
settings.load_profile("timeless")


MEASURED = "M-STFT,F0 error,Distill-MOS"
SYSTEMS = "griffin-lim,griffin-lim-oracle"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--proof", action="store_true", help="run the proofs of robustness in full (hours), not in short")


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
) -> tuple[WarmProcess, str]:
    """The app's process and its address, once it answers. program: what Python runs in the place of the app."""
    port = port or free_port()
    arguments = [
        *program,
        "--port",
        str(port),
        "--data-dir",
        str(data),
        "--max-seconds",
        "20",
        "--requests-per-minute",
        "0",
    ]
    process = warm_python.start([*arguments, *options], data / "log.txt")
    url = f"http://127.0.0.1:{port}"
    wait_until_ready(url, process, data / "log.txt")
    return process, url


def patient_client(url: str) -> Client:
    """A program that talks to the app; the first answers of a busy machine take longer than its usual timeouts."""
    from gradio_client import Client

    return Client(url, verbose=False, httpx_kwargs={"timeout": 120})


def wait_until_ready(url: str, process: WarmProcess, log: Path) -> None:
    def answers() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"the app did not start:\n{log.read_text()}")
        try:
            return urllib.request.urlopen(f"{url}/healthz", timeout=10).status == 200
        except OSError:
            return False

    until(answers, f"the app answers; {log} is its log")


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
    from lightning.fabric import Fabric

    return Fabric(accelerator="cpu", devices=1)


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return Generator(V3).state_dict()


@pytest.fixture
def jik876(tmp_path, weights) -> Path:
    """g_00000010 with its config.json, as the original trainer leaves them."""
    torch.save({"generator": with_weight_norm(weights)}, tmp_path / "g_00000010")
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    return tmp_path / "g_00000010"


@pytest.fixture(scope="module")
def short_run(pack, fabric, tmp_path_factory) -> Path:
    """The folder of a training of eight steps."""
    folder = tmp_path_factory.mktemp("run")
    config = dataclasses.replace(PRESETS["tiny"], validate_every=4, validation_seconds=1.0)
    fit(folder, pack, config, Budget(steps=8), fabric, preset="tiny")
    return folder


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    """A folder of six clips of two voices, and one that is no audio."""
    root = tmp_path_factory.mktemp("clips")
    for index, f0 in enumerate((110, 147, 196, 262, 330, 392)):
        (root / f"voice{index % 2}").mkdir(exist_ok=True)
        soundfile.write(root / f"voice{index % 2}" / f"{index}.flac", harmonic_tone(0.8, f0, seed=index), 22_050)
    (root / "voice0" / "bad.wav").write_bytes(b"not audio at all")
    return root


@pytest.fixture(scope="module")
def compared(clips, tmp_path_factory) -> tuple[Path, Done]:
    """The folder and the output of `python -m eval compare` on the clips."""
    out = tmp_path_factory.mktemp("compared") / "out"
    done = command("eval", "compare", clips, "--vocoders", SYSTEMS, "--out", out, "--metrics", MEASURED, code=1)
    return out, done
