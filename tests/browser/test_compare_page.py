"""Whole paths through the Compare page, in Chromium; those that only play a comparison and look at it share one."""

from __future__ import annotations

import functools
import itertools
import json
import re
import zipfile

import numpy as np
import pytest
import soundfile
import torch
from playwright.sync_api import expect

from common.paths import ROOT
from tests.browser.comparing import (
    FAST,
    NETWORK,
    PLAYER,
    RATE,
    SAMPLES,
    SHOWN,
    choose,
    compare,
    is_drawn,
    rendered,
    state,
    upload,
)
from tests.browser.conftest import give_file, open_inputs, uploaded, wait_for_loop
from tests.conftest import harmonic_tone
from tests.waiting import until
from vocoders.catalogue import BUILT_IN

SUNG = ROOT / "assets" / "examples" / "sung_phrase_low.flac"
RANGE = "0 to 22 kHz, nothing in it above 11 kHz, 1.6 s"  # of a system of 22.05 kHz beside a recording of 44.1 kHz


@pytest.fixture
def clip(tmp_path):
    soundfile.write(tmp_path / "my clip.wav", SAMPLES, RATE)
    return tmp_path / "my clip.wav"


# [id of a system, {metric: its number as it is shown}] of every row, chosen columns or not
NUMBERS = """rows => rows.map((row) => [row.dataset.labPlays, Object.fromEntries([...row.querySelectorAll('td')].map((cell) => [
  cell.dataset.title.split(',')[0], cell.textContent.trim().replace(/ best$/, '')]))])"""


def test_from_upload_to_sound_pictures_numbers_and_files(comparison_page, tmp_path):
    page = comparison_page
    # what was done to the file
    expect(page.locator("#intake")).to_contain_text("44.1 kHz, 1.60 s: resampled to 22.05 kHz")
    # every picture, and the differences
    assert state(page)["tracks"] == ["reference", "griffin-lim-oracle", "griffin-lim", "hifigan-original"]
    assert is_drawn(page, "Spectrogram of Recording, 0 to 22 kHz, 1.6 s")
    for title in (*FAST, NETWORK):
        assert is_drawn(page, f"Spectrogram of {title}, {RANGE}")
    page.get_by_role("button", name="Difference").click()
    expect(page.locator("#player .lab-player")).to_have_attribute("data-ready", "1")
    for title in (*FAST, NETWORK):
        assert is_drawn(page, f"Difference in level between {title} and the recording, {RANGE}")
    # the table, with the oracle outside the competition
    table = page.get_by_role("region", name="Metrics").get_by_role("table")
    expect(table.get_by_role("row")).to_have_count(4)
    rows = {row.get_by_role("rowheader").inner_text().split("\n")[0]: row for row in table.get_by_role("row").all()[1:]}
    numbers = {name: float(row.get_by_role("cell").first.inner_text().split()[0]) for name, row in rows.items()}
    oracle = next(value for name, value in numbers.items() if name.startswith("Griffin-Lim, oracle"))
    assert oracle == min(numbers.values())
    expect(table.locator(".page-best").first).to_contain_text("best")
    # everything to take home
    with page.expect_download() as download:
        page.get_by_role("link", name="Everything (zip)").click()
    download.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        names = archive.namelist()
        results = json.loads(archive.read("results.json"))
    assert sum(name.endswith(".wav") for name in names) == 4
    assert results["metrics"]["griffin-lim-oracle"]["M-STFT"] == pytest.approx(oracle, abs=6e-4)
    # table and JSON hold the same metrics, and the same values as far as they are shown
    for system_id, row in table.locator("tr[data-lab-plays]").evaluate_all(NUMBERS):
        shown = {name: value for name, value in row.items() if name not in ("computing", "speed")}
        stored = results["metrics"][system_id]
        assert shown.keys() == {name for name in stored if name in shown or stored[name] is not None}
        for name, text in shown.items():
            if stored[name] is None:
                assert text == "n/a", name
            else:
                digits = len(text.partition(".")[2])
                assert float(text.replace("−", "-")) == pytest.approx(stored[name], abs=0.6 * 10**-digits), name


