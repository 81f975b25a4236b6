"""Outputs made elsewhere: matched, placed, measured, cached by content; and folders that are not as they should be."""

import json
import os
import pickle
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from common.paths import ROOT
from eval.compare.clip_task import Task, run_task
from eval.compare.output_folder import OutputFolder, id_of, named_folder, output_folder
from eval.compare.overlap import on_timeline
from tests.command import command
from tests.conftest import harmonic_tone
from vocoders.audio import SAMPLE_RATE
from vocoders.recordings.files import find_audio
from vocoders.recordings.reader import Limits, read_recording

NAMES = ("alto/a", "bass/b")
METRICS = ("--metrics", "M-STFT")


def write(path: Path, samples: np.ndarray, rate: int = SAMPLE_RATE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype="FLOAT")


@pytest.fixture
def root(tmp_path) -> Path:
    """`songs`, and `mine`: the same with a little noise."""
    for number, name in enumerate(NAMES):
        samples = harmonic_tone(1.2, (220, 147)[number], seed=number)
        samples *= np.hanning(len(samples)).astype(np.float32) ** 0.3
        noise = np.random.default_rng(number).normal(0, 0.002, len(samples)).astype(np.float32)
        write(tmp_path / "songs" / f"{name}.wav", samples)
        write(tmp_path / "mine" / f"{name}.wav", samples + noise)
    return tmp_path


def names(root: Path) -> list[Path]:
    return list(find_audio([root / "songs"]))


def compared(root: Path, *options: str, code: int = 0) -> tuple[dict, str]:
    """results.json and stderr of a comparison with `mine`."""
    arguments = ("--system", f"My vocoder={root / 'mine'}", *options, *METRICS, "--force")
    done = command("eval", "compare", root / "songs", *arguments, "--out", root / "out", code=code)
    return json.loads((root / "out" / "results.json").read_text()), done.stderr


def row_of(results: dict, clip: str, system: str = "My-vocoder") -> dict:
    return next(row for row in results["clips"] if (row["clip"], row["system"]) == (clip, system))


def change(root: Path, name: str, new) -> None:
    """`new`: from an output's samples to others, at 22 050 Hz."""
    path = root / "mine" / f"{name}.wav"
    write(path, new(soundfile.read(path, dtype="float32")[0]).astype(np.float32))


def test_a_folder_stands_beside_systems_with_the_values_of_score(root):
    results, _ = compared(root, "--vocoders", "griffin-lim-oracle")
    assert list(results["metrics"]) == ["griffin-lim-oracle", "My-vocoder"]
    done = command("eval", "score", root / "songs", root / "mine", *METRICS, "--json", root / "s.json")
    scores = json.loads((root / "s.json").read_text())
    assert "M-STFT" in done.stdout
    assert results["metrics"]["My-vocoder"]["M-STFT"] == scores["metrics"]["M-STFT"] > 0
    assert results["against_baseline"]["My-vocoder"]["M-STFT"]["n"] == 2
    assert results["metrics"]["My-vocoder"]["real-time factor"] is None
    row = row_of(results, "alto/a")
    assert row["output_history"] == "WAV, mono, 22.05 kHz, 1.20 s: used as it is."
    assert (row["compute_seconds"], row.get("notes")) == (0.0, None)
    written = soundfile.read(root / "out" / "My-vocoder" / "alto" / "a.wav", dtype="float32")[0]
    assert np.abs(written - soundfile.read(root / "mine/alto/a.wav", dtype="float32")[0]).max() <= 2**-16 + 1e-7


