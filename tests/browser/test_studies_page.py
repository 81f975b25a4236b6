"""Making a study in the app, following its link, reading its results."""

import re

import pytest
import soundfile
from playwright.sync_api import Page, expect

from tests.browser.accessibility import cut_texts, violations
from tests.browser.conftest import appears
from tests.conftest import harmonic_tone
from vocoders.audio import SAMPLE_RATE

UNFOLDED = """async () => {  // again, until all are open: a click before Gradio has made a fold does nothing
  const closed = [...document.querySelectorAll('button.label-wrap:not(.open)')].filter((fold) => fold.checkVisibility());
  closed.forEach((fold) => fold.click());
  await new Promise(requestAnimationFrame);
  return closed.length === 0;
}"""


@pytest.fixture
def clips(tmp_path):
    for n, name in enumerate(("first voice", "<b>second</b>")):
        soundfile.write(tmp_path / f"{name.replace('/', '-')}.wav", harmonic_tone(1.6, 150 * (n + 1)), SAMPLE_RATE)
    return sorted(tmp_path.iterdir())


def open_tab(page: Page) -> None:
    page.get_by_role("tab", name="Blind tests").click()
    expect(page.get_by_role("button", name="Make the study")).to_be_visible()


def test_a_study_is_made_followed_and_read(page: Page, clips):
    open_tab(page)
    expect(page.locator("#study-outlook")).to_contain_text("Add clips and a system")
    page.get_by_role("button", name="Make the study").click()
    expect(page.locator("#study-message")).to_contain_text("Add clips first")
    page.get_by_label("Name, which listeners see").fill("Which ${1+1} voice?")
    page.locator("#study-clips input[type=file]").set_input_files(clips)
    page.locator("#study-systems").get_by_label("Griffin-Lim, oracle").check()
    page.locator("#study-systems").get_by_label("Griffin-Lim from the mel").check()
    expect(page.locator("#study-outlook")).to_contain_text("12 raters x 2 clips")
    page.get_by_role("button", name="Listeners: who asks them").click()
    page.get_by_label("Closes on, UTC").fill("2100-01-31 18:00")
    page.get_by_role("button", name="Make the study").click()
    made = page.locator("#study-made")
    expect(made.get_by_role("heading")).to_have_text("Which ${1+1} voice? is ready", timeout=90_000)
    expect(made).to_contain_text("It closes on 2100-01-31 18:00 UTC")
    assert violations(page) == []
    link = made.locator("a.page-absolute")
    expect(link).to_have_text(re.compile(r"^http://127\.0\.0\.1:\d+/rate/\?study=[0-9a-f]{16}$"))
    study_id, key = made.locator("code").all_inner_texts()

    with page.context.expect_page() as opened:
        made.get_by_role("link", name="try the whole session").click()
    expect(opened.value.get_by_text("Preview: nothing you answer here is stored.")).to_be_visible()
    opened.value.close()

    listener = page.context.new_page()
    listener.goto(link.inner_text())
    expect(listener.get_by_role("heading", level=1)).to_have_text("Which ${1+1} voice?")
    listener.close()

    page.get_by_role("tab", name="Results").click()
    page.get_by_label("Id of the study").fill(study_id)
    page.get_by_label("Key to its results").fill("a guess")
    page.get_by_role("button", name="Show the results").click()
    expect(page.locator("#results-message")).to_contain_text("No study with this id and key")
    page.get_by_label("Key to its results").fill(key)
    page.get_by_role("button", name="Show the results").click()
    expect(page.locator("#results-found")).to_contain_text("0 raters started")
    expect(page.locator("#results-message")).to_contain_text("It closes on 2100-01-31 18:00 UTC.")
    with page.expect_download() as download:
        page.get_by_role("link", name="Report").click()
    assert "Which ${1+1} voice?" in download.value.path().read_text(encoding="utf-8")
    page.get_by_role("button", name="Close to new raters").click()
    expect(page.locator("#results-message")).to_contain_text("Closed")


@pytest.mark.parametrize("page", [{"width": 390, "height": 844}], indirect=True, ids=["phone"])
def test_on_a_phone_nothing_is_wider_than_the_screen_or_cut(page: Page):
    """On no tab, with everything unfolded."""
    found = {}
    for name in ("Compare", "Folders", "Findings", "Vocoders", "Blind tests", "Studies and results"):
        page.get_by_role("tab", name=name).click()
        page.wait_for_function(UNFOLDED)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
        found[name] = cut_texts(page)
    assert {name: texts for name, texts in found.items() if texts} == {}


def test_a_plan_is_simulated_and_drawn(page: Page):
    open_tab(page)
    page.get_by_label("CCR: compare two").check()
    difference = page.get_by_label("Difference to be found, points of CMOS")
    expect(difference).to_have_value("0.3")
    difference.fill("9")
    page.get_by_role("button", name="Simulate the plan").click()
    curve = page.locator("#study-curve")
    expect(curve).to_contain_text("allowed: above 0, up to 2 points of CMOS", timeout=90_000)
    difference.fill("1")
    page.get_by_role("button", name="Simulate the plan").click()
    appears(curve.get_by_role("img"), 240_000)
    assert curve.locator(".chart").evaluate("chart => chart.scrollWidth <= chart.clientWidth"), "the curve is cut"
    expect(curve).to_contain_text("raters x 12 clips")
    expect(curve).to_contain_text("200 simulated studies")
    page.get_by_label("ACR: rate outputs, 1 to 5").check()
    expect(page.get_by_label("Difference to be found, points of MOS")).to_have_value("0.3")
    expect(curve).not_to_contain_text("simulated studies")
