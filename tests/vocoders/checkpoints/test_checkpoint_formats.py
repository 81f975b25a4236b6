"""Files of other programs are refused with what they are; the original's weights are read however they are wrapped."""

import importlib.util
import json
import warnings
from pathlib import Path

import pytest
import safetensors.torch
import torch

from tests.originals import CONFIG, with_weight_norm
from vocoders.checkpoints.checkpoint import CheckpointError, read_checkpoint
from vocoders.hifigan.generator import V3

ONE = torch.zeros(1)
BIGVGAN = {"conv_pre.weight_g": ONE, "ups.0.0.weight_g": ONE, "resblocks.0.activations.0.act.alpha": ONE}
VOCOS = {"feature_extractor.mel_spec.mel_scale.fb": ONE, "backbone.embed.weight": ONE, "head.out.weight": ONE}
SPEECHT5 = {
    "mean": ONE,
    "scale": ONE,
    "conv_pre.weight": ONE,
    "upsampler.0.weight": ONE,
    "resblocks.0.convs1.0.weight": ONE,
}
PARALLEL = {"input_conv.weight_g": ONE, "upsamples.0.1.weight_g": ONE, "output_conv.1.bias": ONE}
NAMED = {
    "SpeechT5": (SPEECHT5, "a SpeechT5HifiGan of Hugging Face transformers"),
    "BigVGAN": ({"generator": BIGVGAN}, "a BigVGAN"),
    "Vocos": (VOCOS, "a Vocos"),
    "NSF": ({"generator": {"conv_pre.weight": ONE, "m_source.l_linear.weight": ONE, "noise_convs.0.weight": ONE}}, "an NSF-HiFiGAN"),
    "ParallelWaveGAN": ({"model": {"generator": PARALLEL, "discriminator": {}}, "steps": 1}, "a checkpoint of ParallelWaveGAN"),
    "bare ParallelWaveGAN": (PARALLEL, "a generator of ParallelWaveGAN"),
    "Coqui": ({"model": {"model_g.conv_pre.weight_g": ONE, "model_d.mpd.0": ONE}, "config": {}}, "a checkpoint of Coqui TTS"),
    "Lightning": ({"pytorch-lightning_version": "2.0", "state_dict": VOCOS}, "a checkpoint of PyTorch Lightning with a Vocos"),
    "unknown": ({"encoder.weight": ONE, "decoder.weight": ONE}, "has no 'generator' entry, but decoder.weight, encoder.weight"),
}  # fmt: skip


@pytest.mark.parametrize("case", NAMED)
@pytest.mark.parametrize("with_config", [True, False])
def test_another_network_is_named(tmp_path, case, with_config):
    content, what = NAMED[case]
    torch.save(content, tmp_path / "g_1")
    if with_config:  # of that network, as far as it has one
        (tmp_path / "config.json").write_text(json.dumps({"sampling_rate": 24_000}))
    with pytest.raises(CheckpointError, match=f"g_1 (is )?{what}") as caught:
        read_checkpoint(tmp_path / "g_1", "hifigan")
    assert "\n" not in str(caught.value)


def test_another_network_is_named_in_safetensors_too(tmp_path):
    safetensors.torch.save_file(
        {name: tensor.clone() for name, tensor in SPEECHT5.items()}, tmp_path / "model.safetensors"
    )
    with pytest.raises(CheckpointError, match=r"model\.safetensors is a SpeechT5HifiGan"):
        read_checkpoint(tmp_path / "model.safetensors")


def torchscript(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)


def onnx(path: Path) -> None:
    folder = Path(importlib.util.find_spec("swift_f0").origin).parent
    path.write_bytes(next(folder.rglob("*.onnx")).read_bytes())


FILES = {
    "a TorchScript program": torchscript,
    "an ONNX network": onnx,
    "a pointer of Git LFS": lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
    "a web page": lambda path: path.write_text("<!DOCTYPE html><title>404</title>"),
    "an empty file": lambda path: path.write_bytes(b""),
}


@pytest.mark.parametrize("what", FILES)
@pytest.mark.parametrize("name", ["g_1", "g_1.safetensors"])
@pytest.mark.filterwarnings("error")
def test_another_kind_of_file_is_named(tmp_path, what, name):
    FILES[what](tmp_path / name)
    with pytest.raises(CheckpointError, match=rf"^{name} is {what}"):
        read_checkpoint(tmp_path / name, "hifigan")


def wrappings(state: dict) -> dict[str, object]:
    return {
        "bare": state,
        "module": {"generator": {f"module.{name}": tensor for name, tensor in state.items()}},
        "bare module": {f"module.{name}": tensor for name, tensor in state.items()},
    }


@pytest.mark.parametrize("wrapping", wrappings({}))
def test_the_generator_is_found_in_its_wrapping(jik876, weights, wrapping):
    torch.save(wrappings(with_weight_norm(weights))[wrapping], jik876)
    found = read_checkpoint(jik876, "hw2").weights
    assert all(torch.allclose(found[name], weights[name], atol=1e-6) for name in weights)


def test_a_plain_safetensors_file_is_read_with_the_config_beside_it(tmp_path, weights):
    safetensors.torch.save_file(with_weight_norm(weights), tmp_path / "model.safetensors")
    (tmp_path / "config_v3.json").write_text(json.dumps(CONFIG))
    checkpoint = read_checkpoint(tmp_path / "model.safetensors", "hifigan")
    assert (checkpoint.config, checkpoint.recipe.name) == (V3, "hifigan")
    assert all(torch.allclose(checkpoint.weights[name], weights[name], atol=1e-6) for name in weights)


def test_the_mel_in_config_is_obeyed(jik876):
    config = jik876.with_name("config.json")
    config.write_text(json.dumps({**CONFIG, "mel": "hifigan"}))
    assert read_checkpoint(jik876).recipe.name == "hifigan"
    with pytest.raises(CheckpointError, match=r"trained on the hifigan mel, not on hw2, as config\.json says"):
        read_checkpoint(jik876, "hw2")
    config.write_text(json.dumps({**CONFIG, "mel": ["mfcc"]}))
    with pytest.raises(CheckpointError, match=r"config\.json: mel is \['mfcc'\]; known: hw2, hifigan"):
        read_checkpoint(jik876)


def test_one_other_config_is_taken_and_two_are_not(jik876):
    jik876.with_name("config.json").rename(jik876.with_name("config_v3.json"))
    assert read_checkpoint(jik876, "hw2").config == V3
    jik876.with_name("config_v1.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"config_v1\.json, config_v3\.json are several"):
        read_checkpoint(jik876, "hw2")
