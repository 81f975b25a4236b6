"""A run's generator leaves as a file that the app and the commands load with no further step."""

import contextlib
import dataclasses
import io
import json

import numpy as np
import pytest
import soundfile
import torch

from tests.command import command
from tests.conftest import harmonic_tone
from train.config import PRESETS, with_input
from train.export import BEST, export
from train.loop import fit
from train.saving import load
from train.schedule import Budget
from ui.vocoders.uploads import add_upload
from vocoders.analysis import Analysis, synthesize
from vocoders.catalogue import own_checkpoint_system
from vocoders.checkpoints.checkpoint import CheckpointError, read_checkpoint
from vocoders.hifigan.generator import Generator

TINY = dataclasses.replace(PRESETS["tiny"], validate_every=4, validation_seconds=1.0)


def test_the_metadata_says_what_was_trained_on_what_and_for_how_long(short_run, pack, tmp_path):
    export(short_run, tmp_path / "mine.safetensors", latest=True, licence="CC BY-NC-SA 4.0")
    about = read_checkpoint(tmp_path / "mine.safetensors").about
    assert (about["preset"], about["steps"], about["licence"]) == ("tiny", "8", "CC BY-NC-SA 4.0")
    assert float(about["audio_hours_heard"]) == pytest.approx(8 * 4 * 4096 / 22_050 / 3600, rel=1e-3)
    assert about["data_fingerprint"] == pack.fingerprint
    assert json.loads(about["data_licences"]) == {"CC0": 9}
    assert json.loads(about["training"])["batch"] == 4
    curves = json.loads(about["curves"])
    assert curves.keys() == {"total", "mel", "validation mel", "validation M-STFT"}
    assert [step for step, _ in curves["validation mel"]] == [4, 8]


def test_the_command_writes_it_and_resynth_plays_it(short_run, tmp_path):
    soundfile.write(tmp_path / "song.wav", harmonic_tone(1.0), 22_050)
    out = tmp_path / "mine.safetensors"
    assert "tiny, step" in command("train", "export", short_run, "--out", out).stdout
    assert "exists already; --force" in command("train", "export", short_run, "--out", out, code=1).stderr
    (tmp_path / "scores.json").write_text(json.dumps({"metrics": {"M-STFT": 1.5}, "clips": []}))
    command("train", "export", short_run, "--out", out, "--scores", tmp_path / "scores.json", "--force")
    assert json.loads(read_checkpoint(out).about["metrics"]) == {"M-STFT": 1.5}
    command("vocoders", "resynth", tmp_path / "song.wav", "--vocoders", out, "--out", tmp_path / "outputs")
    samples, _ = soundfile.read(tmp_path / "outputs" / "mine" / "song.wav")
    assert len(samples) == 22_050
    assert np.abs(samples).max() > 1e-3


def test_the_app_takes_it_as_an_upload(short_run, tmp_path):
    export(short_run, tmp_path / "mine.safetensors")
    _, system = add_upload((), str(tmp_path / "mine.safetensors"), None, "hifigan")
    assert (system.id, system.mel) == ("own-mine", "hw2")


def test_half_precision_changes_the_output_by_less_than_a_thousandth(short_run, tmp_path, tone):
    whole, half = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    export(short_run, whole)
    export(short_run, half, half=True)
    assert half.stat().st_size < 0.75 * whole.stat().st_size  # the metadata weighs as much as these few weights
    outputs = [synthesize(own_checkpoint_system(path), Analysis(tone)) for path in (whole, half)]
    assert 0 < np.abs(outputs[0] - outputs[1]).max() < 1e-3


def test_the_originals_format_gives_the_same_generator(short_run, tmp_path):
    ours = export(short_run, tmp_path / "mine.safetensors", latest=True)
    export(short_run, tmp_path / "g_00000008", latest=True, jik876=True)
    theirs = read_checkpoint(tmp_path / "g_00000008", "hw2")
    assert theirs.config == ours.config
    assert all(torch.allclose(theirs.weights[name], ours.weights[name], atol=1e-6) for name in ours.weights)
    state = torch.load(tmp_path / "g_00000008", weights_only=True)["generator"]
    assert {"conv_pre.weight_g", "conv_pre.weight_v", "conv_pre.bias"} <= state.keys()


