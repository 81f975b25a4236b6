"""The booth of the rating page in Chromium, against a small server that keeps the same promises as the real one."""

from __future__ import annotations

import contextlib
import io
import secrets
import socket
import threading
from collections.abc import Iterator

import gradio as gr
import numpy as np
import pytest
import soundfile
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import visible_share
from tests.browser.conftest import clear_storage, wait_for_loop
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


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Server, str]]:
    server = Server()
    with serving(server) as url:
        yield server, url


@pytest.fixture
def server(running) -> Server:
    running[0].calls.clear()
    return running[0]


@pytest.fixture(scope="module")
def english(browser: Browser, running) -> Iterator[tuple[Page, list[str]]]:
    """One page for all tests, and the exceptions in it: what it has compiled of itself it need not compile again."""
    with opened(browser, "en-GB") as found:
        yield found


@contextlib.contextmanager
def opened(browser: Browser, locale: str) -> Iterator[tuple[Page, list[str]]]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale=locale)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"exception: {error}"))
    yield page, problems
    context.close()


@pytest.fixture
def page(english, running) -> Iterator[Page]:
    """As of a listener who is new, once an address is opened in it."""
    page, problems = english
    problems.clear()
    clear_storage(page, running[1])
    yield page
    assert problems == []


@pytest.fixture
def visit(running, server, page):
    """Opens a study; `joined` also gives consent."""

    def visit(study: str, joined: bool = True) -> Page:
        page.goto(f"{running[1]}/rate/?study={study}")
        if joined:
            page.get_by_role("checkbox").check()
            page.get_by_role("button", name="Begin").click()
            ready(page)
        return page

    return visit


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


# ---- what was heard


def coverage(page: Page, script: str):
    return page.evaluate(
        "async ([url, script]) => { const c = await import(url); return new Function('c', script)(c); }",
        [page.url.replace("languages/en.json", "playback/coverage.js"), f"return {script};"],
    )


@pytest.fixture
def blank(running, page) -> Page:
    """A page of the same origin with nothing on it."""
    page.goto(f"{running[1]}/rate/gradio_api/file=assets/listening/languages/en.json")
    return page


def test_coverage_is_the_union_of_what_sounded(blank):
    assert coverage(blank, "c.union([[2, 3], [0, 1], [0.5, 1.5], [3, 4]])") == [[0, 1.5], [2, 4]]
    assert coverage(blank, "c.total([[0, 1], [0.5, 1.5], [0, 1]])") == 1.5
    run = "{rate: 100, startFrame: 1000, offsetFrame: 50, firstFrame: 0, frames: 200, loops: false}"
    assert coverage(blank, f"c.played({run}, 9, 10)") == []  # scheduled, not yet sounding
    assert coverage(blank, f"c.played({run}, 9.5, 10.5)") == [[0.5, 1]]
    assert coverage(blank, f"c.played({run}, 11, 20)") == [[1.5, 2]]  # the clip ends
    loop = "{rate: 100, startFrame: 0, offsetFrame: 50, firstFrame: 100, frames: 100, loops: true}"
    assert coverage(blank, f"c.played({loop}, 0, 0.25)") == [[1.5, 1.75]]
    assert coverage(blank, f"c.played({loop}, 0.25, 0.75)") == [[1.75, 2], [1, 1.25]]  # over the seam
    assert coverage(blank, f"c.played({loop}, 0, 7)") == [[1, 2]]


def test_coverage_belongs_to_the_audible_slot(blank):
    run = "{rate: 100, startFrame: 0, offsetFrame: 0, firstFrame: 0, frames: 400, loops: false}"
    pieces = f"c.heard({run}, [[0, 0], [1, 2], [2, 0]], 0.5, 2.5)"
    assert coverage(blank, pieces) == [[0, [0.5, 1]], [2, [1, 2]], [0, [2, 2.5]]]
    book = f"(() => {{ const book = new c.Coverage(3, 4); book.add({pieces}); return [book.slots, book.of(0), "
    book += "book.missing(0, 2), book.missing(1, 9), book.missing(2, 1)]; })()"
    assert coverage(blank, book) == [[[[0.5, 1], [2, 2.5]], [], [[1, 2]]], 1, 1, 4, 0]


