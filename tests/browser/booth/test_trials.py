"""Trials in the booth: answers, sounds and connections that are lost."""

from __future__ import annotations

import pytest
from fastapi.responses import JSONResponse, Response
from playwright.sync_api import expect

from tests.browser.conftest import wait_for_loop
from tests.browser.rating_booth import BOOTH, NEED, hear, next_trial, ready, state, submit_button


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
