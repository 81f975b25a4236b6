"""The content of a folder of recordings: skipped files are named, links are followed, names need not be text."""

import csv
import json
import os

import pytest
import soundfile

from tests.command import command
from tests.conftest import harmonic_tone
from train.data.pack import MANIFEST
from vocoders.recordings.files import files_below, find_audio


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "songs").mkdir()
    soundfile.write(tmp_path / "songs" / "a.wav", harmonic_tone(0.6), 22_050)
    return tmp_path / "songs"


def test_skipped_files_are_said_in_one_line(folder, capsys):
    for name in ("notes.txt", "b.TXT", "cover.jpg", "README"):
        (folder / name).touch()
    assert list(map(str, find_audio([folder]))) == ["a"]
    assert capsys.readouterr().err == (
        f"note: {folder}: 4 files are skipped, not being audio by suffix (.jpg, .txt, none): "
        "README, b.TXT, cover.jpg and 1 more.\n"
    )


def test_a_folder_of_audio_only_says_nothing(folder, capsys):
    find_audio([folder])
    assert capsys.readouterr().err == ""


def test_links_to_folders_are_followed_once(folder, tmp_path):
    real = tmp_path / "elsewhere" / "alto"
    real.mkdir(parents=True)
    soundfile.write(real / "b.wav", harmonic_tone(0.6), 22_050)
    (folder / "alto").symlink_to(real)
    (folder / "again").symlink_to(folder)
    (real / "up").symlink_to(real.parent)
    names = [str(name) for name in find_audio([folder])]
    assert names == ["a", "alto/b"]
    assert len(files_below(folder)) == 2


def test_a_folder_is_no_recording(folder, tmp_path):
    assert "is a folder" in command("vocoders", "mel", folder, tmp_path / "mel.npy", code=1).stderr


def test_a_name_that_is_not_utf8_goes_all_the_way(folder, tmp_path):
    """Its bytes are shown as \\udcXX, and JSON gives the very name back."""
    name = os.fsdecode(b"na\xffme")
    (folder / "a.wav").rename(folder / f"{name}.wav")
    outputs, scores, out = tmp_path / "outputs", tmp_path / "s.json", tmp_path / "out"
    command("vocoders", "resynth", folder, "--vocoders", "griffin-lim-oracle", "--out", outputs)
    estimates = outputs / "griffin-lim-oracle"
    command("eval", "score", folder, estimates, "--metrics", "M-STFT", "--json", scores)
    assert [clip["name"] for clip in json.loads(scores.read_text())["clips"]] == [name]
    command("eval", "compare", folder, "--vocoders", "griffin-lim-oracle", "--metrics", "M-STFT", "--out", out)
    assert [clip["clip"] for clip in json.loads((out / "results.json").read_text())["clips"]] == [name]
    with (out / "rows.csv").open(newline="", encoding="utf-8") as file:
        assert [row["clip"] for row in csv.DictReader(file)] == [r"na\udcffme"]
    assert r"na\udcffme" in (out / "report.html").read_text(encoding="utf-8")
    (folder / f"{name}.wav").write_bytes(b"nothing")
    assert (
        r"na\udcffme.wav"
        in command("vocoders", "resynth", folder, "--vocoders", "griffin-lim-oracle", "--out", tmp_path / "no", code=1)
        .stderr.encode(errors="backslashreplace")
        .decode()
    )


def test_prepare_tells_and_keeps_what_was_unexpected(tmp_path):
    """A pack without notices is written as before there were any."""
    songs = tmp_path / "songs"
    songs.mkdir()
    soundfile.write(songs / "good.wav", harmonic_tone(1.5), 22_050)
    soundfile.write(songs / "offset.wav", 0.5 * harmonic_tone(1.5) + 0.2, 22_050)
    done = command("train", "prepare", songs, "--out", tmp_path / "pack", "--jobs", "1")
    good, offset = json.loads((tmp_path / "pack" / MANIFEST).read_text())["clips"]
    assert "notices" not in good
    assert len(offset["notices"]) == 1
    assert f"note: offset.wav: {offset['notices'][0]}.\n" in done.stderr
    assert "good.wav" not in done.stderr