# ---- trials


def test_an_answer_waits_for_the_ears(visit, server):
    page = visit("ab")
    send = submit_button(page)
    page.locator("label").filter(has_text="No difference").click()
    expect(send).to_be_disabled()
    expect(page.locator("#booth-missing")).to_have_text("Listen to A for another 0.6 s. Then B.")
    page.get_by_role("button", name="Listen to A").click()
    hear(page, 0)
    expect(send).to_be_disabled()
    expect(page.locator("#booth-missing")).to_have_text("Listen to B for another 0.6 s.")
    page.get_by_role("button", name="Listen to B").click()
    hear(page, 1)
    expect(send).to_be_enabled()
    nonce = state(page)["nonce"]
    send.dblclick()
    next_trial(page, nonce)
    (sent,) = server.calls_of("answer")
    assert (sent["answer"], sent["nonce"], sent["switches"], sent["plays"]) == ("same", nonce, 1, [1, 1])
    for intervals in sent["heard"]:
        assert NEED <= sum(stop - start for start, stop in intervals) < 1.5
    assert sent["heard"][0][0][0] == 0  # from the very first sample
    assert sent["heard"][1][0][0] == pytest.approx(sent["heard"][0][0][1], abs=0.002)  # B took over where A left
    assert sent["dwell_ms"] > 1200


def test_silence_is_not_listening(visit):
    page = visit("acr")
    page.evaluate(f"{BOOTH}.labSession.player.setLevel(0)")
    page.keyboard.press("Space")
    page.wait_for_function(f"{BOOTH}.labSession.state.time > 1")
    assert state(page)["heard"] == [0]


BUSY = JSONResponse({"error": "busy", "detail": "Try again."}, 503)
PORTAL = Response("<h1>Welcome to our wifi</h1>", media_type="text/html")


@pytest.mark.parametrize("failure", [BUSY, PORTAL], ids=["busy", "somebody else answers"])
def test_a_lost_connection_loses_no_answer(visit, server, failure):
    page = visit("acr")
    page.keyboard.press("Space")
    page.keyboard.press("4")
    hear(page, 0)
    nonce = state(page)["nonce"]
    server.failures = [failure] * 2
    page.keyboard.press("Enter")
    trouble = page.locator(".booth-trouble")
    expect(trouble).to_contain_text("What you entered is safe here")
    expect(page.get_by_role("radio", name="Good")).to_be_checked()
    page.get_by_role("button", name="Try now").click()
    next_trial(page, nonce)
    expect(trouble).to_be_hidden()
    assert [sent["answer"] for sent in server.calls_of("answer")] == [4]


def test_a_sound_that_stops_half_way_is_fetched_again(visit, server):
    server.cut = 1
    page = visit("acr")
    page.keyboard.press("Space")
    hear(page, 0)
    assert server.cut == 0


def test_a_stale_page_catches_up(visit, server):
    page = visit("acr")
    nonce = state(page)["nonce"]
    page.keyboard.press("Space")
    page.keyboard.press("1")
    hear(page, 0)
    token = page.evaluate("localStorage.getItem('lab-rater:acr')")
    server.sessions[token]["at"] = 1  # answered in another tab
    page.keyboard.press("Enter")
    next_trial(page, nonce)
    expect(page.locator(".booth-progress-text")).to_have_text("2 of 2")