def test_switching_takes_is_gapless_and_sample_aligned(comparison_page):
    page = comparison_page
    assert state(page)["ready"]
    alone = {
        system_id: rendered(page, switches=[[0, system_id]], seconds=1.5)
        for system_id in ("reference", "griffin-lim-oracle", "griffin-lim")
    }
    # a track alone is its samples, matched in level
    gains = page.evaluate(f"{PLAYER}.value.tracks.map(t => t.gain_db)")
    start = slice(1000, 10_000)
    assert np.abs(alone["reference"][start] - SAMPLES[start] * 10 ** (gains[0] / 20)).max() < 1e-4
    # switching: outside the 6 ms ramps every sample is that of the track switched to
    switches = [[0, "reference"], [0.3, "griffin-lim"], [0.6, "griffin-lim-oracle"], [0.9, "reference"]]
    mixed = rendered(page, switches=switches, seconds=1.5)
    edges = [*(round(time * 44_100) for time, _ in switches), len(mixed)]
    for (_, system_id), begin, end in zip(switches, edges, edges[1:]):
        settled = slice(begin + (280 if begin else 0), end - 2)
        assert np.abs(mixed[settled] - alone[system_id][settled]).max() < 1e-6
    # and inside them the sound is a straight cross-fade: never outside the two tracks
    for (_, before), (time, after) in itertools.pairwise(switches):
        ramp = slice(round(time * 44_100), round(time * 44_100) + 280)
        low = np.minimum(alone[before][ramp], alone[after][ramp])
        high = np.maximum(alone[before][ramp], alone[after][ramp])
        assert (mixed[ramp] >= low - 1e-6).all()
        assert (mixed[ramp] <= high + 1e-6).all()


def test_raw_levels_are_the_files_samples(comparison_page):
    page = comparison_page
    raw = rendered(page, switches=[[0, "reference"]], seconds=1.0, matched=False)
    assert np.abs(raw[1000:10_000] - SAMPLES[1000:10_000]).max() < 2e-4  # 16 bit, twice
    gain = page.locator("#player .lab-chip").first
    expect(gain).to_contain_text("dB")
    page.get_by_role("button", name="Raw levels").click()
    assert state(page)["gains"]["reference"] == 1
    expect(gain).to_be_empty()
    page.get_by_text("Level and alignment: what loudness matching does").click()
    table = page.get_by_role("region", name="Levels").get_by_role("table")
    expect(table.get_by_role("row", name="Griffin-Lim from the mel")).to_contain_text("−23.0")


def test_the_keyboard_plays_switches_and_loops(comparison_page):
    page = comparison_page
    page.locator("#player").scroll_into_view_if_needed()
    page.keyboard.press("Space")
    page.wait_for_function(f"{PLAYER}.state.playing && {PLAYER}.state.time > 0.1")
    page.keyboard.press("3")
    assert state(page)["selected"] == "griffin-lim"
    page.keyboard.press("r")
    assert state(page)["selected"] == "reference"
    page.keyboard.press("m")
    assert state(page)["matched"] is False
    page.keyboard.press("l")
    a, b = state(page)["loop"]
    assert b - a >= 0.5
    wait_for_loop(page, f"{PLAYER}.state.time")
    assert a <= state(page)["time"] <= b
    page.keyboard.press("Space")
    page.wait_for_function(f"!{PLAYER}.state.playing")


def test_a_region_of_a_spectrogram_is_looped_by_dragging(comparison_page):
    page = comparison_page
    picture = page.get_by_role("img", name="Spectrogram of Griffin-Lim from the mel")
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.2, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, y, steps=5)
    page.mouse.up()
    assert state(page)["loop"] == pytest.approx([0.2 * 1.6, 0.7 * 1.6], abs=0.05)


