"""`eval compare` and `eval homework`: files, resuming, failures, a Dask cluster."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from dask.distributed import LocalCluster

from eval.compare import clip_task as batch
from eval.compare.folder import compare_folder
from eval.homework import table as homework
from eval.metrics.registry import METRICS, choose_metrics
from tests.command import command
from tests.conftest import MEASURED, SYSTEMS, harmonic_tone
from vocoders.catalogue import BUILT_IN
from vocoders.recordings.files import find_audio
from vocoders.recordings.reader import read_recording


def test_results_table_and_outputs(compared):
    out, done = compared
    assert done.stdout.strip() == str(out / "report.html")
    assert done.stderr.count("voice0/bad.wav") >= 1  # one bad clip is named and does not stop the rest
    results = json.loads((out / "results.json").read_text())
    assert set(results) >= {"metrics", "clips", "versions", "against_baseline", "undefined"}
    assert results["n"] == dict.fromkeys(MEASURED.split(","), 6)
    assert {(failure["clip"], failure["system"]) for failure in results["failed"]} == {
        ("voice0/bad", system) for system in SYSTEMS.split(",")
    }
    assert all(
        row["history"].startswith("FLAC, mono, 22.05 kHz, 0.80 s") for row in results["clips"] if not row["error"]
    )
    assert "n = 6 of 7" in (out / "report.html").read_text()
    ours, oracle = (results["metrics"][system_id] for system_id in SYSTEMS.split(","))
    assert ours["M-STFT"] > oracle["M-STFT"] > 0
    assert ours["FAD"] is None
    assert "VGGish" in results["undefined"]["FAD"]
    assert ours["FAD-distillmos"] > oracle["FAD-distillmos"] >= 0
    difference = results["against_baseline"]["griffin-lim-oracle"]["M-STFT"]
    assert difference["n"] == 6
    assert difference["low"] <= difference["mean"] <= difference["high"] < 0
    with (out / "rows.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 * 2 * 3
    assert {row["metric"] for row in rows} == set(MEASURED.split(","))
    assert len(list(out.glob("griffin-lim/voice*/*.wav"))) == 6


def test_finished_clips_are_not_made_again(compared, clips):
    out, _ = compared
    again = ("eval", "compare", clips, "--vocoders", SYSTEMS, "--out", out, "--metrics", MEASURED)
    assert "exists already" in command(*again, code=1).stderr
    written = {path: path.stat().st_mtime_ns for path in out.glob("griffin-lim/*/*.wav")}
    lost = sorted(written)[0]
    lost.unlink()
    before = json.loads((out / "results.json").read_text())["metrics"]
    command(*again, "--force", code=1)
    assert json.loads((out / "results.json").read_text())["metrics"]["griffin-lim"]["M-STFT"] == pytest.approx(
        before["griffin-lim"]["M-STFT"], rel=1e-6
    )
    assert {path for path in written if path.stat().st_mtime_ns != written[path]} == {lost}


def test_a_clip_that_one_system_fails_on_counts_for_none(tmp_path, monkeypatch):
    """And what was unexpected about a recording is said, listed and kept."""
    for name, f0, offset in (("a & b", 110, 0.02), ("c", 147, 0.0), ("d", 196, 0.0), ("hard", 330, 0.0)):
        path = tmp_path / "clips" / f"{name}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, 0.9 * harmonic_tone(0.8, f0) + offset, 22_050, subtype="FLOAT")
    make, hard = batch.synthesize, read_recording(path).samples

    def synthesize(system, analysis):
        if system.id == "griffin-lim" and np.array_equal(analysis.features(()), hard):
            raise RuntimeError("out of luck")
        return make(system, analysis)

    monkeypatch.setattr(batch, "synthesize", synthesize)
    arguments = ("--vocoders", SYSTEMS, "--out", tmp_path / "out", "--metrics", "M-STFT,hop buzz")
    done = command("eval", "compare", tmp_path / "clips", *arguments, code=1)
    assert "error: hard: griffin-lim: RuntimeError: out of luck\n" in done.stderr
    assert "note: a & b: a constant offset of +0.020 removed.\n" in done.stderr
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["n"]["M-STFT"] == 3
    rows = {(row["clip"], row["system"]): row for row in results["clips"]}
    for system in SYSTEMS.split(","):
        values = [rows[clip, system]["metrics"]["M-STFT"] for clip in ("a & b", "c", "d")]
        assert results["metrics"][system]["M-STFT"] == pytest.approx(np.mean(values))
        assert results["intervals"][system]["M-STFT"]["n"] == 3
        assert results["metrics"][system]["FAD-distillmos"] >= 0  # of the same three clips
    assert rows["a & b", "griffin-lim"]["notices"] == ["a constant offset of +0.020 removed"]
    assert "a constant offset of +0.020 removed" in rows["a & b", "griffin-lim"]["history"]
    report = (tmp_path / "out" / "report.html").read_text()
    assert "<li>a &amp; b: a constant offset of +0.020 removed</li>" in report
    assert "n = 3 of 4" in report


def test_a_dask_cluster_gives_the_same(clips, compared, tmp_path):
    out, _ = compared
    rows = json.loads((out / "results.json").read_text())["clips"]
    known = {
        row["clip"]: row["metrics"]["M-STFT"] for row in rows if row["system"] == "griffin-lim" and not row["error"]
    }
    every = sorted((name, path) for name, path in find_audio([clips]).items() if path.suffix == ".flac")
    good = dict(every[:2])
    wanted = {str(name): known[str(name)] for name in good}
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        failed = compare_folder(
            good,
            "griffin-lim",
            tmp_path / "out",
            baseline=None,
            metrics=choose_metrics("M-STFT"),
            dask=cluster.scheduler_address,
        )
    assert failed == []
    rows = json.loads((tmp_path / "out" / "results.json").read_text())["clips"]
    found = {row["clip"]: row["metrics"]["M-STFT"] for row in rows}
    # sums in another order, through 32 iterations
    assert found == pytest.approx(wanted, rel=1e-3)


def test_a_metric_that_cannot_be_computed_is_left_out_and_named(clips, tmp_path, monkeypatch):
    monkeypatch.setitem(METRICS, "MCD", replace(METRICS["MCD"], why_not=lambda: "no cepstra here"))
    arguments = ("eval", "compare", clips / "voice1", "--vocoders", "griffin-lim", "--out")
    done = command(*arguments, tmp_path / "some", "--metrics", "M-STFT,MCD")
    assert "MCD was left out: no cepstra here" in done.stderr
    assert json.loads((tmp_path / "some" / "results.json").read_text())["undefined"]["MCD"] == "no cepstra here"
    assert "MCD: no cepstra here" in command(*arguments, tmp_path / "none", "--metrics", "MCD", code=1).stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--vocoders", "griffin-lim", "--baseline", "other"), "the baseline 'other' is not among --vocoders"),
        (("--vocoders", "nonsense"), "unknown vocoder 'nonsense'; known:"),
        (("--vocoders", "griffin-lim", "--every", "0"), "--every is at least 1"),
    ],
)
def test_impossible_wishes_get_one_line(clips, tmp_path, options, reason):
    done = command("eval", "compare", clips, "--out", tmp_path / "out", *options, code=1)
    assert reason in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_homeworks_table_has_its_rows_and_explains_them():
    known = {system.id for system in BUILT_IN}
    assert [line.system for line in homework.LINES[:3]] == [
        "griffin-lim-oracle",
        "hifigan-hw2",
        "hifigan-original-mismatch",
    ]
    assert {line.system for line in homework.LINES} <= known
    metrics = {line.system: {"M-STFT": 1.0, "log2f0_mean": None, "FAD-distillmos": 2.0} for line in homework.LINES}
    text = homework.as_text(metrics, 7)
    assert "1.000 (0.322)" in text
    assert "n/a (0.0618)" in text
    assert all(line.why.split()[0] in text for line in homework.LINES)
