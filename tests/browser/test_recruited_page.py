"""A participant of a platform in a real browser: from the address that the platform opens to the one that it waits for."""

from __future__ import annotations

import dataclasses
import json
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Page, expect

from eval.listening.making.stimuli import render_stimuli
from eval.listening.recruiting.terms import Quotas, Recruiting
from eval.listening.session.open import open_listening
from eval.listening.session.preview import Preview
from eval.listening.study import Question, Study
from tests.browser.conftest import FEW_FRAMES
from tests.browser.rating_booth import BOOTH, ready, state, submit_button, to_first_trial
from tests.browser.test_rating_session import next_step
from tests.conftest import harmonic_tone, running_app
from vocoders.audio import Recording
from vocoders.catalogue import find_systems

DEVICE = Question("device", "What do you listen with?", ("Headphones", "Loudspeakers"))
PROLIFIC = Recruiting(
    "prolific",
    completed="C0MPL3TE",
    quota_full="FULLFULL",
    quotas=Quotas(2, {"device": {"Loudspeakers": 0}}),
)
STUDY = Study(
    "Which one?",
    "acr",
    ("a-voice",),
    ("griffin-lim",),
    repeats=0,
    golds=0,
    traps=0,
    questions=(DEVICE,),
    recruiting=PROLIFIC,
)
COMPLETE = "https://app.prolific.com/submissions/complete"


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """(address of the app, {platform: public id}, data directory)."""
    data_dir = tmp_path_factory.mktemp("recruited")
    listening = open_listening(data_dir)
    recordings = {"a-voice": Recording("a-voice", harmonic_tone(1.5, 150))}
    rendered = render_stimuli(STUDY, recordings, find_systems("griffin-lim"))
    about = {"owner": "A. Person", "contact": "a@example.org", "keep_days": 30}
    turk = dataclasses.replace(STUDY, questions=(), recruiting=Recruiting("mturk"), **about)
    found = {study.recruiting.platform: listening.store.add_study(study, *rendered, {})[0] for study in (STUDY, turk)}
    listening.store.close()
    with running_app(data_dir) as url:
        yield url, found, data_dir


@pytest.fixture
def page(browser: Browser):
    """Other sites answer with their address alone."""
    context = browser.new_context(viewport={"width": 390, "height": 800})
    context.add_init_script(FEW_FRAMES)
    context.route(COMPLETE + "**", lambda route: route.fulfill(body="Prolific", content_type="text/html"))
    context.route(
        "https://workersandbox.mturk.com/**", lambda route: route.fulfill(body="MTurk", content_type="text/html")
    )
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    yield page
    context.close()
    assert refused == []


def from_welcome(page: Page) -> None:
    ready(page, "welcome")
    page.get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")


def to_the_end(page: Page) -> None:
    """By keyboard, from the volume on."""
    to_first_trial(page)
    while page.evaluate(f"{BOOTH}.dataset.step") == "trial":
        nonce = state(page)["nonce"]
        page.keyboard.press("Space")
        page.wait_for_function(f"{BOOTH}.labSession.state.heard[0] >= 0.75")
        page.keyboard.press("3")
        expect(submit_button(page)).to_be_enabled()
        page.keyboard.press("Enter")
        next_step(page, nonce)
    ready(page, "done")


def test_a_prolific_session_from_its_address_to_the_completion(page, studies):
    url, found, data_dir = studies
    address = f"{url}/rate/?study={found['prolific']}&PROLIFIC_PID=5f1&STUDY_ID=60a&SESSION_ID=61b"
    page.goto(address)
    from_welcome(page)
    ready(page, "questionnaire")
    expect(page.get_by_role("heading", name="Before we begin")).to_be_focused()
    expect(submit_button(page)).to_be_disabled()
    page.locator("label").filter(has_text="Headphones").click()
    page.keyboard.press("Enter")
    to_the_end(page)
    expect(page.locator(".booth-code")).to_have_text("C0MPL3TE")
    back = page.get_by_role("link", name="Return to app.prolific.com")
    assert back.get_attribute("rel") == "noopener noreferrer"
    assert page.url == address, "nothing leaves by itself"
    page.goto("about:blank")
    page.goto(address)
    ready(page, "done")
    back.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(COMPLETE + "?cc=C0MPL3TE")
    listening = open_listening(data_dir)
    (row,) = listening.store.participants(found["prolific"])
    assert (row["participant"], row["outcome"]) == ("5f1", "completed")
    listening.store.close()


