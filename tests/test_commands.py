"""The command line as a person or a script meets it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from common.paths import ROOT
from tests.command import command
from tests.conftest import harmonic_tone
from vocoders.mel import HW2, mel_of
from vocoders.recordings.decoding import READABLE


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two recordings, one of them below a sub-folder and at another rate, and a text file."""
    root = tmp_path_factory.mktemp("songs")
    (root / "alto").mkdir()
    soundfile.write(root / "low.wav", harmonic_tone(0.6, 110), 22_050)
    soundfile.write(root / "alto" / "high.flac", harmonic_tone(0.6, 330), 44_100)
    (root / "notes.txt").write_text("not audio")
    return root


def test_list_as_table_and_as_json():
    table = command("vocoders", "list").stdout
    rows = json.loads(command("vocoders", "list", "--json").stdout)
    assert [row["id"] for row in rows if row["id"] not in table] == []
    original = next(row for row in rows if row["id"] == "hifigan-original")
    assert (original["mel"], original["licence"], original["parameters"]) == ("hifigan", "MIT", 13_926_017)


def test_mel_then_synth(folder, tmp_path):
    command("vocoders", "mel", folder / "low.wav", tmp_path / "low.npy")
    mel = np.load(tmp_path / "low.npy")
    samples, _ = soundfile.read(folder / "low.wav", dtype="float32")
    assert mel.dtype == np.float32
    assert np.array_equal(mel, mel_of(samples, HW2))
    np.save(tmp_path / "log.npy", np.log(mel))
    command("vocoders", "synth", tmp_path / "low.npy", "--vocoder", "griffin-lim", "--out", tmp_path / "out")
    command("vocoders", "synth", "--log", tmp_path / "log.npy", "--vocoder", "griffin-lim", "--out", tmp_path / "out")
    linear, log = (soundfile.info(tmp_path / "out" / name) for name in ("low.wav", "log.wav"))
    assert (linear.samplerate, linear.subtype, linear.frames) == (22_050, "PCM_16", mel.shape[1] * 256)
    assert log.frames == linear.frames


def test_resynth_keeps_names_folders_and_lengths_then_score_measures(folder, tmp_path):
    out = tmp_path / "out"
    done = command("vocoders", "resynth", folder, "--vocoders", "griffin-lim-oracle,griffin-lim", "--out", out)
    written = sorted(str(path.relative_to(out)) for path in out.rglob("*.wav"))
    assert written == [
        f"{system_id}/{name}.wav"
        for system_id in ("griffin-lim-oracle", "griffin-lim")
        for name in ("alto/high", "low")
    ]
    assert len(done.stdout.splitlines()) == 4
    assert soundfile.info(out / "griffin-lim" / "low.wav").frames == soundfile.info(folder / "low.wav").frames
    assert soundfile.info(out / "griffin-lim" / "alto" / "high.wav").frames == round(0.6 * 22_050) // 2

    table = command("eval", "score", folder, out / "griffin-lim", "--json", tmp_path / "s.json").stdout
    scores = json.loads((tmp_path / "s.json").read_text())
    assert [clip["name"] for clip in scores["clips"]] == ["alto/high", "low"]
    assert scores["metrics"]["M-STFT"] == pytest.approx(np.mean([clip["M-STFT"] for clip in scores["clips"]]))
    assert f"{scores['metrics']['M-STFT']:.3f}" in table
    oracle = command("eval", "score", folder, out / "griffin-lim-oracle", "--metrics", "M-STFT").stdout
    assert float(oracle.split()[1]) < scores["metrics"]["M-STFT"]
    assert "log-mel" not in oracle


def test_nothing_is_overwritten_unless_forced(folder, tmp_path):
    arguments = ("vocoders", "mel", folder / "low.wav", tmp_path / "a.npy")
    command(*arguments)
    assert "exists already; --force" in command(*arguments, code=1).stderr
    command(*arguments, "--force")


def test_one_bad_file_costs_one_line_and_not_the_others(folder, tmp_path):
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "good.wav", harmonic_tone(0.3), 22_050)
    (tmp_path / "in" / "bad.wav").write_text("no audio at all")
    done = command("vocoders", "resynth", tmp_path / "in", "--vocoders", "griffin-lim", "--out", tmp_path / "o", code=1)
    assert [line for line in done.stderr.splitlines() if line.startswith("error:")] == [
        f"error: {tmp_path}/in/bad.wav: this is not a {READABLE} file, whatever its name says."
    ]
    assert (tmp_path / "o" / "griffin-lim" / "good.wav").is_file()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["vocoders", "mel", "missing.wav", "x.npy"], "missing.wav: there is no such file"),
        (["vocoders", "mel", "missing.wav", "x.txt"], "written as .npy"),
        (["vocoders", "synth", "missing.npy", "--vocoder", "griffin-lim", "--out", "x"], "missing.npy"),
        (["vocoders", "synth", "a.npy", "--vocoder", "griffin-lim-oracle", "--out", "x"], "needs the recording itself"),
        (["vocoders", "resynth", "deploy", "--vocoders", "griffin-lim", "--out", "x"], "no audio files in it"),
        (["vocoders", "resynth", "README.md", "--vocoders", "wavenet", "--out", "x"], "unknown vocoder 'wavenet'"),
        (["eval", "score", "nowhere", "tests"], "nowhere: there is no such file or folder"),
        (["eval", "score", "tests", "tests", "--metrics", "PESK"], "unknown metric 'PESK'"),
    ],
)
def test_every_error_is_one_line(arguments, reason):
    done = command(*arguments, code=1)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")
    assert reason in done.stderr


def test_a_mel_file_with_a_pickle_is_refused(tmp_path):
    np.save(tmp_path / "p.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    done = command("vocoders", "synth", tmp_path / "p.npy", "--vocoder", "griffin-lim", "--out", tmp_path, code=1)
    assert "p.npy" in done.stderr


def test_one_bad_mel_file_does_not_stop_the_others(tmp_path):
    np.savez(tmp_path / "archive.npz", a=np.zeros(3))
    np.save(tmp_path / "good.npy", mel_of(harmonic_tone(0.5), HW2))
    paths = (tmp_path / "archive.npz", tmp_path / "missing.npy", tmp_path / "good.npy")
    done = command("vocoders", "synth", *paths, "--vocoder", "griffin-lim", "--out", tmp_path / "out", code=1)
    assert "archive.npz: a mel has shape (80, frames) or (frames, 80), not (3,)" in done.stderr
    assert "missing.npy" in done.stderr
    assert done.stdout.strip() == str(tmp_path / "out" / "good.wav")


@pytest.mark.parametrize("package", ["vocoders", "eval", "train", "deploy"])
def test_each_starts_in_a_process_of_its_own(package):
    command = [sys.executable, "-m", package]
    done = subprocess.run([*command, "--help"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"usage: python -m {package}" in done.stdout
    done = subprocess.run([*command, "sing"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "invalid choice: 'sing'" in done.stderr


def test_an_error_is_one_line_in_a_process_of_its_own_too():
    command = [sys.executable, "-m", "vocoders", "mel", "missing.wav", "x.npy"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
