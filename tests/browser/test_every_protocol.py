"""Whole sessions of every kind of test in a real browser, by mouse, by touch and by keyboard, through a killed server: a listener of known
opinions gives every answer on the page, and the analysis of the stored answers says what is true.

Short here: each kind by one means, and by each means one kind whose server is killed: the page sends and repeats answers of every
kind alike. With --proof: each kind by all three, through a killed server.
"""

from __future__ import annotations

import hashlib
import os
import re
import signal
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from eval.listening.analysis.precision import Spread
from eval.listening.analysis.results import analyse
from eval.listening.analysis.votes import REFERENCE
from eval.listening.conclusions.sentences import conclusions_of
from eval.listening.session.open import open_listening
from eval.listening.simulation.listeners import Opinions, with_spread
from eval.listening.storage.records import Stimulus
from eval.listening.storage.store import Store
from eval.listening.study import Study
from eval.listening.tasks.registry import TASKS
from eval.listening.trial import BEEPS, DEGRADED
from eval.reports.study_cells import Names
from tests.browser.conftest import FEW_FRAMES, clear_storage
from tests.browser.rating_booth import BOOTH, POLLING_MS, ready, state, submit_button, to_first_trial
from tests.conftest import free_port, start_app
from tests.simulated import simulate
from vocoders.audio import SAMPLE_RATE, wav_of

SECONDS = 0.6  # of every sound; half of it has to be heard
ITEMS = tuple(f"clip-{number}" for number in range(6))
QUALITY = {"low": 0.1, "middle": 0.5, "high": 0.9}  # from the worst level of a scale to the best
SYSTEMS = {"bws": ("low", "middle", "high"), "abx": ("low",), "sabx": ("low",), "ccr": ("low",)}
OTHERS = 20  # further listeners of the same opinions, without a browser: a result takes more than a few
THUMB = 26  # px, of a slider: its middle is where the value is
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
TRUE = {
    "abx": "low and Recording are told apart",
    "sabx": "(low and Recording|Recording and low) are told apart",
    "ccr": "Recording is called better than low by",
    "ab": "high is preferred to low",
}  # of the others: "high is rated higher than low by"


class Pointer:
    """By mouse."""

    def press(self, control: Locator) -> None:
        control.click()

    def begin(self, page: Page) -> None:
        """From the welcome to the first trial."""
        self.press(page.get_by_role("checkbox"))
        self.press(page.get_by_role("button", name="Begin"))
        ready(page, "volume")
        self.press(page.get_by_role("button", name="Play"))
        self.go_on(page)
        ready(page, "headphones")
        self.press(page.get_by_role("button", name="Skip this check"))
        ready(page, "instructions")
        self.go_on(page)
        ready(page, "trial")

    def go_on(self, page: Page) -> None:
        expect(submit_button(page)).to_be_enabled()
        self.press(submit_button(page))

    def hear(self, page: Page, slots: list[dict]) -> None:
        """Every sound of a trial, long enough."""
        self.press(page.get_by_role("button", name="Loop"))
        for number in range(len(slots)):
            if len(slots) == 1:
                self.press(page.get_by_role("button", name="Play"))
            else:
                self.press(page.locator(".booth-slot").nth(number))
            heard(page, number)

    def choose(self, page: Page, number: int) -> None:
        """One of the choices, as cards in their order."""
        self.press(page.locator(".booth-choice").nth(number))

    def slide(self, page: Page, slider: int, value: int, slot: int) -> None:
        box = (control := page.locator(".booth-bands input").nth(slider)).bounding_box()
        assert box
        self.touch(control, THUMB / 2 + (box["width"] - THUMB) * value / 100, box["height"] / 2)

    def touch(self, control: Locator, x: float, y: float) -> None:
        control.click(position={"x": x, "y": y})

    def extremes(self, page: Page, best: int, worst: int) -> None:
        for end, slot in (("best", best), ("worst", worst)):
            self.press(page.locator(f".booth-extreme[data-end={end}]").nth(slot))


class Finger(Pointer):
    """By touch, on a phone."""

    def press(self, control: Locator) -> None:
        control.tap()

    def touch(self, control: Locator, x: float, y: float) -> None:
        control.tap(position={"x": x, "y": y})


