"""The file to send of a comparison that the page has shown, and its addresses."""

import threading

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.signals import harmonic_tone
from ui.compare.job import CompareJob
from ui.compare.keeping.kept import keep, read_kept
from ui.compare.metric_table import metric_table
from ui.compare.outputs import levels_of
from ui.compare.sharing import document
from ui.compare.sharing.document import shared_file
from ui.compare.sharing.routes import sharing_routes
from vocoders.audio import Recording
from vocoders.catalogue import find_systems


@pytest.fixture
def kept(store):
    """The folder of a finished comparison."""
    folder, recording = store.new(), Recording("My song: <b>", harmonic_tone(0.5), "WAV, mono.")
    *_, view = CompareJob(recording, find_systems("griffin-lim"), folder).run(threading.Event())
    keep(folder, recording, {"player": view.player, "metrics": metric_table(view.outputs), "levels": levels_of(view)})
    return folder


def test_the_file_is_made_once_and_says_everything(store, kept):
    path, name = shared_file(store, kept.token, blind=False)
    assert name == "My-song-b-comparison.html"
    page = path.read_text(encoding="utf-8")
    for said in ("My song: &lt;b&gt;", "WAV, mono.", "M-STFT", "LUFS", "revision", "torch", "UTC"):
        assert said in page
    written = path.stat().st_mtime_ns
    assert shared_file(store, kept.token, blind=False)[0].stat().st_mtime_ns == written


def test_the_blind_file_is_another_one_without_names(store, kept):
    path, name = shared_file(store, kept.token, blind=True)
    assert name == "My-song-b-blind-comparison.html"
    page = path.read_text(encoding="utf-8").partition('"sealed"')[0]
    assert "Griffin-Lim" not in page
    assert "griffin-lim" not in page
    assert path != shared_file(store, kept.token, blind=False)[0]


def test_what_is_gone_or_was_stopped_is_not_shared(store, kept):
    assert shared_file(store, "a" * 24, blind=False) is None
    about, _ = read_kept(store, kept.token)
    stopped = {**about.shown, "player": {**about.shown["player"], "status": {"state": "cancelled"}}}
    keep(kept, Recording("x", harmonic_tone(0.5)), stopped)
    assert shared_file(store, kept.token, blind=False) is None
    keep(kept, Recording("x", harmonic_tone(0.5)), about.shown)
    next(kept.path.glob("*__griffin-lim.wav")).unlink()
    assert shared_file(store, kept.token, blind=False) is None
    assert read_kept(store, kept.token) is None, "nor shown again"


def test_the_addresses_give_attachments_and_sentences(store, kept, monkeypatch):
    app = FastAPI()
    app.include_router(sharing_routes(store))
    client = TestClient(app)
    answer = client.get(f"/results/{kept.token}/comparison.html")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="My-song-b-comparison.html"'
    assert client.get(f"/results/{kept.token}/comparison-blind.html").status_code == 200
    missing = client.get(f"/results/{'a' * 24}/comparison.html")
    assert missing.status_code == 404
    assert "run it again to share it" in missing.json()["detail"]

    def too_large(*_):
        raise ValueError("This comparison does not fit.")

    monkeypatch.setattr(document, "_page", too_large)
    (kept.path / "comparison.html").unlink()
    answer = client.get(f"/results/{kept.token}/comparison.html")
    assert (answer.status_code, answer.json()["detail"]) == (422, "This comparison does not fit.")
