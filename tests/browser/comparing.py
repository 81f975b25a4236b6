"""What tests do with the Compare page."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser.conftest import appears, open_inputs
from tests.signals import harmonic_tone

SAMPLES = harmonic_tone(3.2)  # 1.6 s at 44.1 kHz
RATE = 44_100
FAST = ("Griffin-Lim, oracle", "Griffin-Lim from the mel")
NETWORK = "HiFi-GAN, original"
PLAYER = "document.querySelector('#player .lab-player').labPlayer"
# To wait for it with `SHOWN?.state`: undefined as long as there is none
SHOWN = PLAYER.replace(".labPlayer", "?.labPlayer")


def choose(page: Page, *titles: str) -> None:
    """Exactly these systems."""
    open_inputs(page)
    for title in titles:
        expect(page.locator("#systems").get_by_label(title, exact=True)).to_be_visible()  # one that was just added, too
    for box in page.locator("#systems label").all():
        checkbox = box.get_by_role("checkbox")
        checkbox.set_checked(box.inner_text().strip() in titles)


def upload(page: Page, path) -> None:
    open_inputs(page)
    page.locator("#recording input[type=file]").set_input_files(path)
    expect(page.locator("#recording .waveform-container")).to_be_visible()


def compare(page: Page, path, *titles: str) -> None:
    upload(page, path)
    choose(page, *titles)
    page.get_by_role("button", name="Compare", exact=True).click()
    appears(page.get_by_role("link", name="Everything (zip)"), 120_000)
    expect(page.locator("#player .lab-player")).to_have_attribute("data-ready", "1")


def state(page: Page) -> dict:
    return page.evaluate(f"{PLAYER}.state")


def rendered(page: Page, **options) -> np.ndarray:
    """The samples that the loudspeaker would get, from the player's own audio graph in an offline context."""
    return np.array(page.evaluate(f"async (o) => Array.from(await {PLAYER}.renderOffline(o))", options))


def is_drawn(page: Page, title: str) -> bool:
    """Whether the picture of a track has many colours in it."""
    canvas = page.get_by_role("img", name=title)
    expect(canvas).to_be_visible()
    colours = """c => new Set(new Uint32Array(
        c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"""
    return canvas.evaluate(colours) > 50
