"""Processes side by side: how many, and how many threads each of their pools has. Counts, on this machine's cores."""

import functools
import json
import os
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch

from eval.jobs import Division, divide, side_by_side
from tests.command import command
from tests.signals import harmonic_tone
from tests.waiting import until
from vocoders.audio import write_wav

CORES = joblib.cpu_count()


def pools(item: str, folder: Path, processes: int) -> dict[str, int]:
    """Threads of everything that computes for a clip, once as many processes have come here as were asked for."""
    from threadpoolctl import threadpool_info

    from eval.benchmarks.speed import random_checkpoint
    from eval.metrics import pitch
    from vocoders.hifigan.generator import V3
    from vocoders.hifigan.openvino_generator import OpenVINOGenerator
    from vocoders.phase import stft

    (folder / str(os.getpid())).touch()
    until(lambda: len(list(folder.iterdir())) >= processes, f"{processes} processes work")
    torch.manual_seed(0)
    generator = OpenVINOGenerator(random_checkpoint(V3))
    pitch.track_pitch(np.zeros(22_050, np.float32))
    return {
        "process": os.getpid(),
        "OpenMP and BLAS": max(pool["num_threads"] for pool in threadpool_info()),
        "torch": torch.get_num_threads(),
        "STFT": stft._threads()._max_workers,
        "OpenVINO": generator._compiled.get_property("INFERENCE_NUM_THREADS"),
        "windows": generator.parallel,
        "pitch": pitch._tracker().session.get_session_options().intra_op_num_threads,
    }


def test_cores_are_divided_among_jobs():
    assert divide(1, 100, 8) == Division(1, 8)
    assert divide(2, 100, 8) == Division(2, 4)
    assert divide(3, 100, 8) == Division(3, 2)
    assert divide(-1, 100, 8) == Division(8, 1)
    assert divide(-3, 100, 8) == Division(6, 1)
    assert divide(-1, 2, 8) == Division(2, 4)  # no process without a clip
    assert divide(100, 100, 8) == Division(8, 1)  # no more than cores
    assert divide(-1, 0, 8) == Division(1, 8)
    for cores in range(1, 70):
        for jobs in (-70, -2, -1, *range(1, 70)):
            found = divide(jobs, 50, cores)
            assert 1 <= found.jobs * found.threads <= cores
    with pytest.raises(ValueError, match="--jobs is a number of processes, or -1"):
        divide(0, 1, 1)


@pytest.fixture(autouse=True)
def no_bound_on_threads(monkeypatch):
    """The suite's own, which would hide what is tested."""
    monkeypatch.delenv("OMP_NUM_THREADS")


def test_the_environment_bounds_the_threads_of_a_process(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert divide(2, 100, 16) == Division(2, 2)
    monkeypatch.setenv("OMP_NUM_THREADS", "4,2")  # of nested levels: says nothing here
    assert divide(2, 100, 16) == Division(2, 8)


@pytest.mark.skipif(CORES < 2, reason="needs two cores")
@pytest.mark.parametrize("cores", [2, 4])
def test_every_pool_of_every_process_has_its_share(cores, tmp_path, monkeypatch):
    """Of as many cores as this process is told that there are; a pool has no more threads than there really are."""
    monkeypatch.setattr(joblib, "cpu_count", lambda: cores)
    work = functools.partial(pools, folder=tmp_path, processes=2)
    found = [counts for _, counts in side_by_side(work, ["a", "b", "c", "d"], jobs=2)]
    share = cores // 2
    assert {counts.pop("process") for counts in found} == {int(path.name) for path in tmp_path.iterdir()}
    assert len(list(tmp_path.iterdir())) == 2
    for counts in found:
        assert counts["torch"] == share
        assert max(counts.values()) == share
        assert {counts[pool] for pool in ("STFT", "OpenVINO", "windows")} == {min(share, CORES)}


def test_one_job_stays_in_this_process():
    work = functools.partial(_process)
    assert list(side_by_side(work, ["a", "b"], jobs=1)) == [(0, os.getpid()), (1, os.getpid())]
    assert list(side_by_side(work, ["a"], jobs=-1)) == [(0, os.getpid())]


def _process(item: str) -> int:
    return os.getpid()


def test_the_callers_backend_is_used():
    """As a cluster's is: here threads of this process."""
    with joblib.parallel_config("threading", n_jobs=2):
        found = dict(side_by_side(_process, list("abcde"), jobs=None))
    assert found == dict.fromkeys(range(5), os.getpid())
    assert "LOKY_MAX_CPU_COUNT" not in os.environ


def test_scores_are_the_same_side_by_side(tmp_path):
    for number, f0 in enumerate((110, 220, 330)):
        tone = harmonic_tone(0.9, f0)
        write_wav(tmp_path / "songs" / f"{number}.wav", tone)
        write_wav(tmp_path / "outputs" / f"{number}.wav", tone * np.float32(0.9))
    (tmp_path / "songs" / "bad.wav").write_bytes(b"no sound")
    (tmp_path / "outputs" / "bad.wav").write_bytes(b"no sound")
    files = [tmp_path / f"{jobs}.json" for jobs in (1, 2)]
    for jobs, file in zip((1, 2), files):
        options = ("--metrics", "M-STFT,F0 error", "--json", file, "--jobs", jobs)
        done = command("eval", "score", tmp_path / "songs", tmp_path / "outputs", *options, code=1)
        assert "bad.wav" in done.stderr
    one, two = (json.loads(file.read_text()) for file in files)
    assert [clip["name"] for clip in one["clips"]] == [clip["name"] for clip in two["clips"]] == ["0", "1", "2"]
    for first, second in zip(one.pop("clips"), two.pop("clips")):
        assert {
            name: pytest.approx(value, rel=1e-4) if isinstance(value, float) else value for name, value in first.items()
        } == second
    assert one.pop("metrics") == pytest.approx(two.pop("metrics"), rel=1e-4)
    assert one == two