def test_a_row_of_the_table_leads_to_its_sound(comparison_page):
    page = comparison_page
    page.get_by_role("region", name="Metrics").get_by_role(
        "button", name="Griffin-Lim from the mel", exact=True
    ).click()
    page.wait_for_function(f"{PLAYER}.state.playing")
    assert state(page)["selected"] == "griffin-lim"


def test_results_appear_one_by_one_and_can_be_stopped(page):
    upload(page, SUNG)
    choose(page, "Griffin-Lim from the mel", NETWORK, "HiFi-GAN, bridged")
    page.get_by_role("button", name="Compare", exact=True).click()
    page.wait_for_function(f"{SHOWN}?.state.tracks.includes('griffin-lim')")
    assert "hifigan-original-bridged" not in state(page)["tracks"]
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#player")).to_contain_text("Stopped after")
    left = page.locator("#player .lab-row[data-state=stopped]")
    expect(left.first).to_contain_text("Stopped")
    expect(page.locator("#player .lab-row[data-state=failed]")).to_have_count(0)  # which would look like a fault
    expect(page.get_by_role("button", name="Griffin-Lim from the mel").first).to_be_enabled()


def test_a_click_during_a_comparison_starts_the_new_one(page, tmp_path):
    soundfile.write(tmp_path / "long.wav", harmonic_tone(7.0, seed=3), 22_050)
    start = page.get_by_role("button", name="Compare", exact=True)
    upload(page, tmp_path / "long.wav")
    choose(page, *FAST, NETWORK, "HiFi-GAN, bridged")
    start.click()
    page.wait_for_function(f"{SHOWN}?.state.tracks.length >= 2")
    choose(page, FAST[0])
    # The page closes the stream of events when every comparison has ended, the replaced ones too
    with page.expect_event("requestfailed", lambda request: "/queue/data" in request.url, timeout=60_000):
        start.click()
        start.click()  # impatiently
    expect(page.locator("#player .lab-status-text")).to_have_text("1 system ready")
    expect(page.locator("#player .lab-player")).to_have_attribute("data-ready", "1")
    assert state(page)["tracks"] == ["reference", "griffin-lim-oracle"]
    expect(page.locator("#message")).to_be_empty()


def test_a_bad_file_gets_a_sentence_and_the_page_goes_on(page, tmp_path, clip):
    (tmp_path / "letter.wav").write_text("Dear vocoder,")
    give_file(page, "#recording", tmp_path / "letter.wav")
    choose(page, *FAST)
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator("#message").get_by_role("alert").filter(has_text="not a WAV, FLAC, MP3")).to_be_visible()
    page.get_by_role("button", name="Sung phrase, high voice (synthetic)").click()
    expect(page.get_by_role("link", name="Everything (zip)")).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="not a WAV")).to_have_count(0)


def test_the_microphone_records(page):
    page.get_by_label("Record audio").click()
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.locator("#recording time.duration").first).to_have_text(re.compile(r"0:0[2-9]"))
    with uploaded(page):
        page.get_by_role("button", name="Stop", exact=True).first.click()
    choose(page, *FAST)
    expect(page.locator("#recording .waveform-container")).to_be_visible()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("link", name="Everything (zip)")).to_be_visible()


def test_an_own_checkpoint_joins_the_comparison(page, jik876, clip):
    page.get_by_role("tab", name="Vocoders").click()
    expect(page.locator("#catalogue article")).to_have_count(len(BUILT_IN))
    with uploaded(page):
        page.locator("#own-files input[type=file]").set_input_files([jik876, jik876.parent / "config.json"])
    hw2 = page.get_by_role("radio", name="hw2 (torchaudio, log power)")
    expect(hw2).to_be_visible()  # the file is looked at first
    hw2.check()  # of an untrained one no trial could tell
    page.get_by_role("button", name="Add to the comparison").click()
    expect(page.get_by_text("Your g_00000010 is now among the systems to compare.")).to_be_visible()
    page.get_by_role("tab", name="Compare").click()
    compare(page, clip, "Your g_00000010")
    assert state(page)["tracks"] == ["reference", "own-g_00000010"]


