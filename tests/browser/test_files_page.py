"""Files as phones, browsers and long songs are, given to the page."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect

from common.paths import ROOT
from tests.browser.comparing import choose, compare, upload
from tests.browser.conftest import appears, open_inputs
from tests.conftest import harmonic_tone
from ui.passage import chosen_passage
from vocoders.audio import SAMPLE_RATE
from vocoders.recordings.passage import Passage

FAST = "Griffin-Lim, oracle"
# A tone of 330 Hz through Chromium's own MediaRecorder, as the data of the file
RECORDED = """async () => {
  const context = new AudioContext();
  const oscillator = new OscillatorNode(context, { frequency: 330 });
  const destination = context.createMediaStreamDestination();
  oscillator.connect(new GainNode(context, { gain: 0.4 })).connect(destination);
  const recorder = new MediaRecorder(destination.stream, { mimeType: 'audio/webm;codecs=opus' });
  const parts = [];
  const stopped = new Promise((resolve) => { recorder.onstop = resolve; });
  recorder.ondataavailable = ({ data }) => parts.push(data);
  oscillator.start();
  recorder.start();
  await new Promise((resolve) => { setTimeout(resolve, 1500); });
  recorder.stop();
  await stopped;
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ''));
}"""


def test_a_phones_m4a_is_compared(page):
    compare(page, ROOT / "tests" / "audio_files" / "phone.m4a", FAST)
    expect(page.locator("#intake")).to_contain_text("MP4, mono, 22.05 kHz, 2.00 s: used as it is.")


def test_what_chromium_recorded_is_compared(page, tmp_path):
    content = base64.b64decode(page.evaluate(RECORDED))
    (tmp_path / "recorded.webm").write_bytes(content)
    compare(page, tmp_path / "recorded.webm", FAST)
    expect(page.locator("#intake")).to_contain_text("WebM, stereo, 48 kHz")


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """An MP3 of five minutes: fifteen tones of 20 s, the eleventh louder."""
    folder = tmp_path_factory.mktemp("song")
    tones = [np.tile(harmonic_tone(1.0, 100.0 + 20 * n), 20) * (0.9 if n == 10 else 0.3) for n in range(15)]
    soundfile.write(folder / "song.mp3", np.concatenate(tones), SAMPLE_RATE, format="MP3")
    return folder / "song.mp3"


def caption(page: Page):
    return page.locator(".lab-passage figcaption")


def test_a_passage_of_a_long_song_is_chosen_and_used(page, song):
    upload(page, song)
    expect(caption(page)).to_contain_text(" of 5:00 is used: 20.0 s of at most 20 s")
    assert 199 < float(page.get_by_label("Begins").input_value()) < 201
    page.get_by_label("Ends").press("Home")  # the earliest end; the beginning follows
    expect(caption(page)).to_contain_text("0:00 to 0:01 of 5:00 is used")
    page.get_by_label("Ends").fill("3")
    expect(caption(page)).to_contain_text("0:00 to 0:03 of 5:00 is used: 3.0 s")
    wave = page.locator(".lab-passage-wave").bounding_box()
    page.mouse.click(wave["x"] + wave["width"] / 2, wave["y"] + wave["height"] / 2)  # moves it there, at its length
    expect(caption(page)).to_contain_text("of 5:00 is used: 3.0 s")
    start = float(page.get_by_label("Begins").input_value())
    assert 147 < start < 150
    choose(page, FAST)
    page.get_by_role("button", name="Compare", exact=True).click()
    appears(page.get_by_role("link", name="Everything (zip)"), 120_000)
    expect(page.locator("#intake")).to_contain_text("MP3, mono, 22.05 kHz, 3.00 s from 2:2")
    open_inputs(page)
    page.locator("#recording").get_by_label("Clear").click()
    expect(page.locator(".lab-passage")).to_be_hidden()


def test_a_value_from_elsewhere_is_no_passage():
    right = {"file": "2ea0cb3ad17e4d2e", "start": 1.0, "end": 2.0, "seconds": 9.0}
    assert chosen_passage(right, "/another/path") is None
    for value in (None, "x", {}, {**right, "start": "1"}, {**right, "end": 0.5}, {**right, "end": 99}):
        assert chosen_passage(value, "/a") is None
    from ui.passage import _key

    assert chosen_passage({**right, "file": _key("/a")}, "/a") == Passage(1.0, 2.0)


def test_what_cannot_be_read_is_said_at_once(page, tmp_path):
    (tmp_path / "broken.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(2000))
    page.locator("#recording input[type=file]").set_input_files(tmp_path / "broken.m4a")
    expect(page.locator("#look")).to_contain_text("broken.m4a: the file is damaged or cut short")