def test_a_listener_reads_what_is_stored_takes_it_along_and_goes_on(page, studies):
    url, found, _ = studies
    page.goto(f"{url}/rate/?study={found['mturk']}&workerId=A2&assignmentId=4X")
    ready(page, "welcome")
    expect(page.get_by_role("heading", name="Who answers for this study")).to_be_visible()
    expect(page.get_by_text("A. Person · a@example.org")).to_be_visible()
    expect(page.get_by_text("Stored are your answers")).to_be_visible()  # the consent refers to it
    page.get_by_role("button", name="Everything about your data").click()
    ready(page, "privacy")
    expect(page.get_by_role("heading", name="Your data")).to_be_focused()
    expect(page.get_by_text("The participant number that Mechanical Turk sent")).to_be_visible()
    expect(page.get_by_text("deleted 30 days after you began")).to_be_visible()
    expect(page.get_by_text("A. Person · a@example.org")).to_be_visible()
    expect(page.get_by_role("button", name="Download my data")).to_have_count(0)
    page.get_by_role("button", name="Back to the test").click()
    from_welcome(page)
    ready(page, "volume")
    page.goto(page.url + "&privacy")
    ready(page, "privacy")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download my data").click()
    assert json.loads(download.value.path().read_text())["participant"]["participant"] == "A2"
    page.get_by_role("button", name="Back to the test").click()
    ready(page, "volume")


def test_an_owner_walks_through_and_nothing_is_there_afterwards(page, studies):
    url, found, data_dir = studies
    listening = open_listening(data_dir)
    before = len(listening.store.raters(found["mturk"]))
    page.goto(f"{url}/{Preview(listening).link(found['mturk'])}")
    expect(page.get_by_text("Preview: nothing you answer here is stored.")).to_be_visible()
    from_welcome(page)
    to_the_end(page)
    expect(page.get_by_text("https://www.mturk.com/mturk/externalSubmit")).to_be_visible()
    expect(page.get_by_role("button", name="Submit to")).to_have_count(0)
    assert len(listening.store.raters(found["mturk"])) == before
    listening.store.close()


def test_who_finds_no_place_is_told_kindly_and_sent_back(page, studies):
    url, found, _ = studies
    page.goto(f"{url}/rate/?study={found['prolific']}&PROLIFIC_PID=5f2")
    from_welcome(page)
    ready(page, "questionnaire")
    page.locator("label").filter(has_text="Loudspeakers").click()
    page.keyboard.press("Enter")
    ready(page, "quota_full")
    expect(page.get_by_role("heading", name="All places are taken")).to_be_focused()
    expect(page.get_by_role("button", name="Stop and delete my answers")).to_be_visible()
    expect(page.locator(".booth-code")).to_have_text("FULLFULL")
    page.get_by_role("link", name="Return to app.prolific.com").click()
    page.wait_for_url(COMPLETE + "?cc=FULLFULL")


def test_mturk_gets_its_form(page, studies):
    url, found, _ = studies
    start = f"{url}/rate/?study={found['mturk']}&turkSubmitTo=https%3A%2F%2Fworkersandbox.mturk.com&hitId=H1"
    page.goto(f"{start}&assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE")
    ready(page, "welcome")
    expect(page.get_by_text("Accept the task first")).to_be_visible()
    expect(submit_button(page)).to_be_disabled()
    page.goto(f"{start}&assignmentId=3X&workerId=A1")
    from_welcome(page)
    to_the_end(page)
    with page.expect_request("https://workersandbox.mturk.com/mturk/externalSubmit") as sent:
        page.get_by_role("button", name="Submit to workersandbox.mturk.com").click()
    form = parse_qs(sent.value.post_data)
    assert (form["assignmentId"], form["outcome"]) == (["3X"], ["completed"])