def test_categories_by_keyboard_alone(visit, server):
    page = visit("acr", joined=False)
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.keyboard.press("Enter")  # without consent nothing happens
    page.get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    ready(page, "trial")
    for answer in ("2", "5"):
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        nonce = state(page)["nonce"]
        page.keyboard.press(answer)
        page.keyboard.press("Space")
        page.wait_for_function(f"{BOOTH}.labSession.state.playing")
        hear(page, 0)
        page.keyboard.press("Enter")
        page.wait_for_function(f"{BOOTH}.labSession.state.nonce !== '{nonce}'")
        ready(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you!")
    assert [sent["answer"] for sent in server.calls_of("answer")] == [2, 5]
    assert len(server.calls_of("join")) == 1


def test_abx_by_keyboard_alone(visit, server):
    page = visit("abx")
    for slot, key in enumerate("abx"):
        page.keyboard.press(key)
        page.wait_for_function(f"{BOOTH}.labSession.state.playing && {BOOTH}.labSession.state.selected === {slot}")
        hear(page, slot)
    expect(page.get_by_role("button", name="Listen to X")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("l")
    assert page.evaluate(f"{BOOTH}.labSession.player.looping")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("1")
    assert state(page)["selected"] == 0
    page.keyboard.press("Space")
    page.wait_for_function(f"!{BOOTH}.labSession.state.playing")
    page.keyboard.press("Shift+B")
    expect(page.get_by_role("radio", name="X is B")).to_be_checked()
    page.keyboard.press("Shift+A")
    nonce = state(page)["nonce"]
    page.keyboard.press("Enter")
    next_trial(page, nonce)
    assert [sent["answer"] for sent in server.calls_of("answer")] == ["a"]


def test_sliders_start_without_a_rating(visit, server):
    page = visit("mushra")
    sliders = [page.get_by_role("slider", name=f"Rating of {label}") for label in "ABC"]
    for slider in sliders:
        expect(slider).to_have_attribute("aria-valuetext", "not rated yet")
    page.keyboard.press("l")  # the clip is shorter than four times what has to be heard
    for slot, key in enumerate("r234"):
        page.keyboard.press(key)
        hear(page, slot)
    expect(submit_button(page)).to_be_disabled()
    expect(page.locator("#booth-missing")).to_have_text("Still to be rated: A, B, C.")
    page.keyboard.press("End")  # C is heard
    expect(sliders[2]).to_have_attribute("aria-valuetext", "100, Excellent")
    page.keyboard.press("a")
    for key in ("PageUp", "PageUp", "ArrowDown"):
        page.keyboard.press(key)
    expect(sliders[0]).to_have_attribute("aria-valuetext", "69, Good")
    box = sliders[1].bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)  # where the thumb would be anyway
    expect(sliders[1]).to_have_attribute("aria-valuetext", "50, Fair")
    nonce = state(page)["nonce"]
    page.keyboard.press("Enter")
    next_trial(page, nonce)
    assert [sent["answer"] for sent in server.calls_of("answer")] == [[69, 50, 100]]


def test_a_switch_is_silent_between_equal_sounds(visit):
    """Through the same graph as the loudspeakers: two equal tones, one switch, not a sample of difference."""
    page = visit("ab")
    rendered = page.evaluate(
        f"""async () => {{
          const {{ player }} = {BOOTH}.labSession;
          player.slots[1].buffer = player.slots[0].buffer;
          const [mixed, alone] = [await player.transport.renderOffline({{ switches: [[0, 0], [0.4, 1]], seconds: 1 }}),
            await player.transport.renderOffline({{ switches: [[0, 0]], seconds: 1 }})];
          return Math.max(...mixed.map((sample, i) => Math.abs(sample - alone[i])));
        }}"""
    )
    assert rendered < 1e-6


def test_a_loop_is_drawn_and_a_click_seeks(visit):
    page = visit("acr")
    box = page.locator(".booth-lane").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.2 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], y, steps=4)
    page.mouse.up()
    wait_for_loop(page, f"{BOOTH}.labSession.state.time")
    assert page.evaluate(f"{BOOTH}.labSession.player.activeLoop") == pytest.approx([0.5, 1.5], abs=0.02)
    assert state(page)["heard"][0] == pytest.approx(1, abs=0.02)  # heard again is not heard more
    page.mouse.click(box["x"] + 0.9 * box["width"], y)
    assert state(page)["time"] >= 2.2


# ---- the session


