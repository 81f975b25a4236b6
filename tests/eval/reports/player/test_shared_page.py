"""A comparison as one HTML file: what is in it, what must not be in it, and its size."""

import base64
import hashlib
import io
import json
import random
import re
from datetime import datetime, timezone

import numpy as np
import pytest
import soundfile
from markupsafe import Markup, escape
from PIL import Image

from common.paths import ASSETS
from eval.reports.player.media import OPUS_RATE, Economy, flac, opus, png_as, wav_as
from eval.reports.player.page import MAX_PAGE_BYTES, Facts, TooLarge, shared_page
from eval.reports.player.script import script_of
from eval.reports.player.value import Picture, Track, player_value
from eval.reports.spectrogram import level, level_png
from tests.signals import harmonic_tone
from vocoders.audio import to_pcm16, write_wav

HOSTILE = "\"'><img src=nowhere onerror=ran=1></script><script>ran=1</script><!-- ${7*7}{{7*7}} \u2028&lt;b&gt;"
SYSTEMS = ("griffin-lim", "hifigan-original", "my-vocoder")
TITLES = ("Griffin-Lim from the mel", "HiFi-GAN, original", "My vocoder")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A wav and a picture for each track."""
    root = tmp_path_factory.mktemp("files")
    for seed, name in enumerate(("reference", *SYSTEMS, "griffin-lim--residual")):
        samples = harmonic_tone(0.5, 200, seed=seed) * 0.3
        write_wav(root / f"{name}.wav", samples)
        (root / f"{name}.png").write_bytes(level_png(level(samples)))
    return root


def value(title: str = "Recording") -> dict:
    def track(track_id, name, of=None):
        picture = Picture(f"x/{track_id}.png", 11_025.0)
        files = {"audio": f"x/{track_id}.wav", "image": picture, "difference": picture}
        return Track(track_id, name, f"About {name}", "ready", download=f"song__{track_id}.wav", of=of, **files)

    tracks = [track("reference", title), *map(track, SYSTEMS, TITLES)]
    tracks.insert(2, track("griffin-lim--residual", "Griffin-Lim from the mel − recording", of="griffin-lim"))
    tracks.append(Track("broken", "Broken one", "", "failed", error="no weights here"))
    return player_value("token", 0.5, tracks, "done", "3 systems ready, 1 failed")


def facts(title: str = "song", tables: str = "<p>M-STFT of Griffin-Lim from the mel: 1.2534</p>") -> Facts:
    made = datetime(2026, 11, 29, 12, 30, tzinfo=timezone.utc)
    return Facts(title, "FLAC, mono.", made, "abc123", {"torch": "2.13"}, Markup(tables))


def reader(folder):
    def read(kind, url, economy):
        path = folder / url.rpartition("/")[2]
        return wav_as(path, economy) if kind == "audio" else png_as(path.read_bytes(), economy)

    return read


def package_of(page: bytes) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="comparison">(.*?)</script>', page.decode())[1])


def test_the_sound_in_the_file_is_the_wav_to_the_sample(folder):
    package = package_of(shared_page(value(), reader(folder), facts()))
    tracks = {track["id"]: track for track in package["value"]["tracks"]}
    for name in ("reference", *SYSTEMS):
        kind, content = package["files"][tracks[name]["audio"]["url"]]
        assert kind == "audio/flac"
        samples, rate = soundfile.read(io.BytesIO(base64.b64decode(content)), dtype="int16")
        wanted, wanted_rate = soundfile.read(folder / f"{name}.wav", dtype="int16")
        assert rate == wanted_rate
        assert (samples == wanted).all()
        kind, content = package["files"][tracks[name]["image"]["url"]]
        assert (kind, base64.b64decode(content)) == ("image/png", (folder / f"{name}.png").read_bytes())
    assert tracks["broken"]["error"] == "no weights here"


@pytest.mark.parametrize(("rate", "subtype"), [(22_050, "PCM_16"), (44_100, "PCM_24"), (48_000, "PCM_16")])
def test_flac_is_exact_at_any_rate_and_depth(tmp_path, rng, rate, subtype):
    samples = rng.integers(-(2**31), 2**31, 5000, dtype=np.int32)
    soundfile.write(tmp_path / "x.wav", samples, rate, subtype=subtype)
    kind, content = wav_as(tmp_path / "x.wav", Economy())
    assert kind == "audio/flac"
    found, found_rate = soundfile.read(io.BytesIO(content), dtype="int32")
    assert found_rate == rate
    assert (found == soundfile.read(tmp_path / "x.wav", dtype="int32")[0]).all()


def test_opus_keeps_length_and_place():
    samples = harmonic_tone(1.0, 200).astype(np.float32)
    found, rate = soundfile.read(io.BytesIO(opus(samples, 22_050)), dtype="float32")
    assert rate == OPUS_RATE
    assert abs(len(found) - OPUS_RATE) < 0.02 * OPUS_RATE
    spectrum = np.fft.rfft(found, 2 * OPUS_RATE) * np.conj(
        np.fft.rfft(np.interp(np.arange(OPUS_RATE) / OPUS_RATE, np.arange(22_050) / 22_050, samples), 2 * OPUS_RATE)
    )
    lag = int(np.fft.irfft(spectrum).argmax())
    assert lag in (0, 1, 2 * OPUS_RATE - 1)


def test_nothing_runs_but_the_script_and_nothing_is_loaded(folder):
    page = shared_page(value(), reader(folder), facts()).decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)[1].replace("&#39;", "'")
    parts = dict(part.split(" ", 1) for part in policy.split("; "))
    assert parts["default-src"] == "'none'"
    assert parts["connect-src"] == parts["img-src"] == "blob:"
    for name, tag in (("script-src", '<script type="module">'), ("style-src", "<style>")):
        content = page.partition(tag)[2].partition(f"</{tag[1:].partition(' ')[0].rstrip('>')}>")[0]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert parts[name] == f"'sha256-{digest}'", "and nothing inline beside it"
    assert not re.findall(r'(?:src|href)\s*=\s*["\']?(?!#)', page.partition("<main>")[2].partition("<script")[0])
    assert "http://" not in page.partition("<script")[0]
    assert "https://" not in page
    assert page.count("<script") == page.count("</script>") == 2


def test_what_made_the_file_stands_in_it(folder):
    page = shared_page(value(), reader(folder), facts()).decode()
    for said in ("revision abc123", "torch 2.13", "2026-11-29, 12:30 UTC", "FLAC, mono.", "M-STFT of Griffin-Lim"):
        assert said in page
    assert "lossy" not in page.partition("<script")[0]


@pytest.mark.parametrize("blind", [None, random.Random(1)], ids=["open", "blind"])
def test_hostile_names_are_text(folder, blind):
    page = shared_page(value(HOSTILE), reader(folder), facts(HOSTILE, str(escape(HOSTILE))), blind).decode()
    assert page.count("<script") == page.count("</script>") == 2
    assert "<img" not in page
    assert str(escape(HOSTILE)) in page
    assert package_of(page.encode())["value"]["tracks"][0]["title"] == HOSTILE


def visible(page: bytes) -> str:
    """The source without what is base64."""
    package = package_of(page)
    text = page.decode().replace(package.get("sealed") or "\0", "")
    for _, content in package["files"].values():
        text = text.replace(content, "")
    return text


def test_a_blind_page_gives_nothing_away_before_the_click(folder):
    page = shared_page(value(), reader(folder), facts(), random.Random(3))
    text = visible(page)
    for secret in (
        *SYSTEMS,
        *TITLES,
        "residual",
        "About",
        "1.2534",
        "M-STFT of",
        "Broken",
        "no weights here",
        "song__",
    ):
        assert secret not in text.replace('"About Recording"', "").replace('"song__reference.flac"', ""), secret
    package = package_of(page)
    reference, *systems = package["value"]["tracks"]
    assert reference["image"]
    assert [track["title"] for track in systems] == [track["id"] for track in systems] == ["A", "B", "C"]
    assert [track["about"] for track in systems] == [""] * 3
    assert all(track[kind] is None for track in systems for kind in ("image", "difference", "download", "error"))
    assert package["value"]["status"]["text"] == "3 outputs"


def test_the_click_shows_names_on_the_same_letters_and_all_that_was_hidden(folder):
    page = shared_page(value(), reader(folder), facts(), random.Random(3))
    package = package_of(page)
    shown = json.loads(base64.b64decode(package["sealed"]))
    assert "M-STFT of Griffin-Lim from the mel: 1.2534" in shown["html"]
    assert sorted(shown["ids"][system] for system in SYSTEMS) == ["A", "B", "C"]
    named = {track["id"]: track for track in shown["value"]["tracks"]}
    hidden = {track["id"]: track for track in package["value"]["tracks"]}
    for system, title in zip(SYSTEMS, TITLES):
        letter = shown["ids"][system]
        assert named[letter]["title"] == f"{letter} · {title}"
        assert named[letter]["audio"] == hidden[letter]["audio"], "what was heard under a letter is what is named"
        content = base64.b64decode(package["files"][named[letter]["audio"]["url"]][1])
        wanted, _ = soundfile.read(folder / f"{system}.wav", dtype="int16")
        assert (soundfile.read(io.BytesIO(content), dtype="int16")[0] == wanted).all()
    assert named[shown["ids"]["griffin-lim"] + "--residual"]["title"].endswith("− recording")
    assert named["broken"]["error"] == "no weights here"


def test_every_order_of_letters_is_drawn_and_files_follow_it(folder):
    read, orders = (lambda kind, url, economy: ("audio/flac", url.encode())), set()
    for seed in range(60):
        page = shared_page(value(), read, facts(), random.Random(seed))
        package = package_of(page)
        urls = [track["audio"]["url"] for track in package["value"]["tracks"]]
        assert [int(url[1:]) for url in urls] == sorted(int(url[1:]) for url in urls)
        orders.add(tuple(base64.b64decode(package["files"][url][1]) for url in urls))
    assert len(orders) == 6


def test_more_systems_than_letters_are_refused():
    tracks = [Track("reference", "Recording", "", "ready")]
    tracks += [Track(f"s{i}", f"S{i}", "", "ready") for i in range(27)]
    many = player_value("t", 1.0, tracks, "done", "")
    with pytest.raises(ValueError, match="at most 26 systems, not 27"):
        shared_page(many, lambda *_: None, facts(), random.Random(1))


def test_eight_systems_of_ten_seconds_fit_without_loss(tmp_path):
    rng = np.random.default_rng(0)  # noise at a loud voice's level: harder to pack than any voice
    samples = (0.1 * rng.standard_normal(220_500)).astype(np.float32)
    sound, picture = flac(to_pcm16(samples), 22_050), level_png(level(samples))
    files = {"audio": "a", "image": Picture("i", 11_025.0), "difference": Picture("d", 11_025.0)}
    tracks = [Track("reference", "Recording", "", "ready", **files)]
    tracks += [Track(f"s{i}", f"S{i}", "", "ready", **files) for i in range(8)]
    seen = []

    def read(kind, url, economy):
        seen.append(economy)
        return ("audio/flac", sound) if kind == "audio" else ("image/png", picture)

    page = shared_page(player_value("t", 10.0, tracks, "done", ""), read, facts())
    assert set(seen) == {Economy()}
    assert len(page) < MAX_PAGE_BYTES


def test_economies_come_one_after_the_other_and_are_said(folder):
    whole = len(shared_page(value(), reader(folder), facts()))
    smaller = shared_page(value(), reader(folder), facts(), max_bytes=whole - 1)
    kinds = {kind for kind, _ in package_of(smaller)["files"].values()}
    assert kinds == {"audio/flac", "image/webp"}
    assert b"The pictures are lossy (WebP)" in smaller
    opus_page = shared_page(value(), reader(folder), facts(), max_bytes=len(smaller) - 1)
    assert {kind for kind, _ in package_of(opus_page)["files"].values()} == {"audio/ogg", "image/webp"}
    assert b"The sound is Opus" in opus_page
    least = shared_page(value(), reader(folder), facts(), max_bytes=len(opus_page) - 1)
    assert all(track["difference"] is None for track in package_of(least)["value"]["tracks"])
    assert b"differences are left out" in least
    with pytest.raises(TooLarge, match="share a shorter passage, or fewer systems"):
        shared_page(value(), reader(folder), facts(), max_bytes=len(least) - 1)


def test_a_lossy_picture_has_the_size_of_the_exact_one(folder):
    png = (folder / "reference.png").read_bytes()
    _, webp = png_as(png, Economy(webp=True))
    assert Image.open(io.BytesIO(webp)).size == Image.open(io.BytesIO(png)).size


def test_the_script_is_the_modules_as_they_stand():
    script = script_of("sent/shared-page.js")
    assert not re.search(r"^\s*(import|export)\b", script, re.MULTILINE)
    for name in ("player/player.js", "player/sound.js", "player/timing.js", "sent/package.js"):
        lines = [line for line in (ASSETS / name).read_text(encoding="utf-8").splitlines() if line.startswith("  ")]
        assert set(lines) <= set(script.splitlines())
    defined = [
        script.index(f"const module_{name} =")
        for name in ("player_timing", "player_transport", "player_player", "sent_shared_page")
    ]
    assert defined == sorted(defined)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import all from './numbers.js';\n", "import all"),
        ("export default 1;\n", "export default"),
        ("const x = '</script>';\n", "</script"),
        ("import { a } from './b.js';\n", "import each other: a.js -> b.js -> a.js"),
    ],
)
def test_a_module_that_cannot_be_part_of_a_script_is_refused(tmp_path, monkeypatch, text, said):
    (tmp_path / "a.js").write_text(text)
    (tmp_path / "b.js").write_text("import { b } from './a.js';\nexport const a = 1;\n")
    monkeypatch.setattr("eval.reports.player.script.ASSETS", tmp_path)
    script_of.cache_clear()
    with pytest.raises(ValueError, match=re.escape(said)):
        script_of("a.js")
    script_of.cache_clear()
