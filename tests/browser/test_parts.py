"""A long output can be heard from its first block on, while the rest is computed, and a run that plays takes the rest over."""

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

from tests.browser.comparing import PLAYER, choose, rendered, state, upload
from tests.browser.conftest import FEW_FRAMES, appears
from tests.signals import harmonic_tone

TITLE, ID = "HiFi-GAN, original", "hifigan-original"
RATE = 22_050
SECONDS = 10.0
PARTIAL = f"""() => {{
  const track = {PLAYER}.tracks.get('{ID}');
  return track?.spec.state === 'running' && track.buffer !== null;
}}"""


@pytest.fixture
def clip(tmp_path, request):
    """Another one for every test: what is known of a recording is there at once."""
    soundfile.write(tmp_path / "long.wav", harmonic_tone(SECONDS, 150.0 + len(request.node.name)), RATE)
    return tmp_path / "long.wav"


def begin(page, clip):
    upload(page, clip)
    choose(page, TITLE)
    page.get_by_role("button", name="Compare", exact=True).click()
    page.wait_for_function(PARTIAL, timeout=120_000)


def test_the_beginning_plays_before_the_end_is_there(page, clip):
    begin(page, clip)
    row = page.locator(f"#player .lab-row:has-text('{TITLE}')")
    expect(row.get_by_role("link")).to_have_count(0)  # nothing to save yet
    page.evaluate(f"{PLAYER}.select('{ID}'); {PLAYER}.setLoop([0, 4])")  # so that it plays until all is there
    page.evaluate(FEW_FRAMES)
    page.evaluate(f"{PLAYER}.transport.play()")
    appears(page.get_by_role("link", name="Everything (zip)"), 120_000)
    page.wait_for_function(f"() => {PLAYER}.settled")
    assert state(page)["selected"] == ID
    page.wait_for_function(
        f"() => {PLAYER}.transport.playback?.buffers.get('{ID}') === {PLAYER}.tracks.get('{ID}').buffer"
    )
    whole = rendered(page, switches=[[0, ID]], matched=False)
    assert np.abs(whole[-2 * RATE : -RATE]).max() > 0.01
    expect(row.get_by_role("link")).to_have_count(1)


def test_a_stopped_output_is_silent_again(page, clip):
    begin(page, clip)
    page.evaluate(f"{PLAYER}.select('{ID}')")
    page.get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_function(f"() => {PLAYER}.tracks.get('{ID}').spec.state === 'stopped'")
    assert state(page)["tracks"] == ["reference"]
    assert state(page)["selected"] == "reference"
    expect(page.locator("#player .lab-row").nth(1)).to_contain_text("Stopped")
