"""What a visitor sees first, what a phone shows, and what goes wrong on the way to the loudspeaker."""

import re

import pytest
import soundfile
from playwright.sync_api import Page, expect

from tests.browser.comparing import FAST, PLAYER, SHOWN, choose, compare, upload
from tests.browser.conftest import open_inputs
from tests.conftest import harmonic_tone
from vocoders.catalogue import COMPARED

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
IN_VIEW = """() => [...document.querySelectorAll('#player .lab-row')]
    .filter((row) => { const { top, bottom } = row.getBoundingClientRect(); return top >= 0 && bottom <= innerHeight; }).length"""

# Name, width, height, whether it is one of a row that belongs together, left and right edge
TARGETS = """all => all.map((node) => {
  const { left, right, width, height } = node.getBoundingClientRect();
  return [node.ariaLabel || node.title || node.textContent, width, height, node.matches('.lab-segment'), left, right];
})"""


@pytest.fixture
def clip(tmp_path):
    soundfile.write(tmp_path / "my clip.wav", harmonic_tone(1.6), 22_050)
    return tmp_path / "my clip.wav"


def on_a_phone(page: Page) -> Page:
    """With the comparison that it holds, loaded there."""
    page.set_viewport_size(PHONE)
    page.reload()
    page.wait_for_function(f"{SHOWN}?.state.ready")
    return page


def start_example(page: Page) -> None:
    page.get_by_role("button", name="Sung phrase, low voice (synthetic)").click()
    expect(page.get_by_role("button", name="Stop").first).to_be_visible()
    expect(page.locator("#player .lab-row")).to_have_count(1 + len(COMPARED))


@pytest.mark.parametrize("page", [DESKTOP], indirect=True, ids=["desktop"])
def test_the_recording_and_three_outputs_are_on_the_first_screen(page: Page):
    start_example(page)
    page.wait_for_function(f"({IN_VIEW})() >= 4")
    expect(page.locator("#recording")).to_be_hidden()
    expect(page.get_by_role("button", name="Recording and systems: sung_phrase_low")).to_be_visible()
    open_inputs(page)
    expect(page.locator("#systems input:checked")).to_have_count(len(COMPARED))


@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_a_phone_goes_to_the_player(page: Page):
    start_example(page)
    page.wait_for_function(f"({IN_VIEW})() >= 1")


@pytest.mark.parametrize("page", [DESKTOP], indirect=True, ids=["desktop"])
def test_the_metric_table_fits_and_keeps_the_chosen_columns(page: Page, clip):
    compare(page, clip, *FAST)
    scroll = page.get_by_role("region", name="Metrics", exact=True)
    table = scroll.get_by_role("table")
    assert scroll.evaluate("e => e.scrollWidth <= e.clientWidth")
    expect(table.get_by_role("columnheader", name="M-STFT")).to_be_visible()
    expect(table.get_by_role("columnheader", name="log-mel L1")).to_be_hidden()
    expect(table.get_by_role("columnheader", name="speed")).to_contain_text("first run")  # neither warm nor repeated
    page.get_by_role("button", name="Spectrum", exact=True).click()
    expect(table.get_by_role("columnheader", name="log-mel L1")).to_be_visible()
    expect(table.get_by_role("columnheader", name="F0 error")).to_be_hidden()
    page.get_by_text("What the columns mean").click()
    meaning = page.get_by_text("Mean error of the log-power hw2 mel")
    expect(meaning).to_be_visible()
    choose(page, FAST[0])
    page.get_by_role("button", name="Compare", exact=True).click()  # another table
    expect(page.get_by_text("1 system ready")).to_be_visible()  # after it no other table comes
    expect(table.get_by_role("row")).to_have_count(2)
    expect(table.get_by_role("columnheader", name="log-mel L1")).to_be_visible()
    expect(page.get_by_role("button", name="Spectrum", exact=True)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="All", exact=True).click()
    assert table.get_by_role("columnheader").count() == table.locator("thead th").count()
    expect(meaning).to_be_visible()  # as it was opened before
    expect(
        page.get_by_text("Not defined for this recording: metrics of held notes need a note that is held")
    ).to_be_visible()
    page.get_by_text("What the rows are").click()
    meanings = page.locator(".page-meanings")
    expect(meanings.get_by_text("A bound, not a mel vocoder.")).to_be_visible()
    for word in (
        "Homework 2 of the course",
        "The hw2 mel is converted",
        "is corrected afterwards",
        "HiFi-GAN’s authors published",
    ):
        expect(meanings.get_by_text(word).first).to_be_visible()


def test_a_phone_shows_a_card_per_system(comparison_page: Page):
    page = on_a_phone(comparison_page)
    page.get_by_role("button", name="All", exact=True).click()
    cells = page.locator(".page-metrics td")
    edges = cells.evaluate_all(
        "all => all.map((cell) => cell.getBoundingClientRect()).map(({ left, right }) => [left, right])"
    )
    assert len(edges) > 10
    assert all(left >= 0 and right <= PHONE["width"] for left, right in edges)
    titles = cells.evaluate_all("all => all.map((cell) => getComputedStyle(cell, '::before').content)")
    assert '"M-STFT"' in titles
    for width in (PHONE["width"], 360):
        page.set_viewport_size({**PHONE, "width": width})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.evaluate(f"{PLAYER}.setLoop([0.2, 0.8])")  # which shows the button that clears it
        expect(page.locator("#player .lab-player")).to_have_attribute("data-ready", "1")
        targets = page.locator("#player").locator("button:visible, a:visible, input:visible").evaluate_all(TARGETS)
        assert {"Play", "Loop", "Clear the loop", "Difference", "Zoom in", "Download Griffin-Lim, oracle"} <= {
            name for name, *_ in targets
        }
        narrow = {True: 34, False: 44}  # of a row of choices, and alone
        small = [target for target in targets if target[2] < 44 or target[1] < narrow[target[3]]]
        assert [name for name, wide, *_ in small if wide < 24 or name != "Clear the loop"] == []  # which has no room
        assert [target for target in targets if target[4] < 0 or target[5] > width] == []


