"""Simulated raters: whole sessions over HTTP as the rating page has them, with its patience where a server is away.

Nothing here rates: an answer is any valid one. Kept of it is what the server has acknowledged, for the comparison with the database.
Sounds are fetched as the page does it, all of a trial at once as soon as it is shown; then the rater thinks, and answers. Not among the
requests are the page itself and its programs, which a browser fetches once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.endurance.connections import Away, Connections
from deploy.endurance.studies import Asked

RETRY_SECONDS = (1, 2, 4, 8, 15)  # as assets/listening/server.js: before asking again; the last one repeats
PATIENCE_SECONDS = 30.0  # for one request, as the page
THINKING_SHARE = 0.6  # of the whole time, in which a session takes place
STARTING_SHARE = 0.3  # of the whole time, in which raters begin


@dataclass
class Measured:
    """latencies: {call: seconds from the moment the request was due to the acknowledgement, one of each request}; late: seconds by which
    this program itself began requests after that moment, a part of the latencies; tries: requests that were sent; again: those of them
    that repeated another; sound_bytes: of wavs; processor_seconds: of this program."""

    latencies: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    late: list[float] = field(default_factory=list)
    tries: int = 0
    again: int = 0
    sound_bytes: int = 0
    sounds: int = 0
    processor_seconds: float = 0.0


@dataclass
class Rater:
    """acknowledged: {nonce: answer} of every answer that the server has confirmed; ended: the last step."""

    study: Asked
    number: int
    acknowledged: dict[str, Any] = field(default_factory=dict)
    ended: str = ""

    @property
    def address(self) -> str:
        """Of the rater's machine, as a proxy would report it."""
        return f"10.{self.number >> 16 & 255}.{self.number >> 8 & 255}.{self.number & 255}"


async def rate(url: str, raters: list[Rater], seconds: float, measured: Measured) -> None:
    """All sessions, from the first beginning to the last end, about `seconds` together."""
    began = time.process_time()
    await asyncio.gather(*(_session(url, rater, seconds, measured) for rater in raters))
    measured.processor_seconds += time.process_time() - began


async def _session(url: str, rater: Rater, seconds: float, measured: Measured) -> None:
    chance = random.Random(rater.number)
    pause = THINKING_SHARE * seconds / (rater.study.trials + 6)  # mean, before each step
    with contextlib.closing(Connections(url, {"X-Forwarded-For": rater.address}, PATIENCE_SECONDS)) as connections:
        await _go_through(_Calls(connections, measured), rater, chance, seconds, pause)


async def _go_through(call: _Calls, rater: Rater, chance: random.Random, seconds: float, pause: float) -> None:
    await call.pause(chance.uniform(0, STARTING_SHARE * seconds))
    await call("open", study=rater.study.public_id, token=None)
    step = await call("join", study=rater.study.public_id, language="en", device={"simulated": True})
    token = step["token"]
    while step["step"] not in ("done", "completed"):
        for urls in _sounds(step):
            await asyncio.gather(*map(call.sound, urls))
        await call.pause(min(chance.expovariate(1 / pause), 4 * pause))
        match step["step"]:
            case "volume" | "instructions":
                step = await call("next", token=token, done=step["step"], level=0.5)
            case "headphones":
                step = await call("next", token=token, done="headphones", answers=[0] * 6, skipped=False)
            case "questionnaire":
                step = await call("questionnaire", token=token, answers={})
            case "trial":
                answer, nonce = _any_answer(step, chance), step["nonce"]
                step = await call("answer", token=token, nonce=nonce, answer=answer, **_behaviour(step))
                rater.acknowledged[nonce] = answer
            case other:
                raise RuntimeError(f"a session led to {other!r}")
    rater.ended = step["step"]


class _Calls:
    """The requests of one rater, each repeated until there is an answer."""

    def __init__(self, connections: Connections, measured: Measured) -> None:
        self._connections, self._measured = connections, measured
        self._due: float | None = None  # of the next request; None: it follows from the one before

    async def pause(self, seconds: float) -> None:
        """The next request is due after it, however late this program is."""
        self._due = time.monotonic() + seconds
        await asyncio.sleep(seconds)
        self._measured.late.append(time.monotonic() - self._due)

    async def __call__(self, path: str, **content: object) -> dict:
        return json.loads(await self._asked(path, "POST", f"/listening/{path}", content))

    async def sound(self, url: str) -> None:
        wav = await self._asked("sound", "GET", f"/{url}")
        self._measured.sound_bytes += len(wav)
        self._measured.sounds += 1

    async def _asked(self, name: str, method: str, path: str, content: object = None) -> bytes:
        """Errors: RuntimeError for a refusal, which asking again would not change."""
        began, attempt = self._due or time.monotonic(), 0
        self._due = None
        while True:
            self._measured.tries += 1
            self._measured.again += attempt > 0
            status, body = await self._attempt(method, path, content)
            if 0 < status < 300:
                self._measured.latencies[name].append(time.monotonic() - began)
                return body
            if 0 < status < 500 and status != 429:
                raise RuntimeError(f"{path} was refused: {status} {body[:200]!r}")
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            attempt += 1

    async def _attempt(self, method: str, path: str, content: object) -> tuple[int, bytes]:
        """(status, body); status 0 without a whole answer."""
        try:
            return await self._connections.request(method, path, content)
        except Away:
            return 0, b""


def _sounds(step: Mapping[str, Any]) -> list[list[str]]:
    """Addresses that the page fetches when it shows the step: one list after the other, those of a list at once."""
    match step["step"]:
        case "volume":
            return [[step["url"]]]
        case "headphones":
            return step["rounds"]
        case "trial":
            return [[slot["url"] for slot in step["slots"]]]
    return []


def _behaviour(step: Mapping[str, Any]) -> dict[str, object]:
    slots = len(step["slots"])
    return {"heard": [[[0, step["need"]]]] * slots, "plays": [1] * slots, "switches": slots - 1, "dwell_ms": 3000}


def _any_answer(step: Mapping[str, Any], chance: random.Random) -> object:
    """A valid one."""
    rated = sum(slot["role"] == "take" for slot in step["slots"])
    answers = {
        "acr": lambda: chance.randint(1, 5),
        "ab": lambda: chance.choice(("a", "b", "same")),
        "mushra": lambda: [chance.randint(0, 100) for _ in range(rated)],
    }
    return answers[step["mode"]]()
