"""A comparison that was sent, opened from disk on a machine without a network."""

import functools
import itertools
import random
import threading
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile
from markupsafe import Markup
from playwright.sync_api import Browser, Locator, expect

from eval.compare.measurement import Row
from eval.compare.summary import summarise
from eval.reports.comparison import write_report
from eval.reports.player.clips import write_clips
from eval.reports.player.media import png_as, wav_as
from eval.reports.player.page import Facts, shared_page
from server.results import ResultStore
from tests.signals import harmonic_tone
from tests.waiting import until
from ui.compare.job import CompareJob
from ui.compare.metric_table import metric_table
from vocoders.audio import SAMPLE_RATE, Recording, write_wav
from vocoders.catalogue import find_systems

HOSTILE = "\"'><img src=nowhere onerror=ran=1></script><script>ran=1</script>${7*7}"
IDS = ("griffin-lim-oracle", "griffin-lim")
TITLES = ("Griffin-Lim, oracle", "Griffin-Lim from the mel")
PLAYER = "document.querySelector('.lab-player').labPlayer"


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    """(the folder of its files, the last view)."""
    folder = ResultStore(tmp_path_factory.mktemp("results")).new()
    job = CompareJob(
        Recording(HOSTILE, harmonic_tone(1.6), "WAV."), find_systems(",".join(IDS)), folder, residuals=True
    )
    *_, view = job.run(threading.Event())
    return folder, view


@pytest.fixture
def write(comparison, tmp_path):
    """Writes the file to send; returns its address."""
    folder, view = comparison

    def read(kind, url, economy):
        path = folder.path / url.rpartition("/")[2]
        return wav_as(path, economy) if kind == "audio" else png_as(path.read_bytes(), economy)

    def written(blind: bool = False, **options) -> str:
        made = datetime(2026, 11, 29, tzinfo=timezone.utc)
        facts = Facts(HOSTILE, "WAV.", made, "abc", {"torch": "2"}, Markup(metric_table(view.outputs)))
        order = random.Random(1) if blind else None
        (tmp_path / "sent.html").write_bytes(shared_page(view.player, read, facts, order, **options))
        return (tmp_path / "sent.html").as_uri()

    return written


@pytest.fixture
def opened(browser: Browser):
    """Opens an address offline, in a page that may ask for nothing but itself and may complain of nothing."""
    problems: list[str] = []
    contexts = []

    def page_of(address: str, **options):
        context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(f"exception: {error}"))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on(
            "request", lambda r: None if r.url.startswith(("blob:", "file:")) else problems.append(f"asked for {r.url}")
        )
        page.goto(address)
        expect(page.locator(".lab-player")).to_have_attribute("data-ready", "1")
        return page

    yield page_of
    for context in contexts:
        context.close()
    missing = "Failed to load resource: net::ERR_FILE_NOT_FOUND"  # what a test removed
    assert [problem for problem in problems if problem != missing] == []


def fetch(address: str) -> bytes:
    return Path(urlsplit(address).path).read_bytes()


def rendered(page, **options) -> np.ndarray:
    return np.array(page.evaluate(f"async (o) => Array.from(await {PLAYER}.renderOffline(o))", options))


def wait_for(page, state: str) -> None:
    """Not by `wait_for_function`: it evaluates text in the page, which the page's policy forbids. {0}: the player again."""
    until(lambda: page.evaluate(f"{PLAYER}.{state.format(PLAYER)}"), state)


