"""Reading generators: the original's files, ours, and what people or attackers may bring instead."""

import dataclasses
import json
import pickle
import zipfile

import pytest
import safetensors.torch
import torch

from tests.originals import CONFIG, with_weight_norm
from vocoders.catalogue import find_systems, own_checkpoint_system
from vocoders.checkpoints.checkpoint import Checkpoint, CheckpointError, read_checkpoint, write_safetensors
from vocoders.checkpoints.config import read_config
from vocoders.checkpoints.contained import read_contained
from vocoders.hifigan.generator import V2, V3, Generator
from vocoders.mel import HW2


def test_weight_norm_is_folded(jik876, weights):
    checkpoint = read_checkpoint(jik876, "hw2")
    assert (checkpoint.config, checkpoint.recipe) == (V3, HW2)
    assert checkpoint.weights.keys() == weights.keys()
    assert all(torch.allclose(checkpoint.weights[name], weights[name], atol=1e-6) for name in weights)


def test_torchs_newer_weight_norm_is_folded_too(tmp_path, weights):
    generator = Generator(V3)
    generator.load_state_dict(weights)
    for module in [m for m in generator.modules() if isinstance(m, (torch.nn.Conv1d, torch.nn.ConvTranspose1d))]:
        torch.nn.utils.parametrizations.weight_norm(module)
    torch.save({"generator": generator.state_dict()}, tmp_path / "g_1")
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    found = read_checkpoint(tmp_path / "g_1", "hw2").weights
    assert all(torch.allclose(found[name], weights[name], atol=1e-6) for name in weights)


def test_our_own_format_round_trips_with_its_mel(tmp_path, weights):
    written = Checkpoint(V3, HW2, weights, {"licence": "CC0", "steps": "12"})
    write_safetensors(tmp_path / "mine.safetensors", written)
    found = read_checkpoint(tmp_path / "mine.safetensors")
    assert (found.config, found.recipe, found.about) == (V3, HW2, {"licence": "CC0", "steps": "12"})
    assert all(torch.equal(found.weights[name], weights[name]) for name in weights)


def test_half_precision_is_read_as_float32(tmp_path, weights):
    half = Checkpoint(V3, HW2, {name: tensor.half() for name, tensor in weights.items()})
    write_safetensors(tmp_path / "half.safetensors", half)
    assert {t.dtype for t in read_checkpoint(tmp_path / "half.safetensors").weights.values()} == {torch.float32}


def test_another_mel_than_its_own_is_refused(tmp_path, weights):
    write_safetensors(tmp_path / "mine.safetensors", Checkpoint(V3, HW2, weights))
    with pytest.raises(CheckpointError, match="trained on the hw2 mel, not on hifigan"):
        read_checkpoint(tmp_path / "mine.safetensors", "hifigan")


def test_the_mel_of_a_jik876_file_must_be_named(jik876):
    with pytest.raises(CheckpointError, match="which mel it was trained on; name it: hw2 or hifigan"):
        read_checkpoint(jik876)
    with pytest.raises(CheckpointError, match="unknown mel recipe 'mfcc'"):
        read_checkpoint(jik876, "mfcc")


def test_a_brought_checkpoint_becomes_a_system(jik876):
    system = own_checkpoint_system(jik876, "hw2")
    assert (system.id, system.mel, system.takes_hw2_mel) == ("g_00000010", "hw2", True)
    assert [s.id for s in find_systems(f"griffin-lim,{jik876}@hifigan")] == ["griffin-lim", "g_00000010"]


def test_another_file_under_the_same_name_is_another_system(jik876, weights):
    first = own_checkpoint_system(jik876, "hw2")
    assert own_checkpoint_system(jik876, "hw2") == first
    torch.save({"generator": with_weight_norm({name: 2 * tensor for name, tensor in weights.items()})}, jik876)
    assert own_checkpoint_system(jik876, "hw2") != first
    jik876.write_bytes(b"no checkpoint")
    with pytest.raises(CheckpointError):
        own_checkpoint_system(jik876, "hw2")


class Command:
    def __reduce__(self):
        return (print, ("this must never run",))


@pytest.mark.parametrize("packed", [True, False])
def test_a_pickle_with_code_is_refused_and_not_run(tmp_path, capsys, packed):
    path = tmp_path / "g_1"
    if packed:
        torch.save({"generator": Command()}, path)
    else:
        path.write_bytes(pickle.dumps({"generator": Command()}))
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    with pytest.raises(CheckpointError, match="not a plain tensor checkpoint"):
        read_checkpoint(path, "hw2")
    assert "never run" not in capsys.readouterr().out


