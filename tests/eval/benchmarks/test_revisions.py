"""Two revisions in turns: what is measured, what a ratio says, and what is missing. Processor time alone is judged."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from common.paths import ROOT
from eval.benchmarks.page_speed import ALL_NUMBERS, ALL_SOUNDS, SOUND, App
from eval.benchmarks.processor_time import processor_seconds
from eval.benchmarks.revisions import turns
from eval.benchmarks.revisions.checkout import checked_out
from eval.benchmarks.revisions.memory import Memory, measure_memory
from eval.benchmarks.revisions.ratios import paired_ratio
from eval.benchmarks.revisions.report import line, memory_line, report_revisions
from eval.benchmarks.revisions.side import Side
from eval.benchmarks.revisions.turns import Spent, compare_pages, compared, in_turns, likeness, times_for
from tests.command import command
from tests.conftest import start_app

GRIFFIN_LIM, PICTURE = "Griffin-Lim, 32 iterations", "a spectrogram's picture"
THRICE = """
_once = griffin_lim


def griffin_lim(*arguments, **named):
    _once(*arguments, **named)
    _once(*arguments, **named)
    return _once(*arguments, **named)
"""


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=A. Tester", "-c", "user.email=tester@example.org")
    return subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def changed_tree(tmp_path_factory) -> Path:
    """A checkout of this project whose committed revision does Griffin-Lim three times, and has no pictures; neither is so in its
    files."""
    root = tmp_path_factory.mktemp("checkout")
    for package in ("common", "vocoders", "eval"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "assets").mkdir()
    shutil.copy(ROOT / "assets" / "upper-band.npz", root / "assets")
    changed, lost = root / "vocoders" / "phase" / "griffin_lim.py", root / "eval" / "reports" / "spectrogram.py"
    now, picture = changed.read_text(), lost.read_text()
    changed.write_text(now + THRICE)
    lost.unlink()
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "slow, without pictures")
    git(root, "tag", "slow")
    changed.write_text(now)
    lost.write_text(picture)
    return root


def test_an_older_revision_is_slower_by_its_work_and_lacks_what_came_later(changed_tree, capsys):
    content = report_revisions("slow", 6, 1.0, [GRIFFIN_LIM, PICTURE, "griffin-lim"], [], changed_tree)
    tasks, printed = content["tasks"], capsys.readouterr()
    assert content["there"] == git(changed_tree, "rev-parse", "--short=12", "slow").strip()
    assert list(tasks) == [GRIFFIN_LIM, PICTURE, "griffin-lim"]
    for name in (GRIFFIN_LIM, "griffin-lim"):
        assert tasks[name]["processor"]["verdict"] == "faster"
        assert tasks[name]["processor"]["coverage"] == 1 - 2 / 2**6
        assert tasks[name]["outputs"] == "equal"
    assert tasks[GRIFFIN_LIM]["processor"]["median"] == pytest.approx(3, rel=0.3)
    assert 1.5 < tasks["griffin-lim"]["processor"]["median"] < 3  # mel and inversion take as long as now
    assert tasks[PICTURE]["there"] is None
    assert tasks[PICTURE]["here"]["processor"] > 0
    assert (
        "ModuleNotFoundError" in tasks[PICTURE]["missing"]["there"]
        or "ImportError" in tasks[PICTURE]["missing"]["there"]
    )
    assert f"note: {PICTURE}: not there in {content['there']}" in printed.err
    rows = [row for row in printed.out.splitlines() if row.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows[1:]] == [f"| {name}" for name in tasks]
    assert rows[1].endswith("| **faster** | equal |")
    assert "96.9 %" in printed.out


def test_the_repository_is_left_as_it_was(changed_tree):
    before = git(changed_tree, "status", "--porcelain"), git(changed_tree, "worktree", "list")
    with checked_out("slow", changed_tree) as there:
        assert THRICE in (there.folder / "vocoders" / "phase" / "griffin_lim.py").read_text()
        assert not (there.folder / "eval" / "reports" / "spectrogram.py").exists()
    assert not there.folder.exists()
    assert (git(changed_tree, "status", "--porcelain"), git(changed_tree, "worktree", "list")) == before
    assert THRICE not in (changed_tree / "vocoders" / "phase" / "griffin_lim.py").read_text()


@pytest.mark.parametrize("name", ["no-such-branch", "--all", "HEAD:eval", ""])
def test_an_unknown_revision_gets_one_sentence(changed_tree, name):
    with pytest.raises(ValueError, match="there is no revision"), checked_out(name, changed_tree):
        pass


def test_a_folder_without_git_has_no_other_revision(tmp_path):
    with pytest.raises(ValueError, match="is no git checkout"), checked_out("HEAD", tmp_path):
        pass


def test_a_revision_whose_process_ends_is_told_with_its_last_words(tmp_path):
    (tmp_path / "vocoders").mkdir()
    (tmp_path / "vocoders" / "__init__.py").write_text(
        "import os, sys\nprint('no luck', file=sys.stderr)\nsys.stderr.flush()\nos._exit(3)\n"
    )
    with Side("old", tmp_path) as side, pytest.raises(ValueError, match="the process of old ended with 3: no luck"):
        side.ask("names")


def test_a_revision_with_nothing_in_common_is_an_error(changed_tree):
    commit = git(changed_tree, "commit-tree", "slow:assets", "-m", "nothing but assets").strip()
    with pytest.raises(ValueError, match="nothing in common"):
        report_revisions(commit, 1, 0.5, ["hw2 mel"], [], changed_tree)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--only", "hw2 mel"), "--only chooses among"),
        (("--memory", "--only", "nonsense"), "unknown system 'nonsense'; known: griffin-lim-oracle"),
        (("--memory", "5,20", "--long", "1"), "--long belongs to"),
        (("--against", "HEAD", "--rounds", "0"), "--rounds is at least 1"),
    ],
)
def test_impossible_wishes_get_one_line(options, reason):
    done = command("eval", "speed", *options, code=1)
    assert reason in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_turns_alternate_and_the_first_of_each_side_does_not_count():
    order: list[str] = []

    def run(side: int, number: int) -> str:
        order.append("AB"[side])
        return f"{'AB'[side]}{number}"

    assert list(in_turns(run, 3)) == [("A1", "B1"), ("A2", "B2"), ("A3", "B3")]
    assert "".join(order) == "BAABBAAB"


def test_what_is_short_is_done_several_times_a_turn():
    assert times_for(0.5) == 1
    assert times_for(turns.MIN_TURN_SECONDS / 7) == 7
    assert times_for(0.0) == turns.MAX_TIMES


def test_the_interval_is_the_sign_tests():
    """Order statistics of 20 values: the 6th and the 15th, which cover the median with 95.9 % (David & Nagaraja 2003)."""
    ratios = np.linspace(1.1, 3.0, 20)
    found = paired_ratio(ratios, np.ones(20))
    assert (found.low, found.high) == (ratios[5], ratios[14])
    assert found.coverage == pytest.approx(0.9586, abs=1e-4)
    assert found.median == pytest.approx(np.median(ratios))
    assert found.verdict == "faster"


def test_only_what_is_clear_is_marked():
    assert paired_ratio([2.0] * 5, [1.0] * 5).verdict == ""  # five turns cover 93.75 %
    assert paired_ratio([2.0] * 6, [1.0] * 6).verdict == "faster"
    assert paired_ratio([1.0] * 6, [2.0] * 6).verdict == "slower"
    assert paired_ratio([1.03] * 6, [1.0] * 6).verdict == ""  # too little to tell from another process
    assert paired_ratio([2.0, 2.0, 2.0, 2.0, 2.0, 0.9], [1.0] * 6).verdict == ""
    assert paired_ratio([0.010] * 6, [0.011] * 6).verdict == ""  # nor a tenth of some milliseconds
    assert paired_ratio([0.010] * 6, [0.012] * 6).verdict == "slower"
    with pytest.raises(ValueError, match="no turns"):
        paired_ratio([], [])


def test_ratios_are_those_of_neighbours():
    """A machine that slows down by half in every round changes no ratio."""
    pairs = [(Spent(2.0**number, 3 * 2.0**number), Spent(4 * 2.0**number, 3 * 2.0**number)) for number in range(6)]
    found = compared("x", pairs)
    assert found.wall is not None
    assert found.processor is not None
    assert (found.wall.low, found.wall.high, found.wall.verdict) == (4.0, 4.0, "faster")
    assert (found.processor.low, found.processor.high, found.processor.verdict) == (1.0, 1.0, "")
    assert "**" not in line(found)  # processor time decides


def test_likeness_of_outputs(tmp_path):
    first, second = tmp_path / "a.npy", tmp_path / "b.npy"
    np.save(first, np.ones(100))
    assert likeness(first, second) == ""
    np.save(second, np.ones(100))
    assert likeness(first, second) == "equal"
    np.save(second, np.full(100, 1.1))
    assert likeness(second, first) == "20.0 dB SNR"
    np.save(second, np.ones(50))
    assert "other sizes" in likeness(first, second)


def test_a_page_tells_what_is_waited_for(tmp_path):
    process, url = start_app(tmp_path)
    try:
        tone = 0.1 * np.sin(np.arange(22_050) * 0.05).astype(np.float32)
        waited = App(process.pid, url, tmp_path).compare(tone, ["griffin-lim", "griffin-lim-oracle"])
    finally:
        process.terminate()
        process.wait(20)
    assert [moment.what for moment in waited] == [SOUND, ALL_SOUNDS, ALL_NUMBERS]
    spent = [moment.processor for moment in waited]
    assert all(value is not None for value in spent)
    assert 0 <= spent[0] <= spent[1] <= spent[2]
    assert spent[2] > 0


def test_a_revision_without_an_app_is_missing(tmp_path):
    (row,) = compare_pages((tmp_path, tmp_path), np.zeros(100, np.float32), ["griffin-lim"], 1, tmp_path)
    assert row.missing == dict.fromkeys(("here", "there"), "the app did not start; see what `python app.py` says")
    assert row.here is None


def test_processor_time_includes_children():
    work = "import time\nwhile time.process_time() < 0.5: pass"  # more than is asserted: the system counts in ticks of 0.01 s
    code = (
        f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {work!r}]).wait()\nprint(flush=True)\ninput()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        spent = processor_seconds(process.pid)
        process.communicate(b"\n")
    assert spent is not None
    assert 0.4 <= spent < 2
    assert processor_seconds(process.pid) is None


def test_memory_of_a_system_in_a_process_of_its_own():
    """Griffin-Lim holds the whole spectrum: at least a complex number for each of 513 bins of a frame."""
    found = measure_memory("this tree", ROOT, "griffin-lim-oracle", [2.0, 22.0])
    assert isinstance(found, Memory)
    assert found.peaks[1] > found.peaks[0] > 0
    assert found.slope > 22_050 / 256 * 513 * 8
    assert not found.is_flat
    assert "| grows |" in memory_line("griffin-lim-oracle", "now", found, 2)


def test_the_slope_of_memory_is_that_of_a_line():
    assert Memory(0, (5.0, 20.0, 60.0), (7_000_000, 10_000_000, 18_000_000)).slope == pytest.approx(200_000)
    assert Memory(0, (5.0, 20.0), (7_000_000, 10_000_000)).is_flat


def test_a_system_that_is_not_there_has_no_memory():
    assert "unknown vocoder 'nonsense'" in str(measure_memory("this tree", ROOT, "nonsense", [1.0, 2.0]))