def test_switching_is_gapless_and_every_sample_is_the_files(opened, write, comparison):
    page, (folder, view) = opened(write()), comparison
    gains = {track["id"]: track["gain_db"] for track in view.player["tracks"]}
    alone = {name: rendered(page, switches=[[0, name]], seconds=1.5) for name in ("reference", *IDS)}
    for name, heard in alone.items():
        (path,) = folder.path.glob(f"*__{name}.wav")
        wanted = soundfile.read(path)[0][: len(heard)] * 10 ** (gains[name] / 20)
        assert np.abs(heard - wanted).max() < 1e-5
    switches = [[0, "reference"], [0.3, "griffin-lim"], [0.6, "griffin-lim-oracle"], [0.9, "reference"]]
    mixed = rendered(page, switches=switches, seconds=1.5)
    edges = [*(round(time * SAMPLE_RATE) for time, _ in switches), len(mixed)]
    for (_, name), begin, end in zip(switches, edges, edges[1:]):
        settled = slice(begin + (140 if begin else 0), end - 2)
        assert np.abs(mixed[settled] - alone[name][settled]).max() < 1e-6
    for (_, before), (time, after) in itertools.pairwise(switches):
        ramp = slice(round(time * SAMPLE_RATE), round(time * SAMPLE_RATE) + 140)
        low, high = (
            np.minimum(alone[before][ramp], alone[after][ramp]),
            np.maximum(alone[before][ramp], alone[after][ramp]),
        )
        assert ((mixed[ramp] >= low - 1e-6) & (mixed[ramp] <= high + 1e-6)).all()


def test_it_plays_and_its_table_leads_to_the_sound(opened, write):
    page = opened(write())
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    assert page.evaluate("typeof window.ran === 'undefined' && !document.querySelector('[onerror]')")
    page.keyboard.press("l")  # the clip is short, and machines are busy
    page.keyboard.press("Space")
    wait_for(page, "state.playing && {0}.state.time > 0.1")
    page.get_by_role("region", name="Metrics").get_by_role("button", name=TITLES[1], exact=True).click()
    assert page.evaluate(f"{PLAYER}.state.selected") == IDS[1]
    assert page.evaluate(f"{PLAYER}.state.playing"), "the sound went on"
    with page.expect_download() as download:
        page.get_by_role("link", name=f"Download {TITLES[1]}", exact=True).click()
    assert download.value.suggested_filename.endswith("__griffin-lim.flac")


def test_a_blind_file_shows_names_at_a_click_while_the_sound_goes_on(opened, write):
    page = opened(write(blind=True))
    assert page.evaluate(f"{PLAYER}.state.tracks") == ["reference", "A", "B"]
    for title in TITLES:
        expect(page.get_by_text(title)).to_have_count(0)
    expect(page.get_by_text("Shown with the names")).to_have_count(2)
    expect(page.get_by_role("table")).to_have_count(0)
    expect(page.locator(".lab-chip:visible, .lab-download:visible")).to_have_count(0)
    page.keyboard.press("2")
    page.keyboard.press("l")  # the clip is short, and machines are busy
    page.keyboard.press("Space")
    wait_for(page, "state.playing && {0}.state.time > 0.1")
    page.get_by_role("button", name="Reveal the names").click()
    expect(page.get_by_role("button", name="Reveal the names")).to_have_count(0)
    assert page.evaluate(f"{PLAYER}.state.playing")
    expect(page.locator(".lab-player")).to_have_attribute("data-ready", "1")
    shown = page.locator(".lab-row .lab-title").all_inner_texts()
    assert sorted(title.partition(" · ")[2] for title in shown if "−" not in title) == ["", *sorted(TITLES)]
    assert sum(title.endswith("− recording") for title in shown) == 2
    link = page.get_by_role("region", name="Metrics").get_by_role("button", name=TITLES[0], exact=True)
    link.click()
    selected = page.evaluate(f"{PLAYER}.state.selected")
    expect(page.locator(".lab-audible .lab-title")).to_have_text(
        f"{selected} · {TITLES[0]}"
    )  # painted in the next frame


