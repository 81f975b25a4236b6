"""Dropped on the Vocoders page: a run's export says how it was trained, and plays; a zip is opened, and what is wrong is said."""

from __future__ import annotations

import shutil

import soundfile
from playwright.sync_api import expect

from tests.browser.accessibility import violations
from tests.browser.comparing import FAST, SHOWN, compare, state
from tests.browser.conftest import open_inputs
from tests.browser.test_hostile_text import NOTHING_RAN
from tests.conftest import harmonic_tone
from tests.vocoders.checkpoints.test_families import written
from train.export import export


def test_an_export_shows_its_curves_and_joins_the_comparison(page, short_run, tmp_path):
    export(short_run, tmp_path / "mine.safetensors", licence="CC0")
    page.get_by_role("tab", name="Vocoders").click()
    page.locator("#own-files input[type=file]").set_input_files(tmp_path / "mine.safetensors")
    expect(page.get_by_role("region", name="What was dropped")).to_contain_text(
        "a generator, HiFi-GAN: 22,050 Hz, 80 bands"
    )
    page.get_by_role("button", name="Add to the comparison").click()
    expect(page.get_by_text("Your mine is now among the systems to compare.")).to_be_visible()
    card = page.locator("#catalogue article", has_text="Your mine")
    expect(card).to_contain_text("CC0")
    card.get_by_text("How it was trained").click()
    expect(card).to_contain_text("tiny, trained from scratch")
    expect(card.get_by_role("img", name="validation mel loss, from")).to_be_visible()
    expect(card.get_by_role("img")).to_have_count(4)
    heights = page.locator("#catalogue article").evaluate_all("all => all.map((card) => card.offsetHeight)")
    assert heights[-1] > 1.5 * max(heights[:-1]), "the open card alone is high"
    assert violations(page) == []

    soundfile.write(tmp_path / "clip.wav", harmonic_tone(1.0), 22_050)
    page.get_by_role("tab", name="Compare").click()
    compare(page, tmp_path / "clip.wav", "Your mine")
    assert state(page)["tracks"] == ["reference", "own-mine"]

    # loaded anew, the page has the comparison and the system, which can be used and removed
    page.reload()
    expect(page.locator("#player .lab-player")).to_have_attribute("data-ready", "1")
    assert state(page)["tracks"] == ["reference", "own-mine"]
    open_inputs(page)
    expect(page.locator("#systems").get_by_label("Your mine", exact=True)).to_be_checked()
    compare(page, tmp_path / "clip.wav", FAST[1], "Your mine")
    page.wait_for_function(f"{SHOWN}?.state.tracks.join() === 'reference,griffin-lim,own-mine'")
    page.get_by_role("tab", name="Vocoders").click()
    expect(card).to_contain_text("CC0")
    page.get_by_role("button", name="Remove it").click()
    expect(card).to_have_count(0)
    page.wait_for_function("!sessionStorage.getItem('lab-own-systems')")
    page.reload()
    expect(page.locator("#player .lab-player")).to_have_attribute("data-ready", "1")
    expect(page.locator("#systems")).not_to_contain_text("Your mine")


def test_a_models_zip_is_told_added_and_removed(page, tmp_path):
    (tmp_path / "model").mkdir()
    written("Vocos, same", tmp_path / "model")
    archive = shutil.make_archive(str(tmp_path / "vocos"), "zip", tmp_path / "model")
    (tmp_path / "<img src=nowhere onerror=ran=1>.yaml").write_text("upsample_rates: [8, 8, 2, 2]")
    soundfile.write(tmp_path / "clip.wav", harmonic_tone(1.0), 22_050)
    page.get_by_role("tab", name="Vocoders").click()
    files = [archive, tmp_path / "clip.wav", tmp_path / "<img src=nowhere onerror=ran=1>.yaml"]
    page.locator("#own-files input[type=file]").set_input_files(files)
    rows = page.get_by_role("region", name="What was dropped").get_by_role("row")
    expect(rows.filter(has_text="pytorch_model.bin").first).to_contain_text("a generator, Vocos: 16,000 Hz")
    expect(rows.filter(has_text="config.yaml")).to_contain_text("Used with pytorch_model.bin")
    expect(rows.filter(has_text="clip.wav")).to_contain_text("Folders")
    expect(rows.filter(has_text="img")).to_contain_text("Its generator is missing")
    assert violations(page) == []
    page.get_by_role("button", name="Add to the comparison").click()
    expect(page.locator("#own-message")).to_contain_text("Your pytorch_model is now among the systems to compare.")
    card = page.locator("#catalogue article", has_text="Your pytorch_model")
    expect(card).to_have_count(1)
    page.get_by_role("button", name="Remove it").click()
    expect(card).to_have_count(0)
    expect(page.get_by_role("button", name="Remove it")).to_be_hidden()
    page.get_by_role("tab", name="Compare").click()
    expect(page.locator("#systems")).not_to_contain_text("pytorch_model")
    assert page.evaluate(NOTHING_RAN)
