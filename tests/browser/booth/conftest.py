"""The booth of the rating page in Chromium, against the server of `tests.browser.rating_booth`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import clear_storage
from tests.browser.rating_booth import Server, opened, ready, serving


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Server, str]]:
    server = Server()
    with serving(server) as url:
        yield server, url


@pytest.fixture
def server(running) -> Server:
    running[0].calls.clear()
    return running[0]


@pytest.fixture(scope="module")
def english(browser: Browser, running) -> Iterator[tuple[Page, list[str]]]:
    """One page for all tests, and the exceptions in it: what it has compiled of itself it need not compile again."""
    with opened(browser, "en-GB") as found:
        yield found


@pytest.fixture
def page(english, running) -> Iterator[Page]:
    """As of a listener who is new, once an address is opened in it."""
    page, problems = english
    problems.clear()
    clear_storage(page, running[1])
    yield page
    assert problems == []


@pytest.fixture
def visit(running, server, page):
    """Opens a study; `joined` also gives consent."""

    def visit(study: str, joined: bool = True) -> Page:
        page.goto(f"{running[1]}/rate/?study={study}")
        if joined:
            page.get_by_role("checkbox").check()
            page.get_by_role("button", name="Begin").click()
            ready(page)
        return page

    return visit
