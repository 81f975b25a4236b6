"""Folders in the page: a zip with hostile names becomes a table, a report and a listening test; wide, and dropped as folders on a phone."""

import zipfile

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect

from tests.browser.accessibility import violations
from tests.browser.conftest import DESKTOP
from tests.browser.test_hostile_text import NOTHING_RAN
from tests.conftest import harmonic_tone

HOSTILE = "<img src=x onerror=ran=1>${7*7}{{7*7}}"
RATE = 44_100
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def root(tmp_path):
    """`original`, and two systems: one exact but for noise, one late and turned over."""
    for number, clip in enumerate(("clip 1", "clip 2")):
        samples = harmonic_tone(3.2, 90 + 30 * number)  # at twice its rate: half as long, an octave up
        noise = np.random.default_rng(number).normal(0, 0.002, len(samples))
        made = {"original": samples, "Mine": samples + noise, HOSTILE: -0.4 * np.pad(samples, (RATE // 5, 0))}
        for folder, values in made.items():
            path = tmp_path / "in" / folder / f"{clip}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, values, RATE)
    return tmp_path / "in"


def open_folders(page: Page) -> None:
    page.get_by_role("tab", name="Folders").click()
    expect(page.get_by_role("button", name="Compare folders")).to_be_visible()


def test_a_zip_becomes_a_table_a_report_and_a_listening_test(page: Page, root, tmp_path):
    with zipfile.ZipFile(tmp_path / "outputs.zip", "w") as archive:
        for path in root.rglob("*.wav"):
            archive.write(path, path.relative_to(root))
        archive.writestr("Mine/notes.txt", "notes")
    open_folders(page)
    page.locator("#folders-files input[type=file]").set_input_files(tmp_path / "outputs.zip")
    found = page.get_by_role("region", name="Folders")
    expect(found.get_by_role("row").filter(has_text="original")).to_contain_text("the recordings")
    expect(found.get_by_role("row").filter(has_text="7*7")).to_contain_text("a system: 2 of 2 clips")
    page.get_by_role("button", name="Compare folders").click()
    means = page.get_by_role("region", name="Means")
    expect(means.get_by_role("row")).to_have_count(3, timeout=180_000)
    expect(means.get_by_role("row").nth(1)).to_contain_text("img")
    expect(page.get_by_role("region", name="Noticed")).to_contain_text("it is 200 ms late")
    assert violations(page) == []
    assert means.evaluate("e => e.scrollWidth <= e.clientWidth"), "a few columns, the others one click away"
    expect(means.get_by_role("columnheader", name="log-mel L1")).to_be_hidden()
    page.get_by_role("button", name="Spectrum", exact=True).first.click()
    expect(means.get_by_role("columnheader", name="log-mel L1")).to_be_visible()
    page.get_by_text("What the columns mean").click()
    expect(page.get_by_text("Mean error of the log-power hw2 mel")).to_be_visible()
    page.set_viewport_size(PHONE)
    cells = means.get_by_role("cell").evaluate_all("all => all.map((cell) => cell.getBoundingClientRect().right)")
    assert cells
    assert max(cells) <= PHONE["width"], "a card per system"
    page.set_viewport_size(DESKTOP)
    with page.expect_download() as download:
        page.get_by_role("link", name="Report").click()
    assert "2 systems, 2 clips" in download.value.path().read_text(encoding="utf-8")
    with page.expect_download() as download:
        page.get_by_role("link", name="Everything with audio").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert sum(name.endswith(".wav") for name in archive.namelist()) == 6

    page.get_by_role("button", name="Make a listening test of these").click()
    expect(page.locator("#study-folders-found")).to_contain_text("the recordings")
    page.get_by_label("Name, which listeners see").fill("Mine or theirs")
    page.get_by_role("radio", name="MUSHRA, 0 to 100").check()
    expect(page.locator("#study-outlook")).to_contain_text("12 raters x 2 clips")
    page.get_by_role("button", name="Make the study").click()
    expect(page.locator("#study-made").get_by_role("heading")).to_have_text("Mine or theirs is ready", timeout=120_000)
    assert page.evaluate(NOTHING_RAN)


@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_a_folder_that_is_chosen_arrives_with_its_folders(page: Page, root):
    open_folders(page)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a folder").first.click()
    chooser.value.set_files(root)
    expect(page.get_by_role("region", name="Folders").get_by_role("row")).to_have_count(4)
    expect(page.get_by_role("region", name="Folders")).to_contain_text("a system: 2 of 2 clips")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(NOTHING_RAN)
