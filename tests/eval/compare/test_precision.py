"""Precision on its way through a comparison: every row says it, tables say where it differs, records of two are not mixed."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from eval.compare.folder import write_comparison
from eval.compare.measurement import Row
from eval.compare.recording import Output, compare
from eval.compare.summary import summarise
from eval.metrics.registry import METRICS
from tests.bfloat16 import take_for_able
from tests.command import command
from tests.conftest import harmonic_tone
from tests.robustness.checkpoint_cases import small_safetensors
from vocoders.audio import Recording
from vocoders.catalogue import find_system
from vocoders.hifigan.engine import in_precision
from vocoders.hifigan.precision import BFLOAT16, FLOAT32


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.safetensors"
    path.write_bytes(small_safetensors())
    return path


@pytest.fixture
def clip(tmp_path):
    folder = tmp_path / "clips"
    folder.mkdir()
    soundfile.write(folder / "a.wav", 0.5 * harmonic_tone(0.8, 150), 22_050, subtype="FLOAT")
    return folder


def test_rows_records_and_tables_of_a_folder(small, clip, tmp_path, monkeypatch):
    take_for_able(monkeypatch)
    out = tmp_path / "out"
    arguments = (
        "eval",
        "compare",
        clip,
        "--vocoders",
        f"griffin-lim,{small}",
        "--metrics",
        "M-STFT",
        "--out",
        out,
        "--force",
    )

    def rows():
        results = json.loads((out / "results.json").read_text())
        return results["precision"], {row["system"]: row.get("precision") for row in results["clips"]}

    command(*arguments)
    assert rows() == ({"small": [FLOAT32]}, {"griffin-lim": None, "small": FLOAT32})
    assert "bfloat16" not in (out / "report.html").read_text()
    written = (out / "small" / "a.wav").stat().st_mtime_ns
    command(*arguments, "--precision", "fast")
    assert rows() == ({"small": [BFLOAT16]}, {"griffin-lim": None, "small": BFLOAT16})
    assert (out / "small" / "a.wav").stat().st_mtime_ns != written, "a record of float32 is no record of bfloat16"
    report = (out / "report.html").read_text()
    assert "<b>Precision.</b> Computed in bfloat16" in report
    assert "Your small." in " ".join(report.split())
    with (out / "rows.csv").open() as file:
        assert [row["precision"] for row in csv.DictReader(file)] == ["", BFLOAT16]


def test_means_over_two_precisions_say_so(clip, tmp_path):
    """Clips that were made on different machines, of which one has no bfloat16."""
    rows = [
        Row(f"{n}", "griffin-lim", 1.0, 1.0, {"M-STFT": 1.0}, precision=precision)
        for n, precision in enumerate((FLOAT32, BFLOAT16))
    ]
    summary = summarise(rows, ["M-STFT"], "griffin-lim", {})
    assert summary.precisions == {"griffin-lim": (BFLOAT16, FLOAT32)}
    (tmp_path / "griffin-lim").mkdir()
    for row in rows:
        soundfile.write(tmp_path / "griffin-lim" / f"{row.clip}.wav", 0.5 * harmonic_tone(0.8, 150), 22_050)
    sources = {row.clip: clip / "a.wav" for row in rows}
    write_comparison(tmp_path, rows, [find_system("griffin-lim")], sources, [METRICS["M-STFT"]], {}, "griffin-lim")
    assert "(float32 on other clips: its means mix the two)" in (tmp_path / "report.html").read_text()


def test_an_output_of_the_page_says_it(small, monkeypatch):
    take_for_able(monkeypatch)
    system, found = find_system(str(small)), []
    tone = Recording("tone", harmonic_tone(0.5, 150).astype(np.float32))
    for precision in ("exact", "fast"):
        compare(tone, [in_precision(system, precision)], found.append)
    exact, fast = (event for event in found if isinstance(event, Output))
    assert (exact.precision, fast.precision) == (FLOAT32, BFLOAT16)
    assert exact.about == system.about
    assert fast.about == f"Computed in bfloat16. {system.about}"


def test_older_rows_have_none():
    row = Row("a", "griffin-lim", 1.0, 1.0, {})
    assert "precision" not in row.as_json()
    assert replace(row, precision=FLOAT32).as_json()["precision"] == FLOAT32
