"""One comparison on its way to the page: order, failures, stopping, what is left on disk."""

import json
import threading
import zipfile

import pytest

from eval.compare.recording import Progress
from server.executor import WorkerTimeout
from tests.conftest import harmonic_tone
from tests.fakes import fake_system
from tests.waiting import until
from ui.compare.job import CompareJob
from vocoders.audio import Recording
from vocoders.catalogue import find_systems
from vocoders.systems import System


def recording(seconds: float = 0.6) -> Recording:
    return Recording("My clip: <b>", harmonic_tone(seconds), "WAV.")


def test_takes_arrive_one_by_one_and_everything_is_bundled(store):
    folder = store.new()
    systems = find_systems("griffin-lim-oracle,griffin-lim")
    views = list(CompareJob(recording(), systems, folder).run(threading.Event()))
    first, last = views[0].player, views[-1].player
    assert [track["state"] for track in first["tracks"]] == ["ready", "waiting", "waiting"]
    assert [len(view.outputs) for view in views] == sorted(len(view.outputs) for view in views)
    assert [track["state"] for track in last["tracks"]] == ["ready"] * 3
    assert last["status"]["state"] == "done"
    for track in last["tracks"]:
        assert store.find(folder.token, track["audio"]["url"].rpartition("/")[2])
        assert store.find(folder.token, track["image"]["url"].rpartition("/")[2])
        assert track["download"].startswith("My-clip-b__")
    content = json.loads((folder.path / "results.json").read_text())
    assert content["metrics"].keys() == {"griffin-lim-oracle", "griffin-lim"}
    assert content["metrics"]["griffin-lim"]["M-STFT"] > content["metrics"]["griffin-lim-oracle"]["M-STFT"]
    assert content["systems"]["griffin-lim"]["front_end"] == ["hw2_mel", "invert"]
    with zipfile.ZipFile(folder.path / "everything.zip") as archive:
        assert sorted(name.rpartition(".")[2] for name in archive.namelist()) == ["json", "png", "wav", "wav", "wav"]


def test_residuals_are_tracks_of_their_own(store):
    folder = store.new()
    systems = find_systems("griffin-lim-oracle,griffin-lim")
    *_, last = CompareJob(recording(), systems, folder, residuals=True).run(threading.Event())
    tracks = {track["id"]: track for track in last.player["tracks"]}
    assert list(tracks) == [
        "reference",
        "griffin-lim-oracle",
        "griffin-lim-oracle--residual",
        "griffin-lim",
        "griffin-lim--residual",
    ]
    assert {track["state"] for track in tracks.values()} == {"ready"}
    left = tracks["griffin-lim--residual"]
    assert left["gain_db"] == tracks["griffin-lim"]["gain_db"]
    assert left["about"].startswith("The residual: what is left of the output without the recording, ")
    assert store.find(folder.token, left["audio"]["url"].rpartition("/")[2])
    assert store.find(folder.token, left["image"]["url"].rpartition("/")[2])


@pytest.mark.parametrize("kind", [ValueError, KeyError, OSError, ImportError])
def test_a_failing_system_does_not_stop_the_others(store, kind):
    def broken(features, on_progress):
        raise kind("the reason")

    systems = [fake_system("broken", broken), *find_systems("griffin-lim")]
    *_, last = CompareJob(recording(), systems, store.new()).run(threading.Event())
    states = {track["id"]: (track["state"], track["error"]) for track in last.player["tracks"]}
    assert states["broken"] == ("failed", f"{kind.__name__}: {kind('the reason')}")
    assert states["griffin-lim"] == ("ready", None)
    assert last.player["status"]["text"] == "1 system ready, 1 failed"


class GivesUp:
    """The computing process when it stalls."""

    def run(self, work, *arguments, on_report, stall_timeout=1.0):
        on_report(Progress(arguments[1][0], 0.5))
        raise WorkerTimeout("Given up: nothing moved for 1 seconds")


def test_a_job_that_is_given_up_says_so_and_ends(store):
    systems = find_systems("griffin-lim,griffin-lim-oracle")
    *_, last = CompareJob(recording(), systems, store.new(), GivesUp()).run(threading.Event())
    status = last.player["status"]
    assert (status["state"], status["text"]) == ("cancelled", "Given up: nothing moved for 1 seconds")
    assert [track["state"] for track in last.player["tracks"]] == ["ready", "stopped", "stopped"]
    assert last.archive is None


def slow_system(started: threading.Event, ended: threading.Event) -> System:
    def slow(features, on_progress):
        try:
            started.set()
            until(lambda: on_progress(0.5), "the comparison is stopped")
        finally:
            ended.set()

    return fake_system("slow", slow)


@pytest.mark.parametrize("how", ["stop", "close"])
def test_a_comparison_can_be_stopped(store, how):
    started, ended, stop = threading.Event(), threading.Event(), threading.Event()
    views = CompareJob(recording(), [slow_system(started, ended)], store.new()).run(stop)
    next(views)
    assert started.wait(60)
    if how == "stop":
        stop.set()
        *_, last = views
        assert last.player["status"]["state"] == "cancelled"
        assert last.player["tracks"][1]["state"] == "stopped"
    else:
        views.close()  # what Gradio does when the page is left
    assert ended.wait(60)
