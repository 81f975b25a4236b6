"""The page for programs: reached from the foot of the lab, and from where Gradio's panel was."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import cut_texts, violations


def test_the_foot_of_the_page_leads_to_what_programs_need(page: Page, app_url: str):
    page.get_by_role("link", name="Use the lab from Python").click()
    expect(page.get_by_role("heading", name="The lab for programs")).to_be_visible()
    expect(page).to_have_url(f"{app_url}/api")
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == []
    page.get_by_role("link", name="Open the lab").click()
    expect(page.get_by_role("tab", name="Compare")).to_be_visible()
    page.goto(f"{app_url}/?view=api")  # an old link
    expect(page.get_by_role("heading", name="The lab for programs")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen_or_cut(page: Page, app_url: str, width: int):
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{app_url}/api")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert cut_texts(page) == []