def test_a_late_inverted_output_with_silence_behind_is_measured_in_its_place(root):
    plain, _ = compared(root)
    change(root, "alto/a", lambda x: np.pad(-x, (6615, 20 * SAMPLE_RATE)))
    results, said = compared(root)
    before, after = row_of(plain, "alto/a"), row_of(results, "alto/a")
    assert after["metrics"]["M-STFT"] == pytest.approx(before["metrics"]["M-STFT"], rel=1e-5)
    assert after["moved"] == 6615
    for note in (
        "it is 300 ms late (6615 samples)",
        "its polarity is inverted",
        "s of silence behind the reference's end",
    ):
        assert any(note in noticed for noticed in after["notes"])
        assert note in said
    assert len(soundfile.read(root / "out/My-vocoder/alto/a.wav")[0]) == round(1.2 * SAMPLE_RATE)
    report = (root / "out/report.html").read_text()
    assert "<li>alto/a, My-vocoder: it is 300 ms late (6615 samples)" in report
    assert re.search(r'data-title="parameters, million">unknown</td>', report)


def test_another_rate_stereo_and_lossy_coding_are_said(root):
    samples = soundfile.read(root / "mine/alto/a.wav")[0]
    twice = soxr.resample(samples, SAMPLE_RATE, 44_100)
    write(root / "mine/alto/a.wav", np.stack([twice, twice], 1), 44_100)
    (root / "mine/bass/b.wav").unlink()
    low = soundfile.read(root / "songs/bass/b.wav")[0]
    soundfile.write(root / "mine/bass/b.mp3", low, SAMPLE_RATE, format="MP3")
    results, _ = compared(root)
    a, b = row_of(results, "alto/a"), row_of(results, "bass/b")
    assert "its file has 44.1 kHz and its reference's 22.05 kHz; both are measured at 22.05 kHz" in a["notes"]
    assert "stereo" in a["output_history"]
    assert any(note.startswith("its file is coded with loss (mp3") for note in b["notes"])


def test_a_missing_and_an_unreadable_output_fail_their_clips_and_only_those(root):
    (root / "mine/alto/a.wav").write_bytes(b"no sound at all")
    results, said = compared(root, "--vocoders", "griffin-lim-oracle", code=1)
    assert [(f["clip"], f["system"]) for f in results["failed"]] == [("alto/a", "My-vocoder")]
    assert "mine/alto/a.wav" in results["failed"][0]["reason"]
    assert results["n"]["M-STFT"] == 1
    (root / "mine/alto/a.wav").rename(root / "mine/alto/other.wav")
    results, said = compared(root, "--vocoders", "griffin-lim-oracle", code=1)
    assert results["failed"][0]["reason"] == f"no estimate in {root}/mine"
    table = [line.split() for line in said.splitlines() if line.startswith("  ")]
    assert ["alto/a", "no", "estimate", "in", f"{root}/mine"] in table
    assert [f"{root}/mine/alto/other.wav", "no", "clip", "has", "this", "name"] in table
    assert "note: My vocoder: 1 of 2 clips have an output." in said


def test_folders_need_not_be_the_same_where_stems_are_unique(root):
    flat = root / "mine" / "a.wav"
    (root / "mine/alto/a.wav").rename(flat)
    found = output_folder("Mine", root / "mine", names(root))
    assert dict(found.files) == {"alto/a": str(flat), "bass/b": str(root / "mine/bass/b.wav")}
    write(root / "songs/bass/a.wav", harmonic_tone(1.2))
    found = output_folder("Mine", root / "mine", names(root))
    assert [clip for clip, _ in found.missing] == ["alto/a", "bass/a"]  # whose it is cannot be known
    assert found.unused == (str(flat),)


def test_two_files_of_one_stem_are_no_choice(root):
    write(root / "mine/alto/a.flac.wav", harmonic_tone(1.2))
    (root / "mine/alto/a.flac.wav").rename(root / "mine/alto/a.aiff")
    found = output_folder("Mine", root / "mine", names(root))
    assert found.missing == (("alto/a", f"both alto/a.aiff and alto/a.wav are in {root / 'mine'}"),)


