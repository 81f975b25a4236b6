"""What counts as heard, and of which sound."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page


def coverage(page: Page, script: str):
    return page.evaluate(
        "async ([url, script]) => { const c = await import(url); return new Function('c', script)(c); }",
        [page.url.replace("languages/en.json", "playback/coverage.js"), f"return {script};"],
    )


@pytest.fixture
def blank(running, page) -> Page:
    """A page of the same origin with nothing on it."""
    page.goto(f"{running[1]}/rate/gradio_api/file=assets/listening/languages/en.json")
    return page


def test_coverage_is_the_union_of_what_sounded(blank):
    assert coverage(blank, "c.union([[2, 3], [0, 1], [0.5, 1.5], [3, 4]])") == [[0, 1.5], [2, 4]]
    assert coverage(blank, "c.total([[0, 1], [0.5, 1.5], [0, 1]])") == 1.5
    run = "{rate: 100, startFrame: 1000, offsetFrame: 50, firstFrame: 0, frames: 200, loops: false}"
    assert coverage(blank, f"c.played({run}, 9, 10)") == []  # scheduled, not yet sounding
    assert coverage(blank, f"c.played({run}, 9.5, 10.5)") == [[0.5, 1]]
    assert coverage(blank, f"c.played({run}, 11, 20)") == [[1.5, 2]]  # the clip ends
    loop = "{rate: 100, startFrame: 0, offsetFrame: 50, firstFrame: 100, frames: 100, loops: true}"
    assert coverage(blank, f"c.played({loop}, 0, 0.25)") == [[1.5, 1.75]]
    assert coverage(blank, f"c.played({loop}, 0.25, 0.75)") == [[1.75, 2], [1, 1.25]]  # over the seam
    assert coverage(blank, f"c.played({loop}, 0, 7)") == [[1, 2]]


def test_coverage_belongs_to_the_audible_slot(blank):
    run = "{rate: 100, startFrame: 0, offsetFrame: 0, firstFrame: 0, frames: 400, loops: false}"
    pieces = f"c.heard({run}, [[0, 0], [1, 2], [2, 0]], 0.5, 2.5)"
    assert coverage(blank, pieces) == [[0, [0.5, 1]], [2, [1, 2]], [0, [2, 2.5]]]
    book = f"(() => {{ const book = new c.Coverage(3, 4); book.add({pieces}); return [book.slots, book.of(0), "
    book += "book.missing(0, 2), book.missing(1, 9), book.missing(2, 1)]; })()"
    assert coverage(blank, book) == [[[[0.5, 1], [2, 2.5]], [], [[1, 2]]], 1, 1, 4, 0]
