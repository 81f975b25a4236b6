"""Lists of own systems, as a page that is loaded anew finds them."""

from dataclasses import replace
from pathlib import Path

from server.results import ResultStore
from tests.vocoders.checkpoints.test_families import written
from ui.vocoders.examination import examine
from ui.vocoders.kept_uploads import FILE, keep_uploads, read_uploads


def test_what_is_still_there_comes_back_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    store, uploads = ResultStore(tmp_path / "results"), []
    for case in ("Vocos, same", "ParallelWaveGAN's HiFi-GAN, one"):
        folder = tmp_path / case
        folder.mkdir()
        written(case, folder)
        (upload,) = examine(sorted(folder.iterdir()), None).uploads
        uploads.append(replace(upload, id=f"own-{len(uploads)}"))
    token = keep_uploads(store, uploads)
    assert read_uploads(store, token) == tuple(uploads)
    Path(uploads[0].checkpoint).unlink()
    assert read_uploads(store, token) == (uploads[1],)
    store.find(token, FILE).unlink()
    assert read_uploads(store, token) == ()


def test_no_list_and_no_token_of_somebodys_making_give_anything(tmp_path):
    store = ResultStore(tmp_path / "results")
    assert keep_uploads(store, ()) == ""
    for token in ("", "../../etc", "a" * 24):
        assert read_uploads(store, token) == ()
