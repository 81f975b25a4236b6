"""Folders in the page: a zip with a folder per system becomes clips and systems, a table with every number of `eval compare`, and
a study; whatever is wrong with a file is a sentence."""

import functools
import io
import json
import re
import threading
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from eval.compare.output_folder import OutputFolder
from eval.listening.study import StudyError
from eval.reports import comparison
from eval.reports.player.clips import write_clips
from server.executor import InlineExecutor
from tests.command import command
from tests.conftest import harmonic_tone
from ui.folders.job import Compared, FoldersJob, Progress
from ui.folders.layout import FoldersError, GivenFolder, GivenFolders, unpack_folders
from ui.folders.material import material_of, read_output
from ui.folders.tab import compared_html
from ui.listening.form import Form, sources_of_folders
from vocoders.audio import SAMPLE_RATE
from vocoders.catalogue import find_system
from vocoders.recordings.reader import AudioError, Limits, read_recording

HOSTILE = "<img src=x onerror=ran=1>"


@pytest.fixture(autouse=True)
def uploads(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))


def outputs(root, folders):
    """Files below `root`: {folder: {clip: samples -> samples}}; of a clip, the same tone everywhere."""
    for folder, clips in folders.items():
        for name, change in clips.items():
            path = root / folder / f"{name}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            tone = harmonic_tone(1.6, 180 + 40 * (sum(name.encode()) % 5)) * np.hanning(round(1.6 * SAMPLE_RATE)) ** 0.3
            soundfile.write(path, change(tone), SAMPLE_RATE, subtype="FLOAT")
    return root


def zipped(root, path):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(root.rglob("*")):
            archive.write(file, file.relative_to(root))
    return path


def noisy(samples):
    return samples + np.random.default_rng(0).normal(0, 0.002, len(samples))


def late(samples):
    return -0.3 * np.pad(samples, (6615, 0))


@pytest.fixture
def dropped(tmp_path):
    """Recordings, an output of each, and a folder by a hostile name with a late output, a broken file and a stray one."""
    same = {"a": lambda x: x, "b": lambda x: x}
    root = outputs(
        tmp_path / "in", {"Ground Truth": same, "mine": dict.fromkeys("ab", noisy), HOSTILE: {"a": late, "z": late}}
    )
    (root / HOSTILE / "b.wav").write_bytes(b"RIFF\0\0\0\0WAVE")
    (root / "mine" / "notes.txt").write_text("notes")
    return zipped(root, tmp_path / "in.zip")


def test_the_folders_of_a_zip_are_found_and_the_recordings_known_by_their_name(dropped):
    given = unpack_folders([dropped])
    assert given.names == [HOSTILE, "Ground Truth", "mine"]
    assert given.reference == "Ground Truth"
    assert given.folders[2].files == ("a.wav", "b.wav")
    assert given.folders[2].skipped == ("notes.txt",)


@pytest.mark.parametrize("name", ["ref", "References", "ground_truth", "GT", "Original", "recordings"])
def test_names_of_recordings(tmp_path, name):
    folders = tuple(GivenFolder(each, tmp_path, ()) for each in ("mine", name))
    assert GivenFolders("", tmp_path, folders).reference == name
    assert GivenFolders("", tmp_path, (*folders, GivenFolder("source", tmp_path, ()))).reference is None


def test_folders_inside_one_folder_and_zips_of_one_folder_each_are_the_same(tmp_path):
    root = outputs(tmp_path / "in", {f"all/{name}": {"a": noisy, "sub/b": noisy} for name in ("x", "y")})
    together = unpack_folders([zipped(root, tmp_path / "in.zip")])
    apart = unpack_folders([zipped(root / "all" / name, tmp_path / f"{name}.zip") for name in ("x", "y")])
    for given in (together, apart):
        assert given.names == ["x", "y"]
        assert given.folders[0].files == ("a.wav", "sub/b.wav")


