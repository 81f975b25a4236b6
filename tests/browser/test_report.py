"""The report of `eval compare`, opened as a file."""

import re

import pytest


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
    needed, given = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert needed <= given
    page.close()
    assert problems == []