def test_every_step_of_a_session(visit, server):
    page = visit("acr-whole")
    ready(page, "volume")
    expect(submit_button(page)).to_be_disabled()
    page.get_by_role("slider", name="Volume").fill("0.5")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Play").click()
    expect(submit_button(page)).to_be_enabled()
    submit_button(page).click()
    ready(page, "headphones")
    for number in (1, 2):
        expect(page.get_by_text(f"Round {number} of 2")).to_be_visible()
        page.get_by_role("button", name="Play the three tones").click()
        page.locator("label").filter(has_text="Third").click()
        submit_button(page).click()
    ready(page, "instructions")
    expect(page.get_by_text("Then answer with the number of beeps, 1 to 5.")).to_be_visible()
    submit_button(page).click()
    ready(page, "trial")
    expect(page.get_by_text("Practice", exact=True)).to_be_visible()
    for _ in range(3):
        nonce = state(page)["nonce"]
        page.keyboard.press("Space")
        page.keyboard.press("3")
        expect(submit_button(page)).to_be_enabled()
        submit_button(page).click()
        page.wait_for_function(f"{BOOTH}.labSession.state.nonce !== '{nonce}'")
        ready(page)
    expect(page.get_by_text("How often do you listen <i>closely</i>?")).to_be_visible()
    page.locator("label").filter(has_text="Now and then").click()
    page.get_by_label("Anything else?").fill("b 1 2 l")  # letters are for the text, not for the player
    submit_button(page).click()
    expect(page.locator(".booth-code")).to_have_text("LAB-7F3K")
    volume, headphones, _ = server.calls_of("next")
    assert (volume["level"], headphones["answers"], headphones["skipped"]) == (0.5, [2, 2], False)
    assert server.calls_of("questionnaire")[0]["answers"] == {"experience": "Now and then", "remarks": "b 1 2 l"}
    page.get_by_role("button", name="Delete my answers").click()
    page.get_by_role("button", name="Yes, delete it all").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your answers are deleted")
    assert page.evaluate("localStorage.getItem('lab-rater:acr-whole')") is None


def test_a_reload_continues(visit, server):
    page = visit("acr")
    nonce = state(page)["nonce"]
    page.keyboard.press("Space")
    page.keyboard.press("3")
    hear(page, 0)
    page.keyboard.press("Enter")
    next_trial(page, nonce)
    page.reload()
    ready(page, "trial")
    expect(page.locator(".booth-progress-text")).to_have_text("2 of 2")
    assert len(server.calls_of("join")) == 1


@pytest.mark.parametrize(
    ("study", "heard_before", "entered", "waits_for", "rest", "answer"),
    [
        ("acr-comments", "", ["3"], "Listen", "a", 3),
        ("abx", "ab", ["Shift+B"], "Listen to X", "x", "b"),
        ("mushra", "ra", ["End"], "Listen to B for another 0.6 s. Then C. Still to be rated: B, C.", "bc", [100, 0, 0]),
        ("bws", "ab", ["Shift+B"], "Listen to C", "c", [1, 2]),
    ],
)
def test_a_reload_inside_a_trial_takes_nothing_away(
    visit, server, study, heard_before, entered, waits_for, rest, answer
):
    """And gives nothing: what was not heard is still missing, and the next trial begins with nothing."""
    page = visit(study)
    if "comments" in study:
        page.get_by_label("Comment, if you like").fill("a click")
        page.get_by_role("heading", level=1).click()
    page.keyboard.press("l")
    if heard_before:
        play_each(page, heard_before)
    for key in entered:
        page.keyboard.press(key)
    before = state(page)
    assert before["answer"] == (answer if study.startswith("a") else None)
    page.reload()
    ready(page, "trial")
    after = state(page)
    for same in ("nonce", "heard", "plays", "switches", "answer", "missing"):
        assert after[same] == before[same], same
    assert after["missing"].startswith(waits_for)
    assert after["heard"][len(heard_before) :] == [0] * len(rest)
    expect(submit_button(page)).to_be_disabled()
    page.keyboard.press("l")
    for slot, key in enumerate(rest, start=len(heard_before)):
        page.keyboard.press(key)
        hear(page, slot)
        if study == "mushra":
            page.keyboard.press("Home")
    if study == "bws":
        page.keyboard.press("Shift+W")
    expect(submit_button(page)).to_be_enabled()
    page.keyboard.press("Enter")
    next_trial(page, before["nonce"])
    (sent,) = server.calls_of("answer")
    assert (sent["answer"], sent.get("comment")) == (answer, "a click" if "comments" in study else None)
    assert all(sum(stop - start for start, stop in slot) >= NEED for slot in sent["heard"])
    assert sum(sent["plays"]) >= len(heard_before + rest)
    assert sent["dwell_ms"] > 1000 * NEED * len(heard_before + rest)
    assert page.evaluate(f"localStorage.getItem('lab-trial:{study}')") is None
    page.reload()
    ready(page, "trial")
    assert state(page)["heard"] == [0] * len(heard_before + rest)
    assert state(page)["answer"] is None


