"""The report of `eval compare`, opened as a file."""

import re

import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize("width", [1280, 390])
def test_the_report_is_one_file_and_shows_what_it_should(compared, browser, width):
    out, _ = compared
    text = (out / "report.html").read_text()
    assert not re.findall(r'(?:src|href)="(?!data:)', text)
    page, problems = browser.new_page(viewport={"width": width, "height": 900}), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda request: problems.append(request.url[:80]))
    page.goto((out / "report.html").as_uri())
    assert page.get_by_role("heading", level=1).inner_text() == "2 systems, 6 clips, 0.1 minutes"
    assert page.locator("svg circle title").count() >= 6 * 2 * 3
    assert page.locator("audio").count() == 2 * 2 * 2
    duration = page.locator("audio").first.evaluate(
        "a => new Promise(r => { a.preload = 'auto'; a.onloadedmetadata = () => r(a.duration); a.load(); })"
    )
    assert duration == pytest.approx(0.8, abs=0.1)
    assert page.get_by_text("voice0/bad").first.is_visible()
    texts = page.locator(".chart text").evaluate_all(
        "all => all.map((text) => text.getBoundingClientRect()).map(({ left, right, height }) => [left, right, height])"
    )
    assert len(texts) > 20
    assert min(height for _, _, height in texts) > 12, "px, on every screen"
    assert min(left for left, _, _ in texts) >= 0
    assert max(right for _, right, _ in texts) <= width
    needed, given = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert needed <= given
    page.close()
    assert problems == []


def test_its_table_shows_a_few_columns_the_others_at_a_click_and_cards_on_a_phone(compared, browser):
    out, _ = compared
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((out / "report.html").as_uri())
    region = page.get_by_role("region", name="Means")
    head = region.get_by_role("columnheader", name="M-STFT")
    expect(head).to_contain_text("n = 6 of 7")
    expect(region.get_by_role("columnheader", name="parameters")).to_be_hidden()
    fits = "e => e.scrollWidth <= e.clientWidth"
    assert region.evaluate(fits)
    page.get_by_role("button", name="Cost", exact=True).click()
    expect(region.get_by_role("columnheader", name="parameters")).to_be_visible()
    expect(head).to_be_hidden()
    expect(region.get_by_text("none", exact=True)).to_have_count(2)
    page.get_by_text("What the columns mean").click()
    expect(page.get_by_text("Numbers that were trained")).to_be_visible()
    page.get_by_text("What the rows are").click()
    expect(page.get_by_text("A bound, not a mel vocoder.")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="All", exact=True).click()
    edges = page.locator(".page-metrics td").evaluate_all("all => all.map(e => e.getBoundingClientRect().right)")
    assert len(edges) >= 2 * 6
    assert max(edges) <= 390
    page.close()
