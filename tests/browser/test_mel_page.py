"""A mel file instead of a recording."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import expect

from common.paths import ROOT
from tests.browser.comparing import PLAYER, choose, state
from tests.browser.conftest import appears, give_file
from vocoders.features import log_hifigan_mel
from vocoders.recordings.reader import read_recording


def test_a_mel_is_told_confirmed_and_played(page, tmp_path):
    samples = read_recording(ROOT / "tests" / "audio_files" / "phrase.flac").samples
    np.save(tmp_path / "spoken.npy", log_hifigan_mel(samples).values.T)
    page.get_by_role("button", name="A mel file instead of a recording").click()
    expect(page.get_by_label("Recipe")).to_have_count(0)
    give_file(page, "#mel-file", tmp_path / "spoken.npy")
    expect(page.locator("#mel-said")).to_contain_text("spoken.npy: this looks like HiFi-GAN's own mel: magnitude")
    expect(page.get_by_label("Logarithm")).to_have_value("natural, ln")
    choose(page, "Griffin-Lim, oracle", "Griffin-Lim from the mel")
    page.get_by_role("button", name="Compare", exact=True).click()
    appears(page.get_by_role("link", name="Everything (zip)"), 120_000)
    expect(page.locator("#intake")).to_contain_text("Without a recording there is no reference")
    expect(page.locator("#metrics")).to_contain_text("log-mel L1")
    expect(page.locator("#metrics")).not_to_contain_text("M-STFT")
    expect(page.locator("#player")).to_contain_text("this system needs the recording itself")
    expect(page.locator("#player .lab-player")).to_have_attribute("data-ready", "1")
    assert state(page)["selected"] == "griffin-lim"
    page.locator("#player").scroll_into_view_if_needed()
    page.keyboard.press("Space")
    page.wait_for_function(f"{PLAYER}.state.playing && {PLAYER}.state.time > 0.1")


def test_a_doubtful_mel_asks_before_it_is_played(page, tmp_path):
    np.save(tmp_path / "unit.npy", np.linspace(0, 1, 8000, dtype=np.float32).reshape(80, 100))
    page.get_by_role("button", name="A mel file instead of a recording").click()
    give_file(page, "#mel-file", tmp_path / "unit.npy")
    expect(page.locator("#mel-said")).to_contain_text("normalized to a fixed range")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator("#message")).to_contain_text("choose the recipe, the scale and the logarithm of this mel first")