@pytest.mark.parametrize(("name", "options"), [("x.onnx", ()), ("x", ()), ("x.safetensors", ("--jik876",))])
def test_a_name_that_promises_another_format_is_refused(short_run, tmp_path, name, options):
    said = command("train", "export", short_run, "--out", tmp_path / name, *options, code=1).stderr
    assert ("--jik876 writes PyTorch's format" if options else "a generator is written as .safetensors") in said
    assert not list(tmp_path.iterdir())


def test_the_originals_format_can_be_half_as_large(short_run, tmp_path):
    ours = export(short_run, tmp_path / "g_00000008", latest=True, jik876=True)
    (tmp_path / "half").mkdir()
    export(short_run, tmp_path / "half" / "g_00000008", latest=True, jik876=True, half=True)
    state = torch.load(tmp_path / "half" / "g_00000008", weights_only=True)["generator"]
    assert {tensor.dtype for tensor in state.values()} == {torch.float16}
    found = read_checkpoint(tmp_path / "half" / "g_00000008").weights
    for name, tensor in ours.weights.items():
        assert torch.allclose(found[name], tensor.float(), rtol=2e-3, atol=1e-4), name


@pytest.fixture(scope="module")
def dead_run(pack, fabric, tmp_path_factory):
    """Its generator's last layer is saturated: a constant, which no gradient changes."""
    folder = tmp_path_factory.mktemp("dead")
    config = dataclasses.replace(TINY, start="checkpoint")

    def saturated():
        weights = Generator(config.generator).state_dict()
        return {**weights, "conv_post.bias": torch.tensor([30.0])}

    with contextlib.redirect_stderr(io.StringIO()) as said:
        fit(folder, pack, config, Budget(steps=4), fabric, preset="tiny", start_weights=saturated)
    return folder, said.getvalue()


def test_a_generator_without_sound_is_nobodys_best(dead_run):
    folder, said = dead_run
    assert "(no sound: its output is constant)" in said
    assert "best so far" not in said
    assert not (folder / BEST).exists()


@pytest.mark.parametrize("latest", [True, False])
def test_a_generator_without_sound_is_not_exported(dead_run, tmp_path, latest):
    with pytest.raises(
        ValueError, match=r"the generator of step 4 makes no sound, only a constant 1\.0000; it is not exp"
    ):
        export(dead_run[0], tmp_path / "dead.safetensors", latest=latest)
    assert not list(tmp_path.iterdir())


def test_what_the_original_is_given_knows_its_mel(short_run, tmp_path):
    export(short_run, tmp_path / "g_00000008", latest=True, jik876=True)
    assert read_checkpoint(tmp_path / "g_00000008").recipe.name == "hw2"
    with pytest.raises(CheckpointError, match=r"trained on the hw2 mel, not on hifigan, as config\.json says"):
        read_checkpoint(tmp_path / "g_00000008", "hifigan")


def test_the_originals_format_cannot_hold_an_amplitude_input(pack, fabric, tmp_path):
    fit(tmp_path, pack, with_input(TINY, "amplitude"), Budget(steps=1), fabric, preset="tiny")
    with pytest.raises(ValueError, match="has 80 input channels, this generator 593"):
        export(tmp_path, tmp_path / "g_1", jik876=True)


def test_the_export_is_the_average_of_the_state(short_run, tmp_path, fabric):
    content = load(short_run)
    found = export(short_run, tmp_path / "a.safetensors", latest=True).weights
    gain = content["average"]["conv_post.parametrizations.weight.original0"]
    direction = content["average"]["conv_post.parametrizations.weight.original1"]
    assert torch.allclose(found["conv_post.weight"], gain * direction / direction.flatten(1).norm(dim=1)[:, None, None])