@pytest.mark.parametrize("content", [{}, {"notes.txt": b"x"}, {"other.wav": b"x"}])
def test_a_folder_without_outputs_is_refused_in_one_line(root, content):
    empty = root / "empty"
    empty.mkdir()
    for name, data in content.items():
        (empty / name).write_bytes(data)
    done = command("eval", "compare", root / "songs", "--system", f"x={empty}", "--out", root / "o", code=1)
    assert done.stderr.startswith(
        f"error: {empty}: no audio files in it" if "other.wav" not in content else "error: nothing in"
    )
    assert done.stderr.count("\n") == 1


def test_a_name_that_is_not_utf8_is_matched(root):
    name = os.fsdecode(b"na\xffme.wav")
    for folder in ("songs", "mine"):
        (root / folder / "alto/a.wav").rename(root / folder / "alto" / name)
    results, _ = compared(root)
    assert row_of(results, f"alto/{name.removesuffix('.wav')}")["error"] == ""


def test_a_record_holds_as_long_as_the_output_does(root):
    compared(root)
    records = {path: path.stat().st_mtime_ns for path in (root / "out/clips").glob("*.json")}
    compared(root)
    assert {path: path.stat().st_mtime_ns for path in records} == records
    change(root, "alto/a", lambda x: 0.5 * x)
    results, _ = compared(root)
    assert sum(path.stat().st_mtime_ns != before for path, before in records.items()) == 1
    assert any("6.0 LU quieter" in note for note in row_of(results, "alto/a")["notes"])


def test_clips_with_a_missing_output_are_finished_too(root):
    (root / "mine/alto/a.wav").unlink()
    folder = output_folder("Mine", root / "mine", names(root)).of_clip("alto/a")
    task = Task("alto/a", str(root / "songs/alto/a.wav"), "griffin-lim-oracle", "M-STFT", str(root / "out"), (folder,))
    first = run_task(task)
    assert [row.error for row in first] == ["", f"no estimate in {root / 'mine'}"]
    written = root / "out/griffin-lim-oracle/alto/a.wav"
    before = written.stat().st_mtime_ns
    assert [row.error for row in run_task(task)] == [row.error for row in first]
    assert written.stat().st_mtime_ns == before


def test_a_file_that_goes_away_costs_its_own_system_only(root):
    folder = output_folder("Mine", root / "mine", names(root)).of_clip("alto/a")
    (root / "mine/alto/a.wav").unlink()
    out = str(root / "out")
    rows = run_task(Task("alto/a", str(root / "songs/alto/a.wav"), "griffin-lim-oracle", "M-STFT", out, (folder,)))
    assert [row.error for row in rows] == ["", f"{root / 'mine/alto/a.wav'}: there is no such file."]


def test_it_equals_itself_in_another_process(root):
    folder = output_folder("My vocoder", root / "mine", names(root))
    assert pickle.loads(pickle.dumps(folder)) == folder
    code = (
        "import pickle, sys; from pathlib import Path; from eval.compare.output_folder import output_folder;"
        "root = Path(sys.argv[1]); names = [Path('alto/a'), Path('bass/b')];"
        "sys.stdout.buffer.write(pickle.dumps(output_folder('My vocoder', root / 'mine', names)))"
    )
    done = subprocess.run([sys.executable, "-c", code, root], cwd=ROOT, capture_output=True, check=True)
    assert pickle.loads(done.stdout) == folder
    assert isinstance(folder, OutputFolder)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ((), "name at least one system, with --vocoders or --system"),
        (("--system", "x=/no/such/folder"), "there is no folder /no/such/folder"),
        (("--system", "reference=SONGS"), "cannot be a system's name"),
        (("--system", "x=SONGS", "--system", "x =SONGS"), "named twice: x"),
        (("--system", "nonsense"), "unknown vocoder 'nonsense'"),
    ],
)
def test_impossible_systems_get_one_line(root, options, reason):
    options = [option.replace("SONGS", str(root / "songs")) for option in options]
    done = command("eval", "compare", root / "songs", "--out", root / "out", *options, code=1)
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1


