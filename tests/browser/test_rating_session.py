"""Whole listening sessions in a real browser against the real app, by keyboard, through a killed server."""

from __future__ import annotations

import os
import signal

import pytest
from playwright.sync_api import Browser, Page, expect

from eval.listening.making.stimuli import render_stimuli
from eval.listening.session.open import open_listening
from eval.listening.study import Question, Study
from tests.browser.conftest import FEW_FRAMES
from tests.browser.rating_booth import BOOTH, ready, state, submit_button, to_first_trial
from tests.conftest import free_port, harmonic_tone, start_app
from vocoders.audio import Recording
from vocoders.catalogue import find_systems

ITEMS = ("a-low-voice", "a-high-voice")
SYSTEMS = ("griffin-lim", "griffin-lim-oracle")
ANSWERS = {"acr": ["3"], "abx": ["Shift+A"]}


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """(data directory, {mode: public id})."""
    data_dir = tmp_path_factory.mktemp("session")
    listening = open_listening(data_dir)
    recordings = {name: Recording(name, harmonic_tone(1.5, 150 * (n + 1))) for n, name in enumerate(ITEMS)}
    found = {}
    for mode in ANSWERS:
        questions = (Question("device", "With what?", ("Headphones", "Loudspeakers")),)
        items = ITEMS if mode == "acr" else ITEMS[:1]  # three sounds to hear in every trial of the other
        study = Study("Which one?", mode, items, SYSTEMS, questions=questions, seed=1)
        rendered = render_stimuli(study, recordings, find_systems(",".join(SYSTEMS)))
        found[mode] = listening.store.add_study(study, *rendered, {})[0]
    listening.store.close()
    return data_dir, found


KEEP_BODIES = """
const plain = window.fetch;
window.fetch = async (...request) => {
  const response = await plain(...request);
  if (response.headers.get('content-type')?.includes('json')) response.clone().text().then(window.labSeen);
  return response;
};
"""


class Traffic:
    """Everything that goes over the wire, as text."""

    def __init__(self, page: Page) -> None:
        self.seen: list[str] = []
        self.bodies: list[str] = []  # of what the page itself asked the server for
        page.expose_function("labSeen", lambda body: self.bodies.append(body))
        page.add_init_script(KEEP_BODIES)
        page.on(
            "request", lambda request: self.seen.append(f"{request.url} {request.headers} {request.post_data or ''}")
        )
        page.on("response", self.keep)

    def keep(self, response) -> None:
        text = f"{response.url} {response.headers} "
        if not response.headers.get("content-type", "").startswith(("audio/", "font/", "image/")):
            try:
                text += response.text()
            except Exception:  # a body that is gone with its page, or was read as it came; the page's own are kept
                text += "[no body]"
        self.seen.append(text)

    def about(self, words: set[str]) -> set[str]:
        return {word for word in words for text in [*self.seen, *self.bodies] if word.lower() in text.lower()}


def press_through(page: Page, mode: str) -> dict:
    """One trial by keyboard: hear every slot, answer, send. Returns the texts of the page."""
    shown = state(page)
    keys = ["Space"] if mode == "acr" else ["a", "b", "x"]
    if mode != "acr" and not page.evaluate(f"{BOOTH}.labSession.player.looping"):
        page.keyboard.press("l")  # the clip is shorter than three times what has to be heard
    for slot, key in enumerate(keys):
        page.keyboard.press(key)
        page.wait_for_function(f"{BOOTH}.labSession.state.heard[{slot}] >= 0.75")
    for key in ANSWERS[mode]:
        page.keyboard.press(key)
    expect(submit_button(page)).to_be_enabled()
    page.keyboard.press("Enter")
    return shown


def next_step(page: Page, nonce: str) -> None:
    page.wait_for_function(
        f"{BOOTH}.dataset.ready === '1' && {BOOTH}.labSession.state.nonce !== '{nonce}'", timeout=60_000
    )


@pytest.mark.parametrize("mode", list(ANSWERS))
def test_a_session_by_keyboard_through_a_killed_server(browser: Browser, studies, mode):
    data_dir, found = studies
    port = free_port()
    process, url = start_app(data_dir, port)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(FEW_FRAMES)
    page = context.new_page()
    traffic = Traffic(page)
    nonces = []
    try:
        page.goto(f"{url}/rate/?study={found[mode]}")
        ready(page, "welcome")
        page.get_by_role("checkbox").focus()
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
        to_first_trial(page)
        for _ in range(2):
            nonces.append(press_through(page, mode)["nonce"])
            next_step(page, nonces[-1])
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        nonces.append(press_through(page, mode)["nonce"])  # the server is gone; the answer waits in the page
        expect(page.get_by_text("Try now")).to_be_visible()
        process, _ = start_app(data_dir, port)
        page.evaluate("document.querySelector('.booth-trouble button')?.click()")  # unless it has tried by itself
        next_step(page, nonces[-1])
        nonces.append(press_through(page, mode)["nonce"])
        next_step(page, nonces[-1])
        page.reload()  # and a reload on top
        ready(page, "trial")
        while page.evaluate(f"{BOOTH}.dataset.step") == "trial":
            nonces.append(press_through(page, mode)["nonce"])
            next_step(page, nonces[-1])
        page.locator("label").filter(has_text="Headphones").click()
        page.keyboard.press("Enter")
        ready(page, "done")
        code = page.locator(".booth-code").inner_text()
    finally:
        context.close()
        process.terminate()
        process.wait(20)

    listening = open_listening(data_dir)
    stored = listening.store.study(found[mode])
    rows = listening.store.answers(found[mode])
    assert [row["nonce"] for row in rows] == nonces, "every answer, exactly once, in order"
    assert {row["answer"] for row in rows} == {{"acr": 3, "abx": "a"}[mode]}
    (rater,) = listening.store.raters(found[mode])
    assert rater["code"] == code
    assert len(rows) == rater["trials"]
    assert rater["events"]["questionnaire"] == {"device": "Headphones"}
    plan = listening.store.rater(rater["rater"]).plan
    assert [(tuple(row["shown"]), row["x"]) for row in rows] == [(trial.shown, trial.x) for trial in plan]

    secrets = {*SYSTEMS, *ITEMS, "griffin", "oracle", "degraded", "beeps-", "M-STFT", "lufs_before"}
    secrets |= {stimulus.sha256[:16] for stimulus in stored.stimuli}
    assert len(traffic.seen) > 50
    missed = [nonce for nonce in nonces if not any(nonce in body for body in traffic.bodies)]
    assert len(missed) <= 1, "every step was looked through, but perhaps for the one that was left by the reload"
    assert traffic.about(secrets) == set()
