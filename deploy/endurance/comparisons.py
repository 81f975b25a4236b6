"""Simulated visitors who compare: through Gradio's own client, as programs do, and again where a process died under them."""

from __future__ import annotations

import io
import logging
import multiprocessing
import multiprocessing.pool
import os
import threading
import time
import wave
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np

SYSTEMS = ["griffin-lim", "griffin-lim-oracle"]
CLIP_SECONDS, RATE = 1.0, 22_050
AGAIN_SECONDS = 1.0  # before one is submitted again
VISITOR_NICENESS = 5
Ended = threading.Event | Event
MAX_TRIES = 30  # of one comparison, until it counts as lost


@dataclass
class Compared:
    """asked, arrived: comparisons; again: submissions that repeated one; seconds: of each, from its first submission to the last
    file; problems: why one was lost."""

    asked: int = 0
    arrived: int = 0
    again: int = 0
    seconds: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Visitors:
    """They run in a process of their own, so that raters do not wait for them here, and stand back behind the servers, as the workers do:
    they stand for other machines."""

    def __init__(self, url: str, count: int, folder: Path, pause: float) -> None:
        """pause: seconds, as of `compare_until`."""
        context = multiprocessing.get_context("spawn")
        self._ended, (self._found, found) = context.Event(), context.Pipe(duplex=False)
        arguments = (url, count, folder, pause, self._ended, found)
        self._process = context.Process(target=_visit, args=arguments, daemon=True)
        self._process.start()
        found.close()

    def end(self) -> Compared:
        """What they found, when their last comparison has arrived."""
        self._ended.set()
        try:
            return self._found.recv()
        except EOFError as error:
            raise RuntimeError("the visitors have crashed") from error
        finally:
            self._process.kill()  # the clients' own threads may take long to end
            self._process.join()


def _visit(url: str, count: int, folder: Path, pause: float, ended: Any, found: Any) -> None:
    os.nice(VISITOR_NICENESS)
    compared = Compared()
    with multiprocessing.pool.ThreadPool(count) as pool:
        pool.starmap(compare_until, [(url, number, folder, pause, ended, compared) for number in range(count)])
    found.send(compared)


def compare_until(url: str, visitor: int, folder: Path, pause: float, ended: Ended, found: Compared) -> None:
    """One visitor: a comparison of a new clip every `pause` seconds, until `ended`. At least one."""
    number = 0
    while not number or not ended.wait(pause):
        clip = folder / f"clip-{visitor}-{number}.wav"
        clip.write_bytes(_tone(110.0 * (1 + visitor) + number))
        found.asked += 1
        began = time.monotonic()
        why = _compare(url, visitor, clip, found)
        if why is None:
            found.arrived += 1
            found.seconds.append(time.monotonic() - began)
        else:
            found.problems.append(why)
        number += 1


def _compare(url: str, visitor: int, clip: Path, found: Compared) -> str | None:
    """Until every file of the result has arrived; why it never did."""
    why = ""
    for attempt in range(MAX_TRIES):
        if attempt:
            found.again += 1
            time.sleep(AGAIN_SECONDS)
        try:
            _once(url, visitor, clip)
            return None
        except Exception as error:  # the client raises a dozen kinds for a process that died
            why = f"{type(error).__name__}: {error}"
            logging.debug("comparison of %s: %s", clip.name, why)
    return why


def _once(url: str, visitor: int, clip: Path) -> None:
    import httpx
    from gradio_client import Client, handle_file

    headers = {"Cookie": f"lab_page=visitor-{visitor}", "X-Forwarded-For": f"10.255.0.{visitor}"}
    client = Client(url, headers=headers, verbose=False, analytics_enabled=False)
    try:
        result = client.predict(handle_file(str(clip)), SYSTEMS, api_name="/compare_json")
    finally:
        client.close()
    missing = [system for system in SYSTEMS if system not in result["takes"]]
    if missing:
        raise RuntimeError(f"{clip.name} lacks {missing}: {result['failed']}")
    addresses = [take["audio"] for take in result["takes"].values()] + [result["archive"]]
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as http:  # no cookie: any process gives the files
        for address in addresses:
            http.get(f"/{address}").raise_for_status()


def _tone(f0: float) -> bytes:
    """A wav of a harmonic tone. f0: Hz."""
    time_s = np.arange(round(CLIP_SECONDS * RATE)) / RATE
    harmonics = np.arange(1, 8)[:, None]
    samples = (np.sin(2 * np.pi * f0 * harmonics * time_s) / harmonics).sum(axis=0)
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((8000 * samples).astype("<i2").tobytes())
    return content.getvalue()
