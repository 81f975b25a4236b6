"""A page that is loaded anew shows its comparison again; a comparison is sent as a file and as a link."""

import pytest
import soundfile
from playwright.sync_api import Page, expect

from tests.browser.comparing import FAST, PLAYER, SHOWN, choose, compare, state, upload
from tests.browser.conftest import appears
from tests.conftest import free_port, harmonic_tone, running_app, start_app


@pytest.fixture(scope="module")
def keeping_url(tmp_path_factory):
    """An app that keeps comparisons."""
    with running_app(tmp_path_factory.mktemp("keeping"), options=["--keep-comparisons", "12h"]) as url:
        yield url


@pytest.fixture
def app_url(keeping_url):
    """In the place of the one of all tests: the fixture `page` opens it."""
    return keeping_url


@pytest.fixture
def clip(tmp_path):
    soundfile.write(tmp_path / "my clip.wav", harmonic_tone(1.6), 22_050)
    return tmp_path / "my clip.wav"


def test_a_finished_comparison_stands_again_and_tabs_keep_their_own(page: Page, clip):
    compare(page, clip, *FAST)
    before = page.evaluate(f"{PLAYER}.value")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_role("button", name="Compare", exact=True)).to_be_visible()
    page.reload()
    page.wait_for_function(f"{SHOWN}?.state.ready")
    assert page.evaluate(f"{PLAYER}.value") == before
    expect(page.get_by_role("region", name="Metrics").get_by_role("row")).to_have_count(3)
    expect(page.get_by_role("link", name="Everything (zip)")).to_be_visible()
    expect(page.get_by_role("button", name="Share this comparison")).to_be_visible()
    expect(other.locator("#player .lab-player")).to_be_hidden()
    other.close()


def test_an_open_page_outlives_its_server(browser, clip, tmp_path):
    port = free_port()
    process, url = start_app(tmp_path, port)
    page = browser.new_page()
    try:
        page.goto(url)
        compare(page, clip, *FAST)
        before = page.evaluate(f"{PLAYER}.value")
        process.kill()
        process.wait(20)
        process, _ = start_app(tmp_path, port)
        page.reload()
        page.wait_for_function(f"{SHOWN}?.state.ready")
        assert page.evaluate(f"{PLAYER}.value") == before
        compare(page, clip, FAST[0])
        process.kill()
        process.wait(20)
        process, _ = start_app(tmp_path, port)
        choose(page, *FAST)  # in the page as it stands: the new process has its recording
        page.get_by_role("button", name="Compare", exact=True).click()
        expect(page.get_by_role("region", name="Metrics").get_by_role("row")).to_have_count(3)
    finally:
        page.close()
        process.kill()


def test_a_running_comparison_goes_on_in_the_page_that_is_loaded_anew(page: Page, tmp_path):
    soundfile.write(tmp_path / "long.wav", harmonic_tone(15.0, seed=3), 22_050)
    upload(page, tmp_path / "long.wav")
    choose(page, *FAST)
    page.get_by_role("button", name="Compare", exact=True).click()
    page.wait_for_function(f"{SHOWN}?.value?.status?.state === 'running'")
    session = page.evaluate(f"{PLAYER}.value.session")
    page.reload()
    page.wait_for_function(f"{SHOWN}?.value?.session === '{session}'")
    appears(page.get_by_role("link", name="Everything (zip)"), 180_000)
    assert state(page)["tracks"] == ["reference", "griffin-lim-oracle", "griffin-lim"]


def test_a_comparison_that_is_gone_is_said_once(page: Page):
    once = "if (!sessionStorage.before) sessionStorage.setItem('lab-comparison', 'a'.repeat(24)); sessionStorage.before = 1"
    page.add_init_script(once)  # before the page of that time asks for it
    page.reload()
    expect(page.locator("#message")).to_contain_text("is no longer on the server, which keeps it for 2 hours at most")
    page.wait_for_function("() => !sessionStorage.getItem('lab-comparison')")  # what has been said is forgotten
    page.reload()
    expect(page.get_by_role("button", name="Compare", exact=True)).to_be_visible()
    expect(page.locator("#message")).to_be_empty()


def test_a_link_opens_what_was_shared_and_its_maker_deletes_it(page: Page, clip):
    compare(page, clip, *FAST)
    page.get_by_role("button", name="Share this comparison").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download blind page").click()
    assert download.value.suggested_filename == "my-clip-blind-comparison.html"
    page.get_by_label("Blind: letters instead of names").check()
    page.get_by_role("button", name="Make a link").click()
    expect(page.locator("#link a")).to_have_count(2)
    link, deletion = page.locator("#link a").all()
    expect(link).to_have_text(link.evaluate("a => a.href"))
    with page.expect_popup() as popup:
        link.click()
    shared = popup.value
    expect(shared.locator(".lab-player")).to_have_attribute("data-ready", "1")
    assert shared.evaluate(f"{SHOWN.replace('#player ', '')}.state.tracks") == ["reference", "A", "B"]
    address = shared.url
    shared.goto(deletion.evaluate("a => a.href"))
    shared.get_by_role("button", name="Delete it").click()
    expect(shared.get_by_text("The comparison was deleted.")).to_be_visible()
    assert shared.goto(address).status == 404
    expect(shared.get_by_text("the link is wrong, its time is over, or it was deleted")).to_be_visible()
    shared.close()