def test_opus_is_decoded_in_lock_step(opened, write):
    lossy_pictures = fetch(write(max_bytes=len(fetch(write())) - 1))
    page = opened(write(max_bytes=len(lossy_pictures) - 1))
    expect(page.get_by_text("The sound is Opus")).to_be_visible()
    first, second = (rendered(page, switches=[[0, name]], seconds=1.5, matched=False) for name in ("reference", IDS[0]))
    lag = int(np.fft.irfft(np.fft.rfft(first, 65_536) * np.conj(np.fft.rfft(second, 65_536))).argmax())
    assert lag in (0, 1, 65_535), "all tracks have the codec's delay, or none"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_light_and_dark(browser, write, scheme):
    page = browser.new_page(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page.goto(write(blind=True))
    expect(page.locator(".lab-player")).to_have_attribute("data-ready", "1")
    page.get_by_role("button", name="Reveal the names").click()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    colour = page.evaluate("getComputedStyle(document.querySelector('.lab-body')).backgroundColor")
    assert (sum(map(int, colour[4:-1].split(","))) < 200) == (scheme == "dark")
    page.close()


def test_its_table_shows_a_few_columns_the_others_at_a_click_and_cards_on_a_phone(opened, write):
    for blind in (False, True):
        page = opened(write(blind=blind))
        if blind:
            page.get_by_role("button", name="Reveal the names").click()
        table = page.get_by_role("region", name="Metrics").get_by_role("table")
        one, other = (table.get_by_role("columnheader", name=name) for name in ("M-STFT", "log-mel L1"))
        expect(one).to_be_visible()
        expect(other).to_be_hidden()
        page.get_by_role("button", name="Spectrum", exact=True).click()
        expect(other).to_be_visible()
        expect(page.get_by_role("button", name="Spectrum", exact=True)).to_have_attribute("aria-pressed", "true")
        meaning = page.get_by_text("Mean error of the log-power hw2 mel")
        expect(meaning).to_be_hidden()
        page.get_by_text("What the columns mean").click()
        expect(meaning).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="All", exact=True).click()
    assert outside(page.locator(".page-metrics"), "td", 390) == []


def outside(holder: Locator, what: str, width: int) -> list[str]:
    """Texts of those elements that reach out of a window of that width."""
    edges = "all => all.map(e => [e.getBoundingClientRect().left, e.getBoundingClientRect().right, e.textContent])"
    return [text for left, right, text in holder.locator(what).evaluate_all(edges) if left < 0 or right > width]


def test_clips_of_a_report_beyond_its_size_are_beside_it_and_loaded_from_disk(opened, tmp_path, monkeypatch):
    bounded = functools.partial(write_clips, max_clips=2, max_inside_bytes=150_000)
    monkeypatch.setattr("eval.reports.comparison.write_clips", bounded)
    out, rows, sources = tmp_path / "out", [], {}
    for number, name in enumerate((HOSTILE, "second", "third")):
        sources[name] = tmp_path / f"{number}.wav"
        write_wav(sources[name], harmonic_tone(0.6, 150 * (number + 1)))
        write_wav(out / IDS[1] / f"{name}.wav", 0.5 * harmonic_tone(0.6, 150 * (number + 1)))
        rows.append(Row(name, IDS[1], 0.6, 0.1, {"M-STFT": (2.0, 3.0, 1.0)[number]}))
    summary = summarise(rows, ["M-STFT"], IDS[1], {})
    write_report(out / "report.html", rows, summary, find_systems(IDS[1]), sources, out)
    assert [path.name for path in (out / "report-clips").iterdir()] == ["0.js"]
    page = opened((out / "report.html").as_uri())
    assert page.get_by_label("Clip", exact=True).locator("option").all_inner_texts() == ["second", "third"], (
        "the worst and the best"
    )
    expect(page.get_by_text("the outputs of 1 more lie beside")).to_be_visible()
    assert page.evaluate(f"{PLAYER}.value.session") == "third", "which is inside"
    first = rendered(page, switches=[[0, IDS[1]]], seconds=0.5)
    page.get_by_label("Clip", exact=True).select_option("second")
    wait_for(page, "value.session === 'second' && {0}.state.ready")
    second = rendered(page, switches=[[0, IDS[1]]], seconds=0.5)
    assert np.abs(first - second).max() > 0.01
    (out / "report-clips" / "0.js").unlink()
    page.reload()
    page.get_by_label("Clip", exact=True).select_option("second")
    expect(page.get_by_text("report-clips/0.js, which is not there")).to_be_visible()
