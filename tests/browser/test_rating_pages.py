"""Every page that a listener meets, in every language: nothing for axe to find, nothing cut off, everything within reach.

One page is loaded for all tests; it is given each step as the server would give it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.accessibility import focus_walk, violations
from tests.browser.rating_booth import BOOTH, QUESTIONS, ROLES, Server, hear, ready, serving, submit_button
from ui.listening.rate_page import languages

LANGUAGES = languages()
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
ZOOMED = {"width": 640, "height": 400}  # DESK at 200 %
BACK = {"code": "C0MPL3TE", "url": "https://app.prolific.com/submissions/complete", "host": "app.prolific.com"}
OPTIONS = {"attention": True, "comments": True}
ENDS = ("quota_full", "screened_out", "closed")

SHOW = """async ([step, language]) => {
  const session = document.querySelector('.lab-booth').labSession;
  session.memory.set('token', step.step === 'welcome' ? null : 'a token');
  await session.speak(language);
  await session.show(step);
  const [best, poor] = document.querySelectorAll('.lab-booth .booth-bands input');   // others stay unrated
  for (const [slider, value] of [[best, 100], [poor, 30]]) {
    if (slider) Object.assign(slider, { value }).dispatchEvent(new Event('input'));
  }
  document.querySelectorAll('.lab-booth details').forEach((details) => { details.open = true; });
  document.querySelectorAll('.lab-booth .booth-sure').forEach((question) => { question.hidden = false; });
}"""

# What is wider than the page, text that leaves its box, words broken in their middle, labels over each other, and controls that
# a finger misses.
FAULTS = r"""() => {
  const booth = document.querySelector('.lab-booth');
  const words = !/^(zh|ja)/.test(booth.lang);
  const found = document.documentElement.scrollWidth > innerWidth ? ['the page is wider than the screen'] : [];
  const loose = (node) => /inline$|contents/.test(getComputedStyle(node).display) || node.matches('.booth-scale-words');
  const boxes = (node) => node === booth ? [node] : [...(loose(node) ? [] : [node]), ...boxes(node.parentElement)];
  const texts = document.createTreeWalker(booth, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const holder = text.parentElement;
    if (!text.data.trim() || !holder.checkVisibility() || holder.closest('select, textarea, code, .booth-code')) continue;
    if (getComputedStyle(holder).clipPath !== 'none') continue;   // for screen readers
    const range = document.createRange();
    range.selectNodeContents(text);
    const inner = range.getBoundingClientRect();
    const outer = boxes(holder).map((node) => node.getBoundingClientRect());
    if (outer.some(({ left, right }) => inner.left < left - 1 || inner.right > right + 1)) found.push(`spills: ${text.data}`);
    for (const { 0: word, index } of words ? text.data.matchAll(/[\p{L}\p{M}]+/gu) : []) {
      range.setStart(text, index);
      range.setEnd(text, index + word.length);
      if (new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1) found.push(`broken: ${word}`);
    }
  }
  const labels = [...booth.querySelectorAll('.booth-scale-words span')].map((label) => {
    const range = document.createRange();
    range.selectNodeContents(label);
    return range.getBoundingClientRect();
  });
  labels.forEach((a, index) => labels.slice(index + 1).forEach((b) => {
    if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) found.push('labels of the scale overlap');
  }));
  for (const control of booth.querySelectorAll('button, a, summary, select, textarea, input[type=range], .booth-choice')) {
    const { width, height } = control.getBoundingClientRect();
    if (control.checkVisibility() && (height < 44 || width < 24)) found.push(`small: ${control.outerHTML}`);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def server() -> Server:
    return Server()


@pytest.fixture(scope="module")
def page(browser: Browser, server) -> Iterator[Page]:
    with serving(server) as url:
        context = browser.new_context(viewport=PHONE, locale="en-GB", has_touch=True, reduced_motion="reduce")
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{url}/rate/?study=acr")
        ready(page, "welcome")
        yield page
        context.close()
        assert problems == []


def steps(server: Server) -> dict[str, dict[str, Any]]:
    """Every step that the page knows, as the server sends it."""

    def trial(mode: str, **options: Any) -> dict[str, Any]:
        number = {"training": False, "number": 3, "of": 24}
        return server.trial({"study": mode, "at": 0, "nonces": {}}, mode, number) | OPTIONS | options

    study = {
        "name": "Which voice is real?",
        "mode": "mushra1s",
        "about": "Four singers, one song.",
        "trials": 24,
        "minutes": 12,
    }
    about = {"name": study["name"], "owner": "A. Person", "contact": "a.person@example.org", "keep_days": 365}
    found = {
        "welcome": {"step": "welcome", "study": study, "durable": False},
        "privacy": {"step": "privacy", **about, "platform": "Prolific"},
        "volume": {"step": "volume", **server.volume("acr")},
        "headphones": {"step": "headphones", **server.headphones("acr")},
        "instructions": {"step": "instructions", "mode": "mushra1s", "need": 1.5, "attention": True},
        "screening": {"step": "questionnaire", "questions": QUESTIONS, "required": True},
        "questionnaire": {"step": "questionnaire", "questions": QUESTIONS},
        "practice": trial("ab", training=True, number=1),
        "done": {"step": "done", **BACK},
        "forgotten": {"step": "forgotten"},
        "error": {"step": "error", "code": "not_heard", "again": True},
    }
    found |= {name: {"step": name, "stored": True, **BACK} for name in ENDS}
    found |= {f"trial {mode}": trial(mode) for mode in ROLES}
    return found


def show(page: Page, step: dict[str, Any], language: str = "en") -> None:
    page.evaluate(SHOW, [step, language])


def test_axe_finds_nothing_on_any_page_light_and_dark(page, server):
    found = {}
    for name, step in steps(server).items():
        show(page, step)
        found[name] = violations(page)
        page.evaluate("document.body.classList.add('dark')")
        found[f"{name}, dark"] = violations(page)
        page.evaluate("document.body.classList.remove('dark')")
    assert {name: rules for name, rules in found.items() if rules} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_fits_its_screen(page, server, language):
    found = {}
    for name, step in steps(server).items():
        show(page, step, language)
        for size in (PHONE, ZOOMED, DESK):
            page.set_viewport_size(size)
            found[f"{name}, {size['width']} px"] = page.evaluate(FAULTS)
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_the_focus_is_seen_wherever_it_goes_at_twice_the_size(page, server):
    page.set_viewport_size(ZOOMED)
    show(page, steps(server)["trial mushra"], "de")
    stops = focus_walk(page)
    assert len(stops) > 12, "player, sounds, sliders, help, comment, withdrawal"
    assert [stop for stop in stops if not stop["seen"] or stop["covered"]] == []


def test_a_trial_by_touch(page, server):
    page.set_viewport_size(PHONE)
    show(page, steps(server)["trial ab"])
    for slot, label in enumerate("AB"):
        page.get_by_role("button", name=f"Listen to {label}").tap()
        hear(page, slot)
    page.locator("label").filter(has_text="No difference").tap()
    submit_button(page).tap()
    page.wait_for_function(f"{BOOTH}.dataset.busy === '0'")
    assert server.calls_of("answer")[-1]["answer"] == "same"


def test_the_menu_changes_the_language_until_the_session_begins(page, server):
    show(page, steps(server)["welcome"])
    menu = page.get_by_role("combobox", name="Language")
    assert menu.locator("option").all_inner_texts() == list(LANGUAGES.values())
    menu.focus()
    page.keyboard.type("Deu")
    page.get_by_role("button", name="Beginnen").wait_for()
    assert page.evaluate("document.documentElement.lang") == "de"
    assert page.evaluate("document.activeElement.value") == "de"
    join = "(s) => s.ask('join', { study: 'acr', language: 'fr', device: {}, address: {} })"
    page.evaluate(f"({join})({BOOTH}.labSession)")  # begun in another tab, in French
    page.get_by_role("button", name="Envoyer et continuer").wait_for()
    assert page.evaluate("document.documentElement.lang") == "fr"
    assert not page.get_by_role("combobox").is_visible()