def test_a_malicious_checkpoint_is_refused(page, jik876):
    torch.save({"generator": print}, jik876)
    page.get_by_role("tab", name="Vocoders").click()
    page.locator("#own-files input[type=file]").set_input_files([jik876, jik876.parent / "config.json"])
    expect(page.locator("#own-found")).to_contain_text("is not a plain tensor checkpoint")
    page.get_by_role("button", name="Add to the comparison").click()
    expect(page.locator("#own-message")).to_contain_text("is not a plain tensor checkpoint")


def test_every_control_has_a_name(comparison_page):
    page = comparison_page
    nameless = """() => [...document.querySelectorAll('#player button, #player a, #player input, #player canvas')]
        .filter(e => e.checkVisibility() && !(e.getAttribute('aria-label') || e.textContent.trim()))
        .map(e => e.outerHTML)"""
    assert page.evaluate(nameless) == []


def test_one_tab_sounds_at_a_time(comparison_page):
    page = comparison_page
    other = page.context.new_page()
    other.goto(f"{page.url}healthz")
    page.bring_to_front()
    page.evaluate(f"{PLAYER}.setLoop([0, 1])")
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(f"{PLAYER}.state.playing")
    other.evaluate("new BroadcastChannel('lab-sound').postMessage('a player starts')")  # a hidden tab does not play
    page.wait_for_function(f"!{PLAYER}.state.playing")
    other.close()


def test_the_player_and_the_preview_of_the_recording_silence_each_other(comparison_page):
    page = comparison_page
    open_inputs(page)
    preview = page.locator("#recording button[aria-label^=Pause], #recording button[aria-label^=Play]")
    page.evaluate(f"{PLAYER}.setLoop([0, 1]), {PLAYER}.transport.play()")
    page.wait_for_function(f"{PLAYER}.state.playing")
    preview.click()
    page.wait_for_function(f"!{PLAYER}.state.playing")
    expect(preview).to_have_attribute("aria-label", re.compile("^Pause"))
    page.evaluate(f"{PLAYER}.transport.play()")
    expect(preview).to_have_attribute("aria-label", re.compile("^Play"))
    page.wait_for_function(f"{PLAYER}.state.playing")
    page.evaluate(f"{PLAYER}.transport.pause()")
    steps = page.locator("#recording button[aria-label^='Skip ']").evaluate_all("all => all.map((b) => b.ariaLabel)")
    assert [re.sub(r"\d+(\.\d)?", "N", step) for step in steps] == [
        "Skip backwards by N seconds",
        "Skip forward by N seconds",
    ]
    page.locator("#inputs > button").click()  # folded, as the other tests find them
    expect(preview).to_be_hidden()


def test_the_pitch_panel_leads_to_a_time_and_keys_can_be_switched_off(comparison_page):
    page = comparison_page
    contour = page.get_by_role("img", name="F0 of the recording")
    box = contour.bounding_box()
    assert box
    contour.click(position={"x": box["width"] / 2, "y": 20})
    assert state(page)["time"] == pytest.approx(0.8, abs=0.02)
    expect(page.locator(".page-pitch .page-playhead").first).to_be_visible()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_role("checkbox", name="Single keys work").uncheck()
    page.keyboard.press("d")
    page.keyboard.press("Escape")
    expect(page.get_by_role("checkbox", name="Single keys work")).to_be_hidden()
    assert state(page)["view"] == "spectrogram"
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_role("checkbox", name="Single keys work").check()
    page.get_by_role("checkbox", name="Single keys work").blur()
    page.keyboard.press("d")
    page.wait_for_function(f"{PLAYER}.state.view === 'difference'")