def test_what_is_kept_of_a_trial_says_nothing_about_its_sounds(visit, running):
    """And counts for no other trial."""
    page = visit("mushra")
    page.keyboard.press("a")
    hear(page, 1)
    page.keyboard.press("End")
    page.reload()
    ready(page, "trial")
    kept = page.evaluate("JSON.parse(localStorage.getItem('lab-trial:mushra'))")
    assert kept.keys() == {"nonce", "heard", "plays", "switches", "dwell_ms", "entered", "comment"}
    assert [len(slot) for slot in kept["heard"]] == [0, 1, 0, 0]
    assert kept["entered"] == [100, None, None]
    address = page.url
    page.goto(f"{running[1]}/rate/gradio_api/file=assets/listening/languages/en.json")  # of the same origin
    page.evaluate(
        "kept => localStorage.setItem('lab-trial:mushra', JSON.stringify(kept))",
        {**kept, "nonce": "another", "heard": [[[0, 2]]] * 4, "entered": [1, 2, 3]},
    )
    page.goto(address)
    ready(page, "trial")
    assert state(page)["heard"] == [0, 0, 0, 0]
    assert state(page)["answer"] is None


def test_a_hidden_tab_is_silent(visit):
    page = visit("acr")
    page.keyboard.press("Space")
    page.wait_for_function(f"{BOOTH}.labSession.state.playing")
    page.evaluate(
        "Object.defineProperty(document, 'hidden', { value: true, configurable: true });"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    assert not state(page)["playing"]


def test_an_unknown_study_gets_a_sentence(visit):
    page = visit("nonsense", joined=False)
    expect(page.get_by_text("There is no listening test at this address.")).to_be_visible()


# ---- languages


@pytest.mark.parametrize(
    ("locale", "link", "lang", "begin"),
    [
        ("pt-BR", "", "en", "Begin"),
        ("zh-HK", "", "zh-TW", "開始"),
        ("fr-FR", "&language=ja", "ja", "始める"),
    ],
)
def test_the_language_is_the_browsers_or_the_links(browser, running, locale, link, lang, begin):
    with opened(browser, locale) as (page, problems):
        page.goto(f"{running[1]}/rate/?study=acr-lost{link}")
        expect(page.get_by_role("button", name=begin, exact=True)).to_be_visible()
        assert page.evaluate("document.documentElement.lang") == lang
        expect(page.get_by_role("combobox")).to_be_visible(visible=not link)  # which leaves no choice
        expect(page.get_by_role("note")).to_be_visible()  # answers would not survive a restart
        assert problems == []


# ---- the other kinds of trials


def play_each(page: Page, keys: str) -> None:
    """Each slot by its key, long enough; then pauses."""
    for slot, key in enumerate(keys):
        page.keyboard.press(key)
        hear(page, slot)
    page.keyboard.press("Space")


@pytest.mark.parametrize(
    ("study", "slots", "pressed", "answer"),
    [
        ("dcr", "ra", ["2"], 2),
        ("ccr", "ab", ["2"], -2),
        ("similarity", "ab", ["5"], 5),
        ("sabx", "abx", ["Shift+B"], "b"),
        ("mushra1s", "r23a", ["End", "PageDown"], 90),
        ("mushranr", "ab", ["Home", "a", "PageUp"], [60, 0]),
        ("bws", "abc", ["Shift+W", "a", "Shift+B"], [0, 2]),
    ],
)
def test_a_trial_of_each_kind_by_keyboard(visit, server, study, slots, pressed, answer):
    page = visit(study)
    page.keyboard.press("l")
    play_each(page, slots)
    expect(submit_button(page)).to_be_disabled()
    for key in pressed:
        page.keyboard.press(key)
    nonce = state(page)["nonce"]
    expect(submit_button(page)).to_be_enabled()
    page.keyboard.press("Enter")
    next_trial(page, nonce)
    assert [sent["answer"] for sent in server.calls_of("answer")] == [answer]


def test_the_best_and_the_worst_are_chosen_by_mouse_and_never_the_same(visit):
    page = visit("bws")
    page.get_by_role("button", name="A is the best").click()
    page.get_by_role("button", name="A is the worst").click()
    expect(page.get_by_role("button", name="A is the best")).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="C is the best").click()
    assert state(page)["answer"] == [2, 0]


