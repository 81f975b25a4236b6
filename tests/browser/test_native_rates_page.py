"""Tracks of several rates on the Compare page: played in step to the sample, drawn on one axis, and what is not in them is marked."""

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect

from eval.metrics.alignment import align
from tests.browser.comparing import FAST, choose, rendered, state, upload
from tests.browser.test_made_elsewhere_page import PHONE, WIDE, give, start
from vocoders.audio import Waveform

RATE, SECONDS = 44_100, 1.5


@pytest.fixture
def files(tmp_path):
    """A recording at 44.1 kHz, and copies of it at 48, 44.1 and 16 kHz."""
    time = np.arange(round(SECONDS * RATE)) / RATE
    noise = np.random.default_rng(0).normal(0, 0.05, len(time)) * np.hanning(len(time))
    song = Waveform((0.2 * np.sin(2 * np.pi * 220 * time) + noise).astype(np.float32), RATE)
    for name, rate in (("song", RATE), ("full", RATE), ("higher", 48_000), ("low", 16_000)):
        soundfile.write(tmp_path / f"{name}.wav", song.at(rate), rate, subtype="PCM_24")
    return tmp_path


@pytest.mark.parametrize("page", [WIDE, PHONE], indirect=True, ids=["wide", "phone"])
def test_what_is_above_a_tracks_highest_frequency_is_marked(page: Page, files):
    upload(page, files / "song.wav")
    choose(page, FAST[0])
    give(page, files / "full.wav", files / "low.wav")
    start(page)
    rows = {row.locator(".lab-title").inner_text(): row for row in page.locator("#player .lab-row").all()}
    marked = {title: row.get_by_text("not in it").is_visible() for title, row in rows.items()}
    assert marked == {"Recording": False, "full": False, "low": True, FAST[0]: True}
    page.get_by_role("img", name="Spectrogram of low, 0 to 22 kHz, nothing in it above 8 kHz, 1.5 s").wait_for()
    page.get_by_role("button", name="Linear").click()
    expect(page.locator("#player .lab-player")).to_have_attribute("data-ready", "1")
    absent, lane = (rows["low"].locator(name).bounding_box() for name in (".lab-absent", ".lab-lane"))
    assert absent["height"] / lane["height"] == pytest.approx(1 - 8_000 / 22_050, abs=0.02)
    page.get_by_role("button", name="Difference").click()
    expect(page.get_by_role("img", name="between full and the recording, 0 to 22 kHz, 1.5 s")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_tracks_of_several_rates_are_in_step_to_the_sample(page: Page, files):
    """Web Audio resamples to the highest rate: no delay, and no more than a sample of length."""
    upload(page, files / "song.wav")
    choose(page, FAST[0])
    give(page, files / "higher.wav", files / "low.wav")
    start(page)
    assert page.evaluate("document.querySelector('#player .lab-player').labPlayer.rate") == 48_000
    sounds = {name: rendered(page, switches=[[0, name]], matched=False) for name in state(page)["tracks"]}
    assert {len(sound) for sound in sounds.values()} == {round(SECONDS * 48_000)}
    for name in ("file-higher", "file-low"):
        place = align(sounds["reference"], sounds[name], 48_000)
        assert (place.delay, place.left) == (0, 0)
    mixed = rendered(page, switches=[[0, "reference"], [0.5, "file-low"], [1.0, "file-higher"]], matched=False)
    edges = np.array([0, 24_000, 48_000, len(mixed)])
    for name, begin, end in zip(("reference", "file-low", "file-higher"), edges, edges[1:]):
        settled = slice(begin + 300, end - 2)
        assert np.abs(mixed[settled] - sounds[name][settled]).max() < 1e-6
