"""A trial of each kind, by keyboard and mouse, with the options of a study."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import visible_share
from tests.browser.rating_booth import BOOTH, hear, next_trial, play_each, ready, state, submit_button


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