def test_what_is_no_zip_of_folders_is_refused(tmp_path):
    outputs(tmp_path / "in", {"x": {"a": noisy}})
    with pytest.raises(FoldersError, match=r"^a\.wav is no zip: drop whole folders"):
        unpack_folders([tmp_path / "in/x/a.wav"])
    (tmp_path / "other").mkdir()
    (tmp_path / "other/a.txt").write_text("x")
    with pytest.raises(FoldersError, match="no audio files in it"):
        unpack_folders([zipped(tmp_path / "other", tmp_path / "other.zip")])
    alone = unpack_folders([zipped(tmp_path / "in", tmp_path / "in.zip")])
    with pytest.raises(FoldersError, match="one folder only"):
        material_of(alone, "x")


def test_what_does_not_match_is_named_without_places_of_this_machine(dropped, tmp_path):
    material = material_of(unpack_folders([dropped]), "Ground Truth")
    assert list(material.clips) == ["a", "b"]
    assert [system.title for system in material.systems] == [HOSTILE, "mine"]
    assert {(each.folder, each.file, each.reason) for each in material.unmatched} == {
        (HOSTILE, "z.wav", "no recording has this name"),
        ("mine", "notes.txt", "no audio by its suffix"),
    }
    assert str(tmp_path) not in repr([(each.folder, each.missing, each.unused) for each in material.systems])


def test_a_folder_of_which_nothing_matches_takes_nothing_from_the_others(tmp_path):
    root = outputs(tmp_path / "in", {"ref": {"a": noisy}, "x": {"a": noisy}, "y": {"other": noisy}})
    material = material_of(unpack_folders([zipped(root, tmp_path / "in.zip")]), "ref")
    assert [system.title for system in material.systems] == ["x"]
    assert material.unmatched[0].reason.startswith("nothing in y is named as its references")


def job(dropped, tmp_path, store, own=(), **options):
    material = material_of(unpack_folders([dropped]), "Ground Truth")
    folder = store.new()
    return FoldersJob(material, own, folder, Limits(), InlineExecutor(), **options), folder


def test_the_table_is_that_of_eval_compare(dropped, tmp_path, store):
    work, folder = job(dropped, tmp_path, store, [find_system("griffin-lim-oracle")])
    *progress, compared = work.run(threading.Event())
    assert isinstance(compared, Compared)
    assert all(isinstance(event, Progress) for event in progress)
    assert compared.stopped == ""
    found = json.loads((folder.path / "results.json").read_text())
    arguments = ["--system", f"mine={tmp_path / 'in/mine'}", "--system", f"other={tmp_path / 'in' / HOSTILE}"]
    command("eval", "compare", tmp_path / "in/Ground Truth", *arguments, "--out", tmp_path / "out", code=1)
    wanted = json.loads((tmp_path / "out/results.json").read_text())
    values = {(row["clip"], row["system"]): row["metrics"] for row in found["clips"]}
    for row in wanted["clips"]:
        system = row["system"].replace("other", "img-src-x-onerror-ran-1")
        assert values[row["clip"], system] == row["metrics"]
    assert list(found["metrics"]) == ["img-src-x-onerror-ran-1", "mine", "griffin-lim-oracle"]
    (failed,) = found["failed"]
    assert failed["reason"].startswith(f"{HOSTILE}/b.wav: ")
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "comparison.zip",
        "report.html",
        "results.json",
        "rows.csv",
    ]
    html = compared_html(compared, folder)
    assert "it is 300 ms late" in html
    assert "its polarity is inverted" in html
    assert "<img" not in html
    assert html.count('<tr role="row">') == 2 + 3 + 5  # heads, means, clips
    assert "The report plays the first 20&nbsp;s of every clip." in html


