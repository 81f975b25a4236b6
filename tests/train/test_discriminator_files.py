"""The discriminators of a run leave with it, under the original's names, and another run goes on from them bit for bit."""

import dataclasses
import json

import pytest
import torch

from tests.command import command
from tests.golden.make_discriminators import GOLDEN, kept, state_of, waveform
from train.config import PRESETS
from train.networks.discriminator_files import load_discriminators, read_discriminators, write_discriminators
from train.networks.discriminators import PERIODS, Discriminators
from train.saving import load
from train.state import content_of, new_state
from vocoders.checkpoints.checkpoint import read_checkpoint

ORIGINAL = dataclasses.replace(PRESETS["tiny"], period_channels=32, scale_discriminators=3, resolution_windows=())


@pytest.fixture
def exported(short_run, tmp_path):
    """(generator, discriminators)"""
    files = tmp_path / "mine.safetensors", tmp_path / "do_00000008"
    command("train", "export", short_run, "--out", files[0], "--latest", "--discriminators", files[1])
    return files


def test_a_run_goes_on_from_an_export_bit_for_bit(short_run, exported, fabric):
    generator, discriminators = exported
    saved = load(short_run)
    state = new_state(
        PRESETS["tiny"], fabric, dict(read_checkpoint(generator).weights), read_discriminators(discriminators)
    )
    found = content_of(state)
    assert found["discriminators"].keys() == saved["discriminators"].keys()
    assert len(found["discriminators"]) > 10
    assert all(torch.equal(found["discriminators"][name], value) for name, value in saved["discriminators"].items())
    moments, wanted = found["discriminator_optimizer"]["state"], saved["discriminator_optimizer"]["state"]
    assert moments.keys() == wanted.keys()
    assert len(wanted) > 10
    assert all(
        torch.equal(moments[index][name], value) for index, entry in wanted.items() for name, value in entry.items()
    )


def test_the_command_trains_on(short_run, exported, pack, tmp_path):
    generator, discriminators = exported
    options = ("--preset", "tiny", "--accelerator", "cpu", "--steps", 1, "--generator-only", 0)
    command("train", "fit", "--data", pack.root, "--out", tmp_path / "run", *options, "--from", generator,
            "--discriminators", discriminators)  # fmt: skip
    before, after = (load(run)["discriminator_optimizer"]["state"][0]["step"] for run in (short_run, tmp_path / "run"))
    assert after == before + 1 > 1
    done = command(
        "train",
        "fit",
        "--data",
        pack.root,
        "--out",
        tmp_path / "b",
        *options,
        "--discriminators",
        discriminators,
        code=1,
    )
    assert "give it, too, with --from FILE" in done.stderr
    done = command("train", "fit", "--data", pack.root, "--out", tmp_path / "b", *options, "--from", generator,
                   "--discriminators", generator, code=1)  # fmt: skip
    assert "holds no discriminators" in done.stderr


def test_the_original_has_the_same_names_and_shapes(tmp_path):
    """Those of `MultiPeriodDiscriminator` and `MultiScaleDiscriminator` of jik876/hifi-gan."""
    torch.manual_seed(0)
    networks = Discriminators(ORIGINAL)
    write_discriminators(
        tmp_path / "do_1", {"discriminators": networks.state_dict(), "step": 1, "discriminator_optimizer": {}}
    )
    content = read_discriminators(tmp_path / "do_1")
    layers = [f"convs.{index}" for index in range(5)] + ["conv_post"]
    usual = ("weight_g", "weight_v", "bias")
    assert content["mpd"].keys() == {
        f"discriminators.{i}.{layer}.{name}" for i in range(len(PERIODS)) for layer in layers for name in usual
    }
    first = ("weight_orig", "weight_u", "weight_v", "bias")
    layers = [f"convs.{index}" for index in range(7)] + ["conv_post"]
    assert content["msd"].keys() == {
        f"discriminators.{i}.{layer}.{name}" for i in range(3) for layer in layers for name in (usual if i else first)
    }
    assert content["mpd"]["discriminators.0.convs.0.weight_v"].shape == (32, 1, 5, 1)
    assert content["msd"]["discriminators.0.convs.1.weight_u"].shape == (128,)
    other = Discriminators(ORIGINAL)
    load_discriminators(other, content)
    assert all(torch.equal(value, networks.state_dict()[name]) for name, value in other.state_dict().items())


def test_the_originals_classes_load_a_file_strictly_and_both_give_the_same_feature_maps(tmp_path):
    """The names, shapes and outputs are those of the original's own classes: `tests/golden/make_discriminators.py`."""
    golden = json.loads(GOLDEN.read_text())
    theirs = {family: state_of(shapes) for family, shapes in golden["shapes"].items()}
    networks = Discriminators(PRESETS["paper-v1"]).eval()
    load_discriminators(networks, theirs)
    with torch.inference_mode():
        outputs = networks(waveform())
    for family, wanted in golden["outputs"].items():
        assert len(outputs[family]) == len(wanted)
        for maps, numbers in zip(outputs[family], wanted, strict=True):
            for found, values in zip(kept(maps), map(torch.tensor, numbers), strict=True):
                assert values.std() > 0.01 * values.abs().max()
                assert (torch.tensor(found) - values).abs().max() < 1e-4 * values.abs().max()
    content = {"discriminators": networks.state_dict(), "step": 1, "discriminator_optimizer": {}}
    write_discriminators(tmp_path / "do_1", content)
    written = read_discriminators(tmp_path / "do_1")
    for family, state in theirs.items():  # every name and no other: what strict loading asks for
        assert written[family].keys() == state.keys()
        assert all(torch.equal(written[family][name], value) for name, value in state.items())


def test_a_file_says_how_its_magnitudes_were_compressed(fabric, tmp_path):
    state = new_state(dataclasses.replace(PRESETS["tiny"], resolution_exponent=0.3), fabric)
    write_discriminators(tmp_path / "do_0", content_of(state))
    load_discriminators(state.discriminators, read_discriminators(tmp_path / "do_0"))


def test_discriminators_of_another_shape_are_refused(tmp_path, exported):
    smaller = dataclasses.replace(PRESETS["tiny"], period_channels=PRESETS["tiny"].period_channels + 4)
    with pytest.raises(
        ValueError,
        match=r"are not those of this preset: mpd discriminators\.0\.convs\.0\.bias is \(\d+,\), not \(\d+,\)",
    ):
        load_discriminators(Discriminators(smaller), read_discriminators(exported[1]))
    compressed = dataclasses.replace(PRESETS["tiny"], resolution_exponent=0.3)
    with pytest.raises(ValueError, match=r"magnitudes to the power of 1\.0, and this preset has 0\.3"):
        load_discriminators(Discriminators(compressed), read_discriminators(exported[1]))
    with pytest.raises(ValueError, match="has no discriminators yet"):
        write_discriminators(tmp_path / "do_2", {"step": 0})
