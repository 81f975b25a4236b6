"""A voice is trained in the page: it is heard and seen while it learns, survives a reload, is stopped, compared and downloaded; others
wait for it, and have nothing of it."""

from __future__ import annotations

import urllib.error
import urllib.request
import zipfile

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import cut_texts, violations
from tests.browser.conftest import DESKTOP, appears, opened
from tests.conftest import running_app
from tests.voices import write_unusable, write_voice

SLOW = 240_000  # ms; a process that imports PyTorch, and steps of a real training, on a busy machine
ROWS = "#train-player .lab-row"
TOKEN = "localStorage.getItem('lab-training')"


@pytest.fixture
def recordings(tmp_path):
    return [*write_voice(tmp_path / "voice"), *write_unusable(tmp_path / "voice")]


def open_train(page: Page) -> None:
    page.get_by_role("tab", name="Train").click()
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_visible()


def start(page: Page, recordings, length: str) -> None:
    open_train(page)
    page.locator("#train-files input[type=file]").set_input_files(recordings)
    expect(page.locator("#train-files")).to_contain_text(recordings[-1].stem)
    page.locator("#train-length").get_by_label(length, exact=True).check()
    page.get_by_role("button", name="Train", exact=True).click()


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def stop_and_keep(page: Page) -> None:
    page.get_by_role("button", name="Stop and keep").click()


@pytest.mark.timeout(900)
def test_a_voice_is_trained_heard_compared_and_taken_home(page: Page, browser: Browser, app_url, recordings, tmp_path):
    start(page, recordings, "5 min")
    status = page.locator("#train-status")
    expect(status.locator("[aria-current=step]")).to_be_visible()

    other = browser.new_context()
    with opened(other, app_url, DESKTOP) as (stranger, _):
        start(stranger, recordings[:1], "5 min")
        expect(stranger.locator("#train-status")).to_contain_text("1 training comes before yours")
        expect(stranger.locator(ROWS)).to_have_count(0)
        assert stranger.evaluate(TOKEN) != page.evaluate(TOKEN)
        stop_and_keep(stranger)
        stranger.get_by_role("button", name="Remove from the server").click()
        expect(stranger.locator("#train-message")).to_contain_text("Removed")
        assert stranger.evaluate(TOKEN) is None
    other.close()

    expect(page.locator(ROWS)).to_have_count(3, timeout=SLOW)
    expect(page.locator(ROWS).nth(2)).to_contain_text("Before training")
    page.reload()
    expect(page.locator(ROWS).nth(2)).to_contain_text("M-STFT")
    expect(page.locator("#train-player .lab-player")).to_have_attribute("data-ready", "1")
    expect(status).to_contain_text("never trained on")
    status.get_by_text("2 things to know about the recordings").click()
    expect(status).to_contain_text("Not used, silent.wav: the recording is silent")
    appears(page.get_by_role("img", name="Loss, from"), SLOW)
    assert violations(page) == []
    assert cut_texts(page) == []

    again = page.context.new_page()
    again.goto(f"{app_url}/#train")
    expect(again.locator(ROWS).nth(2)).to_be_visible()
    again.close()

    stop_and_keep(page)
    expect(status).to_contain_text("Stopped after", timeout=SLOW)
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    token = page.evaluate(TOKEN)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the model (zip)").click()
    taken = tmp_path / "taken.zip"
    download.value.save_as(taken)
    with zipfile.ZipFile(taken) as archive:
        assert {"voice/voice.safetensors", "voice/voice.md", "voice/CREDITS.md", "voice/curves.png"} <= set(
            archive.namelist()
        )
    for name in ("request.json", "progress.json", "log.txt", "recordings", "..%2Frequest.json"):
        assert status_of(f"{app_url}/training/{token}/{name}") == 404
    assert status_of(f"{app_url}/training/{token}/original.wav") == 200
    assert status_of(f"{app_url}/training/{token[:-1]}x/original.wav") == 404

    page.get_by_role("button", name="Compare with it").click()
    appears(page.get_by_role("link", name="Everything (zip)"), SLOW)
    rows = page.locator("#player .lab-row")
    expect(rows).to_have_count(4)
    expect(rows.last).to_contain_text("Your voice")
    expect(rows.last).to_have_attribute("data-state", "ready")

    page.get_by_role("tab", name="Vocoders").click()
    expect(page.locator("#catalogue article", has_text="Your voice")).to_contain_text("CC BY-NC-SA 4.0")
    page.locator("#own-files input[type=file]").set_input_files(taken)
    found = page.get_by_role("region", name="What was dropped")
    expect(found.get_by_role("row").filter(has_text="voice.safetensors")).to_contain_text("a generator", timeout=SLOW)

    open_train(page)
    page.get_by_role("button", name="Remove from the server").click()
    expect(page.locator("#train-message")).to_contain_text("Removed")
    assert status_of(f"{app_url}/training/{token}/original.wav") == 404


def test_a_take_joins_the_recordings_and_too_little_is_refused_in_words(page: Page):
    open_train(page)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator("#train-message")).to_contain_text("Drop recordings of the voice first")
    expect(page.get_by_role("button", name="Stop and keep")).to_be_disabled()
    for takes in (1, 2):
        page.locator("#train-take .record-button").click()
        expect(page.locator("#train-take")).to_contain_text("0:01")
        page.locator("#train-take .stop-button").click()
        expect(page.locator("#train-files").get_by_role("row")).to_have_count(takes)
    page.locator("#train-length").get_by_label("a trial: 4 steps").check()
    page.get_by_role("button", name="Train", exact=True).click()
    refusal = page.locator("#train-status").get_by_role("alert")
    expect(refusal).to_contain_text("at least 26 s are needed", timeout=SLOW)
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_enabled()


def test_where_it_is_switched_off_there_is_no_tab(browser: Browser, tmp_path):
    context = browser.new_context()
    with (
        running_app(tmp_path, options=["--training-minutes", "0"]) as url,
        opened(context, url, DESKTOP) as (page, problems),
    ):
        expect(page.get_by_role("tab", name="Vocoders")).to_be_visible()
        expect(page.get_by_role("tab", name="Train")).to_have_count(0)
        assert not (tmp_path / "training").exists()
        assert status_of(f"{url}/training/{'x' * 24}/original.wav") == 404
        assert problems == []
    context.close()