def test_the_zip_has_what_finds_no_room_in_the_report_and_all_audio(dropped, tmp_path, store, monkeypatch):
    """Room for one clip: the other one is in the zip, named on the page, and the whole output is there as it was measured."""
    monkeypatch.setattr(comparison, "write_clips", functools.partial(write_clips, max_inside_bytes=600_000))
    work, folder = job(dropped, tmp_path, store)
    *_, compared = work.run(threading.Event())
    (left_out,) = compared.outside
    report = (folder.path / "report.html").read_text()
    assert "1 of 2 clips are inside this file" in report
    with zipfile.ZipFile(folder.path / "comparison.zip") as archive:
        names = set(archive.namelist())
        assert archive.read("comparison/report.html").decode() == report
        (script,) = (name for name in names if name.endswith(".js"))
        assert script == f"comparison/report-clips/{['a', 'b'].index(left_out)}.js"
        assert archive.read(script).count(b"audio/flac") == 2 + (left_out == "a")  # one output of b cannot be read
        samples, rate = soundfile.read(io.BytesIO(archive.read("comparison/mine/a.wav")))
    wanted, _ = soundfile.read(tmp_path / "in" / "mine" / "a.wav")
    assert rate == SAMPLE_RATE
    assert np.abs(samples - wanted).max() < 1 / 32_768
    assert names - {script} == {
        f"comparison/{name}"
        for name in ("report.html", "results.json", "rows.csv", "reference/a.wav", "reference/b.wav", "mine/a.wav",
                     "mine/b.wav", "img-src-x-onerror-ran-1/a.wav")
    }  # fmt: skip
    html = compared_html(compared, folder)
    assert "1 of 2 clips are not in the report alone" in html
    assert f'<p class="page-words">{left_out}</p>' in html
    assert 'download="comparison.zip"' in html


def test_a_comparison_that_is_stopped_or_takes_too_long_shows_what_it_has(dropped, tmp_path, store):
    times = iter([0.0, 0.0, *[0.0] * 3, *[1e9] * 50])
    work, _ = job(dropped, tmp_path, store, now=lambda: next(times))
    with pytest.raises(FoldersError, match="Ended after 15 minutes, which is the limit: 0 of 2 clips"):
        list(work.run(threading.Event()))
    work, _ = job(dropped, tmp_path, store)
    stop = threading.Event()
    for event in work.run(stop):
        if isinstance(event, Progress) and event.done == 1:
            stop.set()
    assert event.stopped == "Stopped: 1 of 2 clips were measured."
    assert {row.clip for row in event.rows} == {"a"}


def test_without_recordings_there_is_nothing_to_measure_against(dropped, tmp_path, store):
    material = material_of(unpack_folders([dropped]), None)
    with pytest.raises(FoldersError, match="Choose the folder of the recordings"):
        FoldersJob(material, (), store.new(), Limits(), InlineExecutor())


# Studies


FORM = Form("Mine", "mushra", [], False, "", [], 3, 0, 0, 0, 0, 0, "", "", "", "")


def read(path, limits, name):
    return read_recording(path, limits, name)


def test_a_study_has_the_clips_that_every_folder_has(tmp_path):
    root = outputs(
        tmp_path / "in",
        {"ref": dict.fromkeys("abc", noisy), "x": dict.fromkeys("abc", noisy), "y": dict.fromkeys("ac", late)},
    )
    given = unpack_folders([zipped(root, tmp_path / "in.zip")])
    sources = sources_of_folders(FORM, given, "ref", (), read)
    assert (sources.items, list(sources.recordings)) == (("a", "c"), ["a", "c"])
    assert [[clip for clip, _ in system.decoded] for system in sources.systems] == [["a", "c"]] * 2
    with pytest.raises(StudyError, match="reference"):
        sources_of_folders(FORM, given, "", (), read)  # MUSHRA needs one
    alone = sources_of_folders(replace(FORM, mode="ab"), given, "", (), read)
    assert not alone.has_reference
    assert [system.title for system in alone.systems] == ["ref", "x", "y"]
    with pytest.raises(StudyError, match="nothing to resynthesize"):
        sources_of_folders(FORM, given, "", [find_system("griffin-lim")], read)


def test_a_study_names_a_file_that_cannot_be_read(dropped):
    with pytest.raises(StudyError, match=re.escape(f"{HOSTILE}/b.wav: ")):
        sources_of_folders(FORM, unpack_folders([dropped]), "Ground Truth", (), read)


def test_an_output_that_cannot_be_read_is_missing_for_the_reason():
    system = OutputFolder("x", "X", "x", (("a", "/x/a.wav"), ("b", "/x/b.wav")))

    def refuse(path, name):
        raise AudioError(f"{name}: empty")

    found = read_output(system, "a", refuse)
    assert (found.files, found.missing) == ((), (("a", "X/a.wav: empty"),))
