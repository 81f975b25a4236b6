"""The owner's desk in the page: a study found by its key alone, watched, sent, extended, previewed and deleted."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from eval.listening.analysis.alarm import Alarm
from eval.listening.making.stimuli import render_stimuli
from eval.listening.session.open import open_listening
from eval.listening.study import Study
from tests.browser.accessibility import violations, violations_without_scripts
from tests.conftest import harmonic_tone, running_app
from tests.simulated import simulate
from vocoders.audio import Recording
from vocoders.catalogue import find_systems

NAME = "Which ${1+1} voice? <b>"
SYSTEMS = ("griffin-lim", "griffin-lim-oracle")


@pytest.fixture(scope="module")
def owned(tmp_path_factory) -> Iterator[tuple[str, str, str]]:
    """(the app's address, a study's id, its key); four raters answered."""
    data = tmp_path_factory.mktemp("desk-data")
    store = open_listening(data).store
    recordings = {"one": Recording("one", harmonic_tone(1.6, 150)), "two": Recording("two", harmonic_tone(1.6, 300))}
    study = Study(NAME, "acr", tuple(recordings), SYSTEMS, raters=6, repeats=0)
    public_id, key = store.add_study(study, *render_stimuli(study, recordings, find_systems(",".join(SYSTEMS))), {})
    simulate(store, public_id, 4, dict.fromkeys(SYSTEMS, 0.5))
    store.add_alarm(store.study(public_id), Alarm("gold", 5, 5, 0.2))
    store.close()
    with running_app(data) as url:
        yield url, public_id, key


@pytest.fixture
def app_url(owned) -> str:
    return owned[0]


def test_a_study_is_found_watched_sent_extended_and_deleted(page: Page, owned):
    url, public_id, key = owned
    page.get_by_role("tab", name="Blind tests").click()
    page.get_by_role("tab", name="Studies and results").click()
    page.get_by_label("Key to its results").fill(key)
    page.get_by_role("button", name="Find", exact=True).click()
    progress = page.locator("#study-progress")
    expect(progress.get_by_role("heading", name=NAME)).to_be_visible()
    expect(progress).to_contain_text("4 of 6 raters started, 4 finished")
    expect(page.locator("#results-found section")).to_have_count(0)
    assert key not in page.url

    expect(progress).to_contain_text("5 of 5 raters failed the check 'gold'")
    expect(page.get_by_role("button", name="The check 'trap' works")).to_be_hidden()
    assert violations(page) == []
    broken = page.get_by_role("button", name="The check 'gold' is broken: keep everybody")
    broken.click()
    expect(page.locator("#results-message")).to_contain_text("The check 'gold' leaves nobody out.")
    expect(broken).to_be_hidden()
    expect(progress).not_to_contain_text("failed the check")

    preview = page.context.new_page()
    preview.goto(f"{url}/{progress.get_by_role('link', name='Preview every trial').get_attribute('href')}")
    expect(preview.get_by_role("heading", level=1)).to_have_text(NAME)
    expect(preview.get_by_text("Preview: nothing you answer here is stored.")).to_be_visible()
    assert violations_without_scripts(preview) == []
    preview.close()

    page.get_by_role("button", name="Send the results").click()
    expect(page.get_by_label("The link is valid for")).to_have_value("90 days")
    page.get_by_role("button", name="Make a link to the results").click()
    link = page.locator("#study-linked").get_by_role("link")
    expect(link).to_be_visible()
    reader = page.context.new_page()
    reader.goto(
        link.get_attribute("href") if "http" in link.get_attribute("href") else f"{url}/{link.get_attribute('href')}"
    )
    expect(reader.get_by_role("heading", name="What may be concluded")).to_be_visible()
    assert public_id not in reader.content()
    assert violations_without_scripts(reader) == []
    reader.set_viewport_size({"width": 390, "height": 844})
    scrolls = "all => all.filter((part) => part.scrollWidth > part.clientWidth).map((part) => part.textContent)"
    assert reader.locator(".scroll, .chart").evaluate_all(scrolls) == [], "on a phone tables are cards, and charts fit"
    assert violations_without_scripts(reader) == []
    page.get_by_role("button", name="Revoke all links").click()
    expect(page.locator("#study-linked")).to_contain_text("Links that were valid until now: 1")
    assert reader.reload().status == 404
    expect(reader.get_by_text("Ask whoever sent it for a new one")).to_be_visible()
    reader.close()

    page.get_by_role("button", name="Extend or duplicate").click()
    page.get_by_role("button", name="Extend by raters").click()
    expect(page.locator("#study-revised")).to_contain_text("The key that you used opens it, too")
    page.get_by_label("Id of the study").fill("")
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page.locator("#studies-listed")).to_contain_text("revision 2")
    expect(page.locator("#studies-listed")).to_contain_text("closed")

    page.get_by_label("Id of the study").fill(public_id)
    page.get_by_role("button", name="Show the results").click()
    expect(page.locator("#results-found")).to_contain_text("4 raters started, 4 answered all trials")
    assert violations(page) == []
    page.get_by_role("button", name=re.compile(r"^Delete\W*$")).click()
    page.get_by_role("button", name="Delete with all answers").click()
    expect(page.locator("#results-message")).to_contain_text("Nothing was deleted")
    page.get_by_label("Name of the study, to delete it").fill(NAME)
    page.get_by_role("button", name="Delete with all answers").click()
    expect(page.locator("#results-message")).to_contain_text("and all answers to it are deleted")
    expect(page.locator("#study-progress section")).to_have_count(0)


def test_the_form_says_everything_at_once(page: Page):
    page.get_by_role("tab", name="Blind tests").click()
    page.get_by_label("AB: which is better").check()
    page.get_by_role("button", name="Listeners: who asks them").click()
    page.get_by_label("Closes on, UTC").fill("on Friday")
    page.get_by_role("button", name="Make the study").click()
    expect(page.locator("#study-problem-people")).to_contain_text("“on Friday” is no date")
    expect(page.locator("#study-problem-name")).to_contain_text("Give the study a name")
    expect(page.locator("#study-problem-clips")).to_contain_text("Add clips first")
    expect(page.locator("#study-problem-systems")).to_contain_text("Choose at least two systems")
    expect(page.locator("#study-message")).to_contain_text("4 things are to be mended")
    assert violations(page) == []