def test_a_zip_bomb_is_refused(tmp_path):
    with (
        zipfile.ZipFile(tmp_path / "g_1", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a/data/0", "w") as entry,
    ):
        for _ in range(610):
            entry.write(bytes(1_000_000))
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    with pytest.raises(CheckpointError, match="unpack to more than 600 MB"):
        read_checkpoint(tmp_path / "g_1", "hw2")


def test_an_archive_that_is_none_is_refused(jik876):
    jik876.write_bytes(jik876.read_bytes().replace(b"PK\x01\x02", b"PK\x01\x07"))  # every entry of its directory
    with pytest.raises(CheckpointError, match="not a plain tensor checkpoint"):
        read_checkpoint(jik876, "hw2")


def test_what_strangers_bring_is_read_elsewhere(jik876, weights):
    """And a pickle of few bytes that asks for 16 GB does not get them, from nobody."""
    assert all(torch.allclose(t, weights[name], atol=1e-6) for name, t in read_contained(jik876, "hw2").weights.items())
    with pytest.raises(CheckpointError, match="unknown mel recipe 'mfcc'"):
        read_contained(jik876, "mfcc")
    bomb = b"\x80\x02ctorch\nSize\n(cbuiltins\nbytearray\n(J" + (2 * 10**9).to_bytes(4, "little") + b"tRtR."
    jik876.write_bytes(bomb)
    with pytest.raises(CheckpointError, match=r"g_00000010 .* was not opened"):
        read_contained(jik876, "hw2")


def broken_states(weights) -> dict[str, tuple[object, str]]:
    missing = {name: tensor for name, tensor in weights.items() if name != "conv_post.bias"}
    endless = torch.zeros(1).expand(10**12)
    return {
        "missing": ({"generator": missing}, "no tensor conv_post.bias"),
        "extra": ({"generator": {**weights, "extra": torch.zeros(1)}}, "1 tensors that config.json does not describe"),
        "shape": ({"generator": {**weights, "conv_post.bias": torch.zeros(2)}}, r"has shape \(2,\)"),
        "huge": ({"generator": {**weights, "conv_post.bias": endless}}, r"has shape \(1000000000000,\)"),
        "integer": ({"generator": {**weights, "conv_post.bias": torch.zeros(1, dtype=torch.long)}}, "conv_post.bias"),
        "nan": ({"generator": {**weights, "conv_post.bias": torch.tensor([float("nan")])}}, "not numbers"),
        "meta": (
            {"generator": {**weights, "conv_post.bias": torch.empty(1, device="meta")}},
            "no plain tensor, but .* meta",
        ),
        "sparse": (
            {"generator": {**weights, "conv_post.bias": torch.zeros(1).to_sparse()}},
            "no plain tensor, but torch.sp",
        ),
        "named": ({"generator": {**weights, "a\nb" * 500: torch.zeros(1)}}, r"does not describe, e\.g\. a ba ba b"),
        "discriminator": ({"mpd": {}, "msd": {}}, "the generator is the g_... file"),
        "list": ([1, 2], "has no 'generator' entry"),
    }


@pytest.mark.parametrize("case", sorted(broken_states({"conv_post.bias": torch.zeros(1)})))
def test_a_wrong_state_gets_one_sentence(tmp_path, weights, case):
    state, reason = broken_states(weights)[case]
    torch.save(state, tmp_path / "g_1")
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    with pytest.raises(CheckpointError, match=reason) as caught:
        read_checkpoint(tmp_path / "g_1", "hw2")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sampling_rate": 4000}, "sampling_rate is 4000; allowed: 8000 to 96000"),
        ({"hop_size": 300}, "hop_size is 300"),
        ({"upsample_rates": [8, 8, 2]}, "upsample_rates"),
        ({"upsample_initial_channel": 10**9}, "upsample_initial_channel is 1000000000"),
        ({"upsample_initial_channel": True}, "whole numbers"),
        ({"upsample_rates": [-16, -16]}, "upsample_rates is"),
        ({"upsample_rates": [10**400, 1]}, "a number of 1329 bits"),
        ({"num_mels": "x" * 9000}, "num_mels is 'x{79}…; allowed: 1 to 512"),
        ({"upsample_initial_channel": 2048, "resblock_kernel_sizes": [31] * 3}, "million weights; at most 150"),
        ({"resblock": "1; import os"}, "whole numbers"),
        ({"resblock_kernel_sizes": "3,5,7"}, "whole numbers"),
        ({"resblock_dilation_sizes": None}, "whole numbers"),
    ],
)
def test_a_wrong_config_names_the_field(tmp_path, change, reason):
    (tmp_path / "config.json").write_text(json.dumps({**CONFIG, **change}))
    with pytest.raises(CheckpointError, match=reason):
        read_config(tmp_path / "config.json")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not valid JSON"),
        ("[1]", "no JSON object"),
        ("[" * 40_000, "not valid JSON"),
        ("x" * 70_000, "at most 0.06"),
    ],
)
def test_a_config_that_is_no_config(tmp_path, text, reason):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match=reason):
        read_config(tmp_path / "config.json")


def test_a_config_of_another_model_is_noticed(jik876):
    config = {key: value for key, value in dataclasses.asdict(V2).items() if key != "input_channels"}
    (jik876.parent / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"config\.json"):
        read_checkpoint(jik876, "hw2")


def test_missing_files_are_named(tmp_path):
    with pytest.raises(CheckpointError, match="there is no file g_9"):
        read_checkpoint(tmp_path / "g_9", "hw2")
    (tmp_path / "g_9").write_bytes(b"x")
    with pytest.raises(CheckpointError, match=r"there is no file config\.json"):
        read_checkpoint(tmp_path / "g_9", "hw2")


def test_a_configuration_nested_without_end_is_refused(tmp_path, weights):
    about = {"kind": "hifigan-generator", "mel": "hw2", "config": "[" * 100_000}
    (tmp_path / "deep.safetensors").write_bytes(safetensors.torch.save(weights, about))
    with pytest.raises(CheckpointError, match="carries no readable configuration"):
        read_checkpoint(tmp_path / "deep.safetensors")


def test_random_bytes_are_no_safetensors(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(bytes(range(256)) * 4)
    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        read_checkpoint(tmp_path / "a.safetensors")
