"""Sessions in the booth from step to step: reloads, hidden tabs, languages."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.rating_booth import BOOTH, NEED, hear, next_trial, opened, play_each, ready, state, submit_button


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
