"""A run's export, dropped on the Vocoders page: it says how it was trained, and plays."""

from __future__ import annotations

import re

import soundfile
from playwright.sync_api import expect

from tests.browser.test_compare_page import compare, state
from tests.conftest import harmonic_tone
from train.export import export


def test_an_export_shows_its_curves_and_joins_the_comparison(page, short_run, tmp_path):
    export(short_run, tmp_path / "mine.safetensors", licence="CC0")
    page.get_by_role("tab", name="Vocoders").click()
    page.locator("#own-checkpoint input[type=file]").set_input_files(tmp_path / "mine.safetensors")
    expect(page.locator("#own-checkpoint")).to_contain_text(
        re.compile(r"mine\s*\.safetensors")
    )  # Gradio sets the ending apart
    page.get_by_role("button", name="Add to the comparison").click()
    expect(page.get_by_text("Your mine is now among the systems to compare.")).to_be_visible()
    card = page.locator("#catalogue article", has_text="Your mine")
    expect(card).to_contain_text("CC0")
    card.get_by_text("How it was trained").click()
    expect(card).to_contain_text("tiny, trained from scratch")
    expect(card.get_by_role("img", name="validation mel loss, from")).to_be_visible()
    expect(card.get_by_role("img")).to_have_count(3)

    soundfile.write(tmp_path / "clip.wav", harmonic_tone(1.0), 22_050)
    page.get_by_role("tab", name="Compare").click()
    compare(page, tmp_path / "clip.wav", "Your mine")
    assert state(page)["tracks"] == ["reference", "own-mine"]
