"""A page that nobody uses does no work."""

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.waiting import until

COUNT = """
window.asked = 0;
window.nextFrame = window.requestAnimationFrame;
window.requestAnimationFrame = (callback) => { window.asked += 1; return window.nextFrame(callback); };
"""
RESTS = """async () => {
  const before = window.asked;
  for (let frame = 0; frame < 30; frame += 1) await new Promise((next) => window.nextFrame(next));
  return window.asked === before;
}"""


@pytest.mark.parametrize(("path", "shown"), [("/", "Compare"), ("/rate/?study=none", "There is no listening test")])
def test_a_page_that_is_loaded_asks_for_no_frames(context: BrowserContext, app_url: str, path: str, shown: str):
    page = context.new_page()
    page.add_init_script(COUNT)
    page.goto(f"{app_url}{path}")
    expect(page.get_by_text(shown).first).to_be_visible()
    until(lambda: page.evaluate(RESTS), "nothing asks for frames", patience=30)
    page.close()