def test_score_takes_several_systems_by_name(root):
    write(root / "worse/b.wav", 0.2 * harmonic_tone(1.2, 300))
    systems = ("--system", f"Mine={root / 'mine'}", "--system", f"Worse={root / 'worse'}")
    done = command("eval", "score", root / "songs", *systems, *METRICS, "--json", root / "s.json", code=1)
    content = json.loads((root / "s.json").read_text())["systems"]
    assert list(content) == ["Mine", "Worse"]
    assert (content["Mine"]["n"]["M-STFT"], content["Worse"]["failed"]) == (2, ["alto/a"])
    assert "Mine\nM-STFT" in done.stdout
    assert "error: Worse: " in done.stderr
    for wrong in ((), (root / "mine", *systems), ("--system", "griffin-lim")):
        command("eval", "score", root / "songs", *wrong, code=1)


def test_names_become_ids_that_can_be_folders():
    assert id_of("My vocoder, v2.1") == "My-vocoder-v2-1"
    assert id_of("聲碼器") == "聲碼器"
    for name in ("", "///", "Reference", "x" * 61):
        with pytest.raises(ValueError, match="cannot be a system's name"):
            id_of(name)


def test_a_name_and_a_folder_are_told_from_a_checkpoint(root):
    assert named_folder(f"a={root / 'mine'}") == ("a", root / "mine")
    assert named_folder("griffin-lim") is None
    strange = root / "x=y.safetensors"
    strange.touch()
    assert named_folder(str(strange)) is None


@pytest.mark.parametrize("delay", [-3, 0, 4])
def test_an_estimate_on_its_timeline_has_the_references_length(delay):
    reference = np.arange(1, 9, dtype=np.float32)
    estimate = np.pad(reference, (delay, 0)) if delay > 0 else reference[-delay:]
    found = on_timeline(estimate, delay, 8)
    assert np.array_equal(found[max(0, -delay) :], reference[max(0, -delay) :])
    assert not found[: max(0, -delay)].any()
    assert len(found) == 8


def test_the_lossy_codec_of_a_file_is_known(tmp_path, tone):
    kinds = (("a.wav", "WAV", "PCM_16", ""), ("b.flac", "FLAC", "PCM_16", ""), ("c.ogg", "OGG", "VORBIS", "vorbis"))
    for name, kind, subtype, codec in (
        *kinds,
        ("d.wav", "WAV", "ULAW", "ULAW"),
        ("e.mp3", "MP3", "MPEG_LAYER_III", "mp3"),
    ):
        soundfile.write(tmp_path / name, tone, SAMPLE_RATE, format=kind, subtype=subtype)
        assert read_recording(tmp_path / name).lossy == codec


def test_files_of_no_clip_stand_in_the_results(root):
    change(root, "alto/a", lambda x: x)
    (root / "mine/alto/a.wav").rename(root / "mine/stray.wav")
    results, _ = compared(root, code=1)
    assert results["unused"] == {"My-vocoder": [str(root / "mine/stray.wav")]}


def test_another_length_is_measured_when_it_is_asked_for(root):
    change(root, "alto/a", lambda x: x[: len(x) // 2])
    folder = output_folder("Mine", root / "mine", names(root)).of_clip("alto/a")
    task = Task("alto/a", str(root / "songs/alto/a.wav"), "", "M-STFT", str(root / "out"), (folder,))
    (refused,) = run_task(task)
    assert "0.60 s" in refused.error
    (measured,) = run_task(replace(task, any_length=True))
    assert measured.error == ""
    assert measured.metrics["M-STFT"] is not None


def test_an_output_that_was_read_already_is_not_read_again(root):
    folder = output_folder("Mine", root / "mine", names(root)).of_clip("alto/a")
    recording = read_recording(root / "mine/alto/a.wav")
    (root / "mine/alto/a.wav").unlink()
    known = replace(folder, decoded=(("alto/a", recording),))
    assert known.read("alto/a", Limits()) is recording
    assert known.of_clip("bass/b").decoded == ()
