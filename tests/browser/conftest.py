"""A real Chromium, and a page that fails its test for any error in the console."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser")  # the first takes two thirds of the others' time
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]
expect.set_options(
    timeout=60_000
)  # ms; bounds failure only: machines are busy, and a checkpoint is tried in a process of its own
HARMLESS = (
    "Method not implemented",  # a headless Chromium on a machine without sound
    "AbortError: signal is aborted",  # Gradio's, of a page that is loaded anew while it waits for an answer
    "Unexpected error Connection errored out",  # the same
    "Waveform load error",  # Gradio's preview of a file that is no audio, before anyone asked us to read it
)
DESKTOP = {"width": 1280, "height": 900}
# As on a machine that draws ten frames a second: what plays lasts as long as its sound, and to draw it sixty times a second is most
# of what it costs. For tests whose subject is not what is drawn.
FEW_FRAMES = """{
  const next = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (draw) => setTimeout(() => next(draw), 80);
  window.cancelAnimationFrame = clearTimeout;
}"""
_BEGIN_AGAIN = """() => {
  const player = document.querySelector('#player .lab-player').labPlayer;
  player.reset();
  Object.assign(player, { matched: true, view: 'spectrogram', axis: 'mel' });
  player.update(player.value);
  document.activeElement?.blur();
  scrollTo(0, 0);
}"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert path, "Chromium is not installed; ./run test installs it on Debian"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def give_file(page: Page, component: str, path: Path) -> None:
    """Upload a file into a component of the page, until it is there."""
    picker = page.locator(f"{component} input[type=file]")
    with uploaded(page):
        picker.set_input_files(path)
    expect(picker).to_have_count(0)


def appears(locator: Locator, timeout: float) -> None:
    """Until it is seen, within `timeout` ms. For what takes seconds: at every look in vain `expect` describes the whole page for a
    screen reader, in case it has to tell of a failure, which takes a fifth of the page's processor time."""
    locator.wait_for(timeout=timeout)


def open_inputs(page: Page) -> None:
    """Of the Compare page, which folds them once they were used."""
    recording = page.locator("#recording")
    expect(recording).to_be_attached()  # a page that is still being built shows nothing, folded or not
    if not recording.is_visible():
        page.locator("#inputs > button").click()
        expect(recording).to_be_visible()


@contextlib.contextmanager
def uploaded(page: Page) -> Iterator[None]:
    """Around what uploads something: leaves when the app has it."""
    with page.expect_response(lambda answer: "/gradio_api/upload" in answer.url and answer.request.method == "POST"):
        yield


def wait_for_loop(page: Page, playhead: str) -> None:
    """Until the playhead (an expression in JavaScript, in seconds) has gone back to where the loop begins."""
    page.evaluate("window.playhead = 0")
    page.wait_for_function(
        f"() => {{ const before = window.playhead; window.playhead = {playhead}; return window.playhead < before; }}"
    )


@pytest.fixture(scope="session")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One for all pages of the app, which share what the browser has fetched and compiled of it."""
    context = browser.new_context(accept_downloads=True)
    yield context
    context.close()


def clear_storage(page: Page, origin: str) -> None:
    """All that the origin has kept in this browser, but for what was fetched and compiled."""
    everything = {"origin": origin, "storageTypes": "all"}
    page.context.new_cdp_session(page).send("Storage.clearDataForOrigin", everything)


@contextlib.contextmanager
def opened(context: BrowserContext, url: str, size: dict[str, int]) -> Iterator[tuple[Page, list[str]]]:
    """The app in a new page of that size, as of a new visitor, and what its console and its network have complained of so far."""
    page = context.new_page()
    page.set_viewport_size(size)
    clear_storage(page, url)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"exception: {error}"))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("response", lambda r: problems.append(f"HTTP {r.status} {r.url}") if r.status >= 400 else None)
    page.goto(url)
    appears(page.get_by_role("button", name="Compare", exact=True), 60_000)
    yield page, problems


def stop_comparison(page: Page) -> None:
    """The one that this page follows, if any: for a page that has gone the app would go on for a while, beside the next tests."""
    if page.evaluate("document.querySelector('#player .lab-player')?.labPlayer?.value?.status?.state === 'running'"):
        with page.expect_response("**/gradio_api/run/predict"):
            page.evaluate("document.querySelector('#stop').click()")


def assert_none(problems: list[str]) -> None:
    assert [problem for problem in problems if not problem.startswith(HARMLESS)] == []


@pytest.fixture(params=[DESKTOP], ids=["desktop"])
def page(context: BrowserContext, app_url: str, request) -> Iterator[Page]:
    """The app in a fresh session, as of a new visitor. Parametrize indirectly with the size of the viewport."""
    with opened(context, app_url, request.param) as (page, problems):
        yield page
        stop_comparison(page)
    for every in context.pages:
        every.close()
    assert_none(problems)


@pytest.fixture(scope="session")
def once_compared(browser: Browser, app_url: str, tmp_path_factory) -> Iterator[tuple[Page, list[str]]]:
    from tests.browser.comparing import FAST, NETWORK, RATE, SAMPLES, compare

    clip = tmp_path_factory.mktemp("clip") / "my clip.wav"
    soundfile.write(clip, SAMPLES, RATE)
    context = browser.new_context(accept_downloads=True)
    with opened(context, app_url, DESKTOP) as (page, problems):
        compare(page, clip, *FAST, NETWORK)
        assert_none(problems)
        yield page, problems
    context.close()


@pytest.fixture
def comparison_page(once_compared: tuple[Page, list[str]]) -> Iterator[Page]:
    """A page with a comparison of 1.6 s at 44.1 kHz through both Griffin-Lims and a network, the player as it was when that was finished.
    One for all tests that only play it and look at it."""
    page, problems = once_compared
    problems.clear()
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="light", forced_colors="none")
    page.get_by_role("tab", name="Compare", exact=True).click()
    page.evaluate(_BEGIN_AGAIN)
    expect(page.locator("#player .lab-player")).to_have_attribute("data-ready", "1")
    yield page
    assert_none(problems)
