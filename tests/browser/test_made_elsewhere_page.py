"""Outputs made elsewhere, on the Compare page: two files beside the recording, wide and on a phone; names that are hostile."""

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect

from tests.browser.comparing import FAST, SHOWN, choose, is_drawn, state, upload
from tests.browser.conftest import appears, open_inputs, uploaded
from tests.browser.test_hostile_text import NOTHING_RAN
from tests.conftest import harmonic_tone
from vocoders.audio import SAMPLE_RATE

NAMELESS = "<img src=nowhere onerror=ran=1>${7*7}{{7*7}}"
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture
def files(tmp_path):
    """A recording; an output that is exact; one that is 300 ms late and inverted."""
    noise = np.random.default_rng(0).standard_normal(round(1.6 * SAMPLE_RATE))
    samples = harmonic_tone(1.6) + 0.02 * noise
    outputs = {"clip": samples, "Mine": 0.5 * samples, "Theirs": -0.5 * np.pad(samples, (6615, 0))}
    for name, values in outputs.items():
        soundfile.write(tmp_path / f"{name}.wav", values, SAMPLE_RATE)
    return tmp_path


def give(page: Page, *paths) -> None:
    page.get_by_role("button", name="Outputs made elsewhere").click()
    with uploaded(page):
        page.locator("#given-files input[type=file]").set_input_files(paths)
    expect(page.locator("#given-files tr.file")).to_have_count(len(paths))


def start(page: Page) -> None:
    page.get_by_role("button", name="Compare", exact=True).click()
    appears(page.get_by_role("link", name="Everything (zip)"), 120_000)
    expect(page.locator("#player .lab-player")).to_have_attribute("data-ready", "1")


@pytest.mark.parametrize("page", [WIDE, PHONE], indirect=True, ids=["wide", "phone"])
def test_outputs_made_elsewhere_stand_beside_a_system_until_they_are_removed(page: Page, files):
    upload(page, files / "clip.wav")
    choose(page, FAST[1])
    give(page, files / "Mine.wav", files / "Theirs.wav")
    start(page)
    assert state(page)["tracks"] == ["reference", "file-Mine", "file-Theirs", "griffin-lim"]
    assert is_drawn(page, "Spectrogram of Theirs, 0 to 11 kHz, 1.6 s")
    expect(page.locator("#player")).to_contain_text("It is 300 ms late (6615 samples)")
    expect(page.locator("#player")).to_contain_text("its polarity is inverted")
    rows = page.get_by_role("region", name="Metrics").get_by_role("row")
    expect(rows).to_have_count(4)
    expect(rows.filter(has_text="Theirs")).to_contain_text("0.0")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    open_inputs(page)
    page.locator("#given-files").get_by_role("button", name="Clear").click()
    start(page)
    page.wait_for_function(f"{SHOWN}?.state.tracks.join() === 'reference,griffin-lim'")


def test_a_hostile_file_name_is_text(page: Page, files):
    path = (files / "Mine.wav").rename(files / f"{NAMELESS}.wav")
    upload(page, files / "clip.wav")
    choose(page)
    give(page, path)
    start(page)
    assert page.evaluate(NOTHING_RAN)
    assert len(state(page)["tracks"]) == 2