class Keyboard(Pointer):
    """Without a pointer."""

    def begin(self, page: Page) -> None:
        page.get_by_role("checkbox").focus()
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
        to_first_trial(page)

    def go_on(self, page: Page) -> None:
        expect(submit_button(page)).to_be_enabled()
        page.keyboard.press("Enter")

    def hear(self, page: Page, slots: list[dict]) -> None:
        page.keyboard.press("l")
        for number in range(len(slots)):
            page.keyboard.press(key_of(slots, number) if len(slots) > 1 else "Space")
            heard(page, number)

    def choose(self, page: Page, number: int) -> None:
        keys = page.evaluate(f"{BOOTH}.labSession.view.scale.options.map(({{ key }}) => key)")
        shifted = page.evaluate(f"{BOOTH}.labSession.view.scale.shifted")
        page.keyboard.press(f"Shift+{keys[number].upper()}" if shifted else keys[number])

    def slide(self, page: Page, slider: int, value: int, slot: int) -> None:
        page.keyboard.press(key_of(page.evaluate(f"{BOOTH}.labSession.step.slots"), slot))
        for key in ["Home"] + ["PageUp"] * (value // 10) + ["ArrowUp"] * (value % 10):
            page.keyboard.press(key)

    def extremes(self, page: Page, best: int, worst: int) -> None:
        for key, slot in (("B", best), ("W", worst)):
            page.keyboard.press("abc"[slot])
            page.keyboard.press(f"Shift+{key}")


MEANS = {"mouse": (Pointer(), DESK), "touch": (Finger(), PHONE), "keyboard": (Keyboard(), DESK)}


def key_of(slots: list[dict], number: int) -> str:
    """That plays a sound: its letter; open anchors have a number."""
    role, label = slots[number]["role"], slots[number]["label"]
    return {"reference": "r", "x": "x"}.get(role) or label.lower() or str(number + 1)


def heard(page: Page, slot: int) -> None:
    session = f"{BOOTH}.labSession"
    page.wait_for_function(f"{session}.state.heard[{slot}] >= {session}.step.need", polling=POLLING_MS)


def enter(page: Page, means: Pointer, step: dict, answer: object) -> object:
    """Gives the answer on the page. Returns it as it was entered: a slider of a hundred steps is hit to within a few."""
    takes = [number for number, slot in enumerate(step["slots"]) if slot["role"] == "take"]
    options = page.evaluate(f"{BOOTH}.labSession.view.scale.options?.map(({{ value }}) => value)")
    if step["mode"] == "bws":
        means.extremes(page, *answer)
    elif options:
        means.choose(page, options.index(answer))
    else:
        values = answer if isinstance(answer, list) else [answer]
        for slider, (value, slot) in enumerate(zip(values, takes, strict=True)):
            means.slide(page, slider, value, slot)
        entered = state(page)["answer"]
        found = entered if isinstance(entered, list) else [entered]
        assert np.abs(np.subtract(found, values)).max() <= (0 if isinstance(means, Keyboard) else 3)
        return entered
    assert state(page)["answer"] == answer
    return answer


def store_tones(store: Store, mode: str) -> str:
    """The public id of a study whose sounds are tones: what they are like is in the listener's opinions."""
    study = Study(
        f"A study of {mode}", mode, ITEMS, SYSTEMS.get(mode, ("low", "high")), trials=3, seed=2, raters=OTHERS
    )
    conditions = dict.fromkeys((*study.conditions, *study.anchors, REFERENCE, DEGRADED, *BEEPS))
    time = np.arange(round(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    wavs, stimuli = {}, []
    for place, (item, condition) in enumerate((item, condition) for item in ITEMS for condition in conditions):
        wav = wav_of((6000 * np.sin(2 * np.pi * (200 + 7 * place) * time)).astype(np.int16))
        wavs[sha256 := hashlib.sha256(wav).hexdigest()] = wav
        stimuli.append(Stimulus(item, condition, sha256, SECONDS, {}, {}))
    return store.add_study(study, stimuli, wavs, {})[0]


@pytest.fixture(scope="module")
def studies(tmp_path_factory) -> Iterator[tuple]:
    """(data directory, {mode: public id})."""
    data_dir = tmp_path_factory.mktemp("protocols")
    listening = open_listening(data_dir)
    found = {mode: store_tones(listening.store, mode) for mode in TASKS}
    listening.store.close()
    return data_dir, found


class Server:
    """The real app, which is killed and started again on the same port."""

    def __init__(self, data_dir) -> None:
        self.data_dir, self.port = data_dir, free_port()
        self.process, self.url = start_app(data_dir, self.port)

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def restart(self) -> None:
        self.process, _ = start_app(self.data_dir, self.port)


@pytest.fixture(scope="module")
def server(studies) -> Iterator[Server]:
    server = Server(studies[0])
    yield server
    server.process.terminate()
    server.process.wait(20)


@pytest.fixture(scope="module")
def contexts(browser: Browser) -> Iterator[dict[str, BrowserContext]]:
    """{means: context}: the sessions by one means share what the browser has fetched and compiled of the page."""
    contexts = {}
    for means, (_, size) in MEANS.items():
        touch = means == "touch"
        contexts[means] = browser.new_context(viewport=size, has_touch=touch, is_mobile=touch, locale="en-GB")
        contexts[means].set_default_timeout(60_000)  # ms; bounds failure only
        contexts[means].add_init_script(FEW_FRAMES)
    yield contexts
    for context in contexts.values():
        context.close()


def session(
    context: BrowserContext, server: Server, public_id: str, mode: str, means: str, seed: int, with_kill: bool
) -> None:
    """One listener from the welcome to the thanks. with_kill: the server is killed under the second answer."""
    task, (how, _) = TASKS[mode], MEANS[means]
    agreeing = with_spread(
        task, Spread(*(part / 8 for part in (task.spread.rater, task.spread.item, task.spread.residual)))
    )
    opinions = Opinions(
        agreeing, {s: task.level_at(share) for s, share in QUALITY.items()}, np.random.default_rng(seed)
    )
    store = open_listening(server.data_dir).store
    page = context.new_page()
    clear_storage(page, server.url)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    try:
        page.goto(f"{server.url}/rate/?study={public_id}")
        ready(page, "welcome")
        how.begin(page)
        rater = store.raters(public_id)[-1]["rater"]
        plan, answers, given = store.rater(rater).plan, {}, []
        while (number := task.next_trial(plan, answers)) is not None:
            step = page.evaluate(f"{BOOTH}.labSession.step")
            how.hear(page, step["slots"])
            answers[number] = enter(page, how, step, opinions.answer(rater, plan[number]))
            given.append((step["nonce"], answers[number]))
            if is_killed := with_kill and len(given) == 2:
                server.kill()
            how.go_on(page)
            if is_killed:
                expect(page.get_by_text("Try now")).to_be_visible()
                server.restart()
                page.evaluate("document.querySelector('.booth-trouble button')?.click()")  # unless it tries by itself
            page.wait_for_function(
                f"{BOOTH}.dataset.ready === '1' && {BOOTH}.labSession.state.nonce !== '{step['nonce']}'",
                polling=POLLING_MS,
            )
        ready(page, "done")
        code = page.locator(".booth-code").inner_text()
    finally:
        page.close()
    assert problems == []
    rows = [row for row in store.answers(public_id) if row["rater"] == rater]
    assert [(row["nonce"], row["answer"]) for row in rows] == given, "every answer, exactly once, in order"
    (person,) = [person for person in store.raters(public_id) if person["rater"] == rater]
    assert (person["code"], person["flags"]) == (code, [])
    store.close()


@pytest.mark.parametrize("mode", TASKS)
def test_a_session_of_every_kind_gives_the_truth(contexts, server, studies, mode, request):
    data_dir, found = studies
    every = list(MEANS)
    place, in_full = list(TASKS).index(mode), request.config.getoption("--proof")
    by = every if in_full else [every[place % len(every)]]
    with_kill = in_full or place < len(every)
    for number, means in enumerate(by):
        session(contexts[means], server, found[mode], mode, means, number, with_kill)
    store = open_listening(data_dir).store
    simulate(store, found[mode], OTHERS, QUALITY, seed=5)
    results = analyse(store.study(found[mode]), store.answers(found[mode]), store.raters(found[mode]))
    store.close()
    assert results["n"]["screened"] == OTHERS + len(by)
    said = conclusions_of(results, Names({REFERENCE: "Recording"}), TASKS[mode].points)
    wanted = TRUE.get(mode, "high is rated higher than low by")
    assert [sentence for sentence in said.shown if re.match(wanted, sentence)], said