PLOT = """() => {
  const plot = document.querySelector('.page-pitch .page-plot').getBoundingClientRect();
  const { left, width } = document.querySelector('.page-pitch svg').getBoundingClientRect();
  const playhead = document.querySelector('.page-pitch .page-playhead');
  return { left: plot.left, width: plot.width, top: plot.top, drawing: [(left - plot.left) / plot.width, width / plot.width],
    playhead: playhead.hidden ? null : (playhead.getBoundingClientRect().left - plot.left) / plot.width,
    ticks: [...document.querySelectorAll('.page-pitch .page-ticks span')].map((tick) => tick.textContent) };
}"""


def test_the_pitch_panel_shows_the_part_that_the_player_is_zoomed_to(comparison_page):
    page = comparison_page

    def zoomed(zoom: str) -> dict:
        page.evaluate(f"{PLAYER}.setZoom({zoom})")
        expect(page.locator("#player .lab-player")).to_have_attribute("data-ready", "1")
        return page.evaluate(PLOT)

    whole = zoomed("null")
    assert whole["drawing"] == pytest.approx([0, 1], abs=0.003)
    assert (whole["ticks"][0], whole["ticks"][-1]) == ("0.0 s", "1.4")
    page.evaluate(f"{PLAYER}.seek(0.6)")
    part = zoomed("[0.4, 1.2]")
    assert part["drawing"] == pytest.approx([-0.5, 2], abs=0.005)  # of 1.6 s every 0.8 s fill the plot
    assert part["playhead"] == pytest.approx(0.25, abs=0.005)
    assert float(part["ticks"][0].removesuffix(" s")) == pytest.approx(0.4, abs=0.05)
    assert float(part["ticks"][-1]) == pytest.approx(1.15, abs=0.06)
    strips = page.locator(".page-pitch svg").evaluate_all("all => all.map((svg) => svg.getBoundingClientRect().width)")
    assert max(strips) - min(strips) < 3  # borders
    page.locator(".page-pitch").scroll_into_view_if_needed()
    plot = page.evaluate(PLOT)
    page.mouse.click(plot["left"] + 0.75 * plot["width"], plot["top"] + 20)
    assert state(page)["time"] == pytest.approx(1.0, abs=0.02)
    assert zoomed("[0.2, 0.6]")["playhead"] is None  # the playhead is elsewhere
    assert zoomed("null")["drawing"] == pytest.approx([0, 1], abs=0.003)


def test_what_plays_is_marked_where_it_is_read_about(comparison_page):
    page = comparison_page

    def marked() -> list[str]:
        texts = page.locator("[data-lab-plays][aria-current=true]:visible").all_inner_texts()
        return [text.split("\n")[0].split("\t")[0].strip() for text in texts]

    def is_marked(title: str, places: int) -> bool:
        return [text.startswith(title) for text in marked()] == [True] * places

    levels = page.get_by_role("region", name="Levels")
    if not levels.is_visible():  # one page for all tests
        page.get_by_role("button", name="Level and alignment").click()
    expect(levels).to_be_visible()
    assert marked() == []
    page.evaluate(f"{PLAYER}.setLoop([0, 1])")
    page.locator("#player").get_by_role("button", name="Play", exact=True).click()
    for key, where in (
        ("2", 3),
        ("3", 3),
        ("1", 2),
    ):  # table, pitch and levels; the recording is no row of the first one
        page.keyboard.press(key)
        page.wait_for_function(
            f"{PLAYER}.state.playing && {PLAYER}.state.selected === {PLAYER}.state.tracks[{key} - 1]"
        )
        title = page.locator("#player .lab-row .lab-title").nth(int(key) - 1).inner_text()
        until(functools.partial(is_marked, title, where), f"{title} is marked")
        expect(page.locator("[data-lab-plays][aria-current=true]")).to_have_count(where)
    sign = page.locator(".page-strip[aria-current=true] b").evaluate("b => getComputedStyle(b, '::before').content")
    assert "▶" in sign
    page.keyboard.press("Space")
    expect(page.locator("[data-lab-plays][aria-current=true]")).to_have_count(0)
