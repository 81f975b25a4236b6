"""What tests do with the booth of the rating page, and a small server that keeps the same promises as the real one."""

from __future__ import annotations

import contextlib
import io
import secrets
import socket
import threading
from collections.abc import Iterator

import gradio as gr
import numpy as np
import soundfile
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import FEW_FRAMES
from tests.waiting import until
from ui.listening.rate_page import build_rate_page, rate_page_options

RATE = 22_050
SECONDS = 2.5
NEED = 0.6  # s of each sound
POLLING_MS = 50  # between two looks at the booth; Playwright's own look at every frame makes the browser draw it
BOOTH = "document.querySelector('.lab-booth')"
ROLES = {
    "acr": [("take", "A")],
    "ab": [("take", "A"), ("take", "B")],
    "abx": [("take", "A"), ("take", "B"), ("x", "X")],
    "mushra": [("reference", "Reference"), ("take", "A"), ("take", "B"), ("take", "C")],
    "dcr": [("reference", "Reference"), ("take", "A")],
    "ccr": [("take", "A"), ("take", "B")],
    "similarity": [("take", "A"), ("take", "B")],
    "sabx": [("take", "A"), ("take", "B"), ("x", "X")],
    "mushra1s": [("reference", "Reference"), ("low", ""), ("mid", ""), ("take", "A")],
    "mushranr": [("take", "A"), ("take", "B")],
    "bws": [("take", "A"), ("take", "B"), ("take", "C")],
}
OPTIONS = {"locked": "lock_sliders", "restart": "restart_on_switch", "comments": "comments"}
QUESTIONS = [
    {
        "id": "experience",
        "text": "How often do you listen <i>closely</i>?",
        "kind": "choice",
        "choices": ["Daily", "Now and then"],
    },
    {"id": "remarks", "text": "Anything else?", "kind": "text"},
]


def wav(*channels: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.stack(channels, axis=-1), RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()


def tone(frequency: float, level: float = 0.2, seconds: float = SECONDS) -> np.ndarray:
    return level * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)