def test_sentences_about_rows_are_whole_and_open_without_moving_anything(comparison_page: Page):
    page = on_a_phone(comparison_page)
    cut = "all => all.filter((about) => about.scrollHeight > about.clientHeight + 1).map((about) => about.textContent)"
    abouts = page.locator("#player .lab-about")
    expect(abouts).to_have_count(4)
    assert abouts.evaluate_all(cut) == []
    over = """all => all.filter((side) => [...side.children].some((part) => {
      const words = document.createRange();
      words.selectNodeContents(side.closest('.lab-label').querySelector('.lab-title'));
      const { right, bottom } = words.getBoundingClientRect();
      const { left, top, width } = part.getBoundingClientRect();
      return width && left < right && top < bottom;
    })).length"""
    assert page.locator("#player .lab-side").evaluate_all(over) == 0, "nothing lies over a title"
    page.set_viewport_size({"width": 1280, "height": 800})  # rows beside their pictures
    rows, legend = page.locator("#player .lab-row"), page.locator("#player .lab-legends")
    assert rows.nth(2).locator(".lab-about").evaluate_all(cut) != []
    rows.nth(2).locator(".lab-label").scroll_into_view_if_needed()
    below = legend.bounding_box()
    rows.nth(2).locator(".lab-label").hover()
    assert rows.nth(2).locator(".lab-about").evaluate_all(cut) == []
    assert legend.bounding_box() == below
    page.mouse.move(0, 0)
    rows.nth(2).locator(".lab-select").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert page.locator("#player .lab-label:has(.lab-select:focus-visible) .lab-about").evaluate_all(cut) == []


def test_on_a_phone_levels_are_cards_and_model_cards_keep_their_words(comparison_page: Page):
    page = on_a_phone(comparison_page)
    page.get_by_text("Level and alignment").click()
    levels = page.get_by_role("region", name="Levels")
    expect(levels.get_by_role("cell").first).to_be_visible()
    assert levels.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert levels.locator("td").first.evaluate("e => getComputedStyle(e, '::before').content") == '"Loudness, LUFS"'
    page.get_by_role("tab", name="Vocoders").click()
    page.get_by_role("button", name="Model card of harmonic-noise").click()
    tables = page.locator("#model-card-harmonic-noise table")
    expect(tables.first).to_be_visible()
    broken = """all => all.filter((cell) => {  // a word that goes over more than one line
      const words = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
      for (let text = words.nextNode(); text; text = words.nextNode()) {
        for (const { index, 0: word } of text.data.matchAll(/[A-Za-z0-9.]+/g)) {
          const range = document.createRange();
          range.setStart(text, index);
          range.setEnd(text, index + word.length);
          if (new Set([...range.getClientRects()].map(({ top }) => top)).size > 1) return true;
        }
      }
      return false;
    }).map((cell) => cell.textContent)"""
    assert tables.locator("th, td").evaluate_all(broken) == []
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_a_sound_that_was_lost_on_the_way_can_be_fetched_again(page: Page, clip):
    page.route("**/*griffin-lim.wav", lambda route: route.fulfill(body=b""))  # as a connection that breaks off
    upload(page, clip)
    choose(page, *FAST)
    page.get_by_role("button", name="Compare", exact=True).click()
    row = page.locator("#player .lab-row").filter(has=page.locator(".lab-title", has_text="Griffin-Lim from the mel"))
    again = row.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    expect(row.get_by_role("button", name="Griffin-Lim from the mel").first).to_be_disabled()
    page.unroute("**/*griffin-lim.wav")
    again.click()
    expect(row.get_by_role("button", name="Griffin-Lim from the mel").first).to_be_enabled()
    expect(again).to_be_hidden()


def test_old_outputs_are_marked_and_downloads_carry_the_recordings_name(page: Page, clip, tmp_path):
    compare(page, clip, FAST[1])
    with page.expect_download() as download:
        page.get_by_role("link", name="Results (JSON)").click()
    assert download.value.suggested_filename == "my-clip-results.json"
    other = tmp_path / "other.wav"
    soundfile.write(other, harmonic_tone(1.0), 22_050)
    open_inputs(page)
    page.get_by_label("Clear", exact=True).click()
    upload(page, other)
    skips = page.locator("#recording button[aria-label^='Skip ']")
    expect(skips).to_have_count(2)
    for skip in skips.all():
        expect(skip).to_have_attribute("aria-label", re.compile(r"^Skip \w+ by \d+(\.\d)? seconds$"))
    expect(page.locator("#message")).to_contain_text("belongs to the recording before")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("link", name="Everything (zip)")).to_have_attribute("download", "other-everything.zip")
    expect(page.locator("#message")).to_be_empty()
