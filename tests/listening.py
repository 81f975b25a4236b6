"""A listener without ears: goes through a session over HTTP and answers by rule. For tests of the rating page's server.

And studies without sound, for those who store and ask but do not play.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import numpy as np

from eval.listening.analysis.votes import REFERENCE
from eval.listening.session.disguise import MAX_GAIN_DB
from eval.listening.storage.records import Stimulus
from eval.listening.storage.store import Store
from eval.listening.study import Study
from eval.listening.trial import BEEPS, DEGRADED
from vocoders.audio import wav_of

HEADER_BYTES = 44  # of a wav


def store_silently(store: Store, study: Study) -> str:
    """The public id of the study, stored with short noises in the place of its sounds, which are said to last 2 s."""
    conditions = dict.fromkeys((*study.conditions, REFERENCE, DEGRADED, *BEEPS))
    places = [(item, name) for item in study.items for name in conditions]
    noises = np.random.default_rng(0).integers(-3000, 3000, (len(places), 800)).astype(np.int16)
    wavs = [wav_of(noise) for noise in noises]
    hashes = [hashlib.sha256(wav).hexdigest() for wav in wavs]
    stimuli = [Stimulus(*place, sha256, 2.0, {}, {}) for place, sha256 in zip(places, hashes, strict=True)]
    return store.add_study(study, stimuli, dict(zip(hashes, wavs, strict=True)), {})[0]


class Clock:
    """A clock that goes on when a test says so."""

    def __init__(self, now: float = 1.7e9) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@dataclass
class Listener:
    """`answer(trial step) -> answer`. Keeps every trial it was shown, and every response it got."""

    http: httpx.Client
    study: str
    answer: Callable[[dict], object]
    fetch: bool = True  # the sounds too
    token: str | None = None
    address: dict = field(default_factory=dict)  # the parameters of the page's address
    says: dict = field(default_factory=dict)  # {id of a question: answer}
    trials: list[dict] = field(default_factory=list)
    answers: list[object] = field(default_factory=list)
    responses: list[httpx.Response] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)  # from sending an answer to the next step

    def post(self, path: str, **content) -> httpx.Response:
        response = self.http.post(f"/listening/{path}", json=content)
        self.responses.append(response)
        return response

    def join(self) -> dict:
        step = self.post(
            "join", study=self.study, language="en", device={"width": 1280, "touch": False}, address=self.address
        ).json()
        self.token = step.get("token")  # none for one who may not begin
        return step

    def open(self) -> dict:
        step = self.post("open", study=self.study, token=self.token, address=self.address).json()
        self.token = step.get("token", self.token)
        return step

    def run(self, until: Callable[[dict], bool] = lambda step: step["step"] == "done") -> dict:
        """From where the server says this listener is, to the end or until `until`."""
        step = self.open()
        if step["step"] == "welcome":
            step = self.join()
        while not until(step):
            step = self.go_on(step)
        return step

    def go_on(self, step: dict) -> dict:
        match step["step"]:
            case "volume" | "instructions":
                return self.post("next", token=self.token, done=step["step"], level=0.5).json()
            case "headphones":
                return self.post("next", token=self.token, done="headphones", answers=[0] * 6, skipped=False).json()
            case "questionnaire":
                answers = {question["id"]: self.says.get(question["id"], "yes") for question in step["questions"]}
                return self.post("questionnaire", token=self.token, answers=answers).json()
            case "trial":
                return self.send(step, self.answer(step)).json()
        raise AssertionError(f"an unknown step: {step}")

    def send(self, step: dict, answer: object, heard: float | None = None) -> httpx.Response:
        if self.fetch:
            step["sounds"] = [self.http.get(f"/{slot['url']}") for slot in step["slots"]]
            self.responses += step["sounds"]
        self.trials.append(step)
        self.answers.append(answer)
        seconds = step["need"] if heard is None else heard
        behaviour = {"plays": [1] * len(step["slots"]), "switches": len(step["slots"]) - 1, "dwell_ms": 3000}
        intervals = [[[0, seconds]] for _ in step["slots"]]
        response = self.post(
            "answer", token=self.token, nonce=step["nonce"], answer=answer, heard=intervals, **behaviour
        )
        self.seconds.append(response.elapsed.total_seconds())
        return response


def sounds_like(served: bytes, stored: bytes) -> bool:
    """Whether a served wav is the stored one, but for its gain and the last bit."""
    one, other = (np.frombuffer(wav[HEADER_BYTES:], "<i2").astype(float) for wav in (served, stored))
    if served[:HEADER_BYTES] != stored[:HEADER_BYTES] or len(one) != len(other):
        return False
    gain = one @ other / (other @ other)
    is_near = gain > 0 and abs(20 * np.log10(gain)) < MAX_GAIN_DB + 1e-3
    return bool(is_near and np.abs(one - gain * other).max() < 2)


def any_answer(step: dict) -> object:
    """A valid one."""
    stimuli = sum(slot["role"] == "take" for slot in step["slots"])
    sliders = [40 + 10 * n for n in range(stimuli)]
    choices = {"acr": 3, "mushra": sliders, "ab": "same", "abx": "b", "dcr": 4, "ccr": -1, "mushra1s": 55}
    return (choices | {"mushranr": sliders, "similarity": 2, "sabx": "b", "bws": [1, 0]})[step["mode"]]