class Server:
    """A study is named after its mode: "acr" is two trials; "acr-whole" has every other step around them."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.calls: list[tuple[str, dict]] = []
        self.sessions: dict[str, dict] = {}
        self.sounds: dict[str, bytes] = {}
        self.failures: list[Response] = []  # that answers get first
        self.cut = 0  # how many sounds stop half way
        self.app.post("/listening/{name}")(self.answer)
        self.app.get("/listening/stim/{token}")(self.sound)
        gr.mount_gradio_app(self.app, build_rate_page(), path="/rate", **rate_page_options())

    def calls_of(self, name: str) -> list[dict]:
        return [body for called, body in self.calls if called == name]

    async def answer(self, name: str, request: Request) -> Response:
        body = await request.json()
        if name == "answer" and self.failures:
            return self.failures.pop()
        self.calls.append((name, body))
        if name == "join":
            token = secrets.token_hex(8)
            self.sessions[token] = {"study": body["study"], "at": 0, "nonces": {}}
            return JSONResponse({"token": token, "language": body["language"], **self.step(token)})
        token = body.get("token")
        if token not in self.sessions:
            return self.welcome(body) if name == "open" else self.error(401, "bad_token")
        if name == "forget":
            del self.sessions[token]
            return JSONResponse({"step": "forgotten"})
        if name == "answer" and (problem := self.problem(token, body)):
            return problem
        if name != "open":
            self.sessions[token]["at"] += 1
        return JSONResponse(self.step(token))

    def welcome(self, body: dict) -> Response:
        mode = body["study"].split("-")[0]
        if mode not in ROLES:
            return self.error(404, "unknown_study")
        study = {"name": "Which voice is real?", "mode": mode, "trials": 2, "minutes": 3}
        about = "Four singers, one song.\nThe test belongs to a course on <b>speech</b>."
        return JSONResponse(
            {"step": "welcome", "study": {**study, "about": about}, "durable": "lost" not in body["study"]}
        )

    def problem(self, token: str, body: dict) -> Response | None:
        session = self.sessions[token]
        step = self.step(token)
        if body["nonce"] != step.get("nonce"):
            return self.error(409, "stale")
        need = min(step["need"], step["seconds"])
        if any(sum(stop - start for start, stop in slot) < need - 1e-6 for slot in body["heard"]):
            return self.error(422, "not_heard")
        session["last"] = body["answer"]
        return None

    @staticmethod
    def error(status: int, code: str) -> Response:
        return JSONResponse({"error": code, "detail": "A sentence."}, status)

    def sound(self, token: str) -> Response:
        if token not in self.sounds:
            return self.error(404, "bad_token")
        content = self.sounds[token]
        if self.cut:
            self.cut -= 1
            half = iter([content[: len(content) // 2]])
            return StreamingResponse(half, media_type="audio/wav", headers={"Content-Length": str(len(content))})
        return Response(content, media_type="audio/wav", headers={"Cache-Control": "no-store"})

    def url(self, *channels: np.ndarray) -> str:
        token = secrets.token_hex(8)
        self.sounds[token] = wav(*channels)
        return f"listening/stim/{token}"

    def step(self, token: str) -> dict:
        session = self.sessions[token]
        mode, *extra = session["study"].split("-")
        trials = [{"training": False, "number": number, "of": 2} for number in (1, 2)]
        before = after = []
        if "whole" in extra:
            before = ["volume", "headphones", "instructions", {"training": True, "number": 1, "of": 1}]
            after = ["questionnaire"]
        step = [*before, *trials, *after, "done"][session["at"]]
        if isinstance(step, dict):
            return self.trial(session, mode, step) | {OPTIONS[name]: True for name in extra if name in OPTIONS}
        return {"step": step, **getattr(self, step)(mode)}

    def trial(self, session: dict, mode: str, step: dict) -> dict:
        nonce = session["nonces"].setdefault(session["at"], secrets.token_hex(8))
        slots = [
            {"role": role, "label": label, "url": self.url(tone(220 * (1 + index)))}
            for index, (role, label) in enumerate(ROLES[mode])
        ]
        times = {"seconds": SECONDS, "sample_rate": RATE, "need": NEED}
        return {"step": "trial", "mode": mode, "nonce": nonce, "slots": slots, **times, **step}

    def volume(self, mode: str) -> dict:
        return {"url": self.url(tone(330))}

    def headphones(self, mode: str) -> dict:
        levels = [(0.2, 0.2), (0.2, -0.2), (0.1, 0.1)]
        tones = [[self.url(tone(200, left, 0.1), tone(200, right, 0.1)) for left, right in levels] for _ in range(2)]
        return {"rounds": tones}

    def instructions(self, mode: str) -> dict:
        return {"mode": mode, "need": NEED}

    def questionnaire(self, mode: str) -> dict:
        return {"questions": QUESTIONS}

    def done(self, mode: str) -> dict:
        return {"code": "LAB-7F3K"}


@contextlib.contextmanager
def serving(server: Server) -> Iterator[str]:
    """Its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    uvicorn_server = uvicorn.Server(uvicorn.Config(server.app, port=port, log_level="warning"))
    thread = threading.Thread(target=uvicorn_server.run, daemon=True)
    thread.start()
    until(lambda: uvicorn_server.started, "the server has started")
    yield f"http://127.0.0.1:{port}"
    uvicorn_server.should_exit = True
    thread.join(10)


@contextlib.contextmanager
def opened(browser: Browser, locale: str) -> Iterator[tuple[Page, list[str]]]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale=locale)
    context.add_init_script(FEW_FRAMES)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"exception: {error}"))
    yield page, problems
    context.close()


def ready(page: Page, step: str | None = None) -> None:
    there = f"{BOOTH}.dataset.step === '{step}'" if step else f"{BOOTH}.dataset.step !== 'welcome'"
    page.wait_for_function(f"{BOOTH}?.dataset.ready === '1' && {there}", polling=POLLING_MS)


def state(page: Page) -> dict:
    return page.evaluate(f"{BOOTH}.labSession.state")


def submit_button(page: Page):
    return page.locator(".booth-foot .booth-primary")


def to_first_trial(page: Page) -> None:
    """By keyboard, from the volume on; the headphone check is skipped."""
    ready(page, "volume")
    page.keyboard.press("Space")
    expect(submit_button(page)).to_be_enabled()
    page.keyboard.press("Enter")
    ready(page, "headphones")
    page.get_by_role("button", name="Skip this check").focus()
    page.keyboard.press("Enter")
    ready(page, "instructions")
    page.keyboard.press("Enter")
    ready(page, "trial")


def hear(page: Page, slot: int) -> None:
    """Waits until a slot, chosen already, has been heard for long enough."""
    page.wait_for_function(f"{BOOTH}.labSession.state.heard[{slot}] >= {NEED}", polling=POLLING_MS)


def next_trial(page: Page, nonce: str) -> None:
    page.wait_for_function(
        f"{BOOTH}.labSession.state.nonce !== '{nonce}' && {BOOTH}.dataset.ready === '1'", polling=POLLING_MS
    )


def play_each(page: Page, keys: str) -> None:
    """Each slot by its key, long enough; then pauses."""
    for slot, key in enumerate(keys):
        page.keyboard.press(key)
        hear(page, slot)
    page.keyboard.press("Space")