def test_forced_colours_keep_the_shapes_of_controls(visit):
    page = visit("mushra")
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    rows = page.locator(".booth-row")
    slider = page.get_by_role("slider", name="Rating of A")
    shapes = {
        "play": page.get_by_role("button", name="Play", exact=True),
        "a lane": rows.nth(1).locator(".booth-lane"),
        "a slider that is not set": slider,
        "another slot": page.get_by_role("button", name="Listen to B"),
    }
    shares = {name: visible_share(shape) for name, shape in shapes.items()}
    assert min(shares.values()) > 0.01, shares
    slider.fill("70")
    assert visible_share(slider) > 0.01
    page.get_by_role("button", name="Listen to A").click()
    page.get_by_role("button", name="Pause").click()
    heard, other = (
        rows.nth(place).evaluate(
            "row => [row.querySelector('.booth-slot'), row].map((e, n) => getComputedStyle(e, n ? '::before' : '').backgroundColor)"
        )
        for place in (1, 2)
    )
    assert heard[0] != other[0], "the slot that sounds"
    assert heard[1] == heard[0], "the mark beside its row"
    page = visit("acr")
    page.keyboard.press("4")
    chosen, other = (
        page.locator(f".booth-choice{kind}").first.evaluate("e => getComputedStyle(e).backgroundColor")
        for kind in (":has(:checked)", ":not(:has(:checked))")
    )
    assert chosen != other
    page.emulate_media(forced_colors="none", reduced_motion="no-preference")


def test_keys_are_told_where_there_may_be_a_keyboard(browser, running, visit):
    page = visit("acr")
    expect(page.locator(".booth-keys")).to_be_visible()
    phone = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, locale="en-GB")
    page = phone.new_page()
    page.goto(f"{running[1]}/rate/?study=acr")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Begin").click()
    ready(page, "trial")
    expect(page.locator(".booth-keys")).to_be_hidden()
    phone.close()


def test_a_locked_slider_moves_only_for_the_sound_that_plays(visit):
    page = visit("mushra-locked")
    page.keyboard.press("2")
    expect(page.get_by_role("slider", name="Rating of A")).to_be_enabled()
    for label in "BC":
        expect(page.get_by_role("slider", name=f"Rating of {label}")).to_be_disabled()
    page.keyboard.press("3")
    expect(page.get_by_role("slider", name="Rating of A")).to_be_disabled()
    expect(page.get_by_role("slider", name="Rating of B")).to_be_enabled()


def test_a_sound_restarts_at_a_switch_where_the_study_says_so(visit):
    page = visit("ab-restart")
    page.keyboard.press("a")
    page.wait_for_function(f"{BOOTH}.labSession.state.time > 1")
    page.keyboard.press("b")
    assert state(page)["time"] < 0.5
    page.wait_for_function(f"{BOOTH}.labSession.state.heard[1] > 0.2")
    heard = page.evaluate(f"{BOOTH}.labSession.player.coverage.slots[1][0][0]")
    assert heard < 0.1, "from its beginning"


def test_a_comment_goes_with_the_answer(visit, server):
    page = visit("acr-comments")
    page.get_by_label("Comment, if you like").fill("a <b>click</b> at 1 s")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("Space")
    hear(page, 0)
    page.keyboard.press("4")
    nonce = state(page)["nonce"]
    page.keyboard.press("Enter")
    next_trial(page, nonce)
    (sent,) = server.calls_of("answer")
    assert (sent["answer"], sent["comment"]) == (4, "a <b>click</b> at 1 s")
