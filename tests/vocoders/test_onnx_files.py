"""ONNX files: every family's export gives PyTorch's samples and finds its recipe again; others are judged by a trial."""

import dataclasses
import functools
import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile
import torch

from common.onnx_runtime import silence
from tests.command import command
from tests.conftest import harmonic_tone
from tests.family_files import CASES, written
from tests.golden.formula import mel
from vocoders.catalogue import find_system
from vocoders.checkpoints.checkpoint import Checkpoint, CheckpointError, read_checkpoint, write_safetensors
from vocoders.features import Features, hw2_mel, log_hw2
from vocoders.harmonic_noise.generator import HarmonicNoiseConfig
from vocoders.hifigan.engine import HiFiGANVocoder
from vocoders.hifigan.generator import V2
from vocoders.hifigan.generator_input import WITH_GUIDE, WITH_GUIDE_AND_NOISE, generator_input
from vocoders.onnx_files import network
from vocoders.onnx_files.export import export_onnx
from vocoders.onnx_files.metadata import read_metadata, recipe_in
from vocoders.onnx_files.network import OnnxNetwork, OnnxVocoder
from vocoders.onnx_files.side_inputs import SideInputs, side_inputs
from vocoders.onnx_files.system import _judged, inspect
from vocoders.recipes.named import HIFIGAN, HW2, NAMED


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A case's generator and its ONNX file, exported once."""

    @functools.cache
    def make(case: str) -> tuple[Checkpoint, Path]:
        folder = tmp_path_factory.mktemp("exported")
        checkpoint = read_checkpoint(written(case, folder))
        assert export_onnx(checkpoint, folder / "out.onnx") < 1e-4
        return checkpoint, folder / "out.onnx"

    return make


@pytest.fixture
def exported(made, tmp_path):
    """A copy of its own."""
    return lambda case: Path(shutil.copy(made(case)[1], tmp_path / "out.onnx"))


@pytest.mark.parametrize(
    "case", ["HiFi-GAN, resblock 2", "iSTFTNet", "ParallelWaveGAN's HiFi-GAN, one", "BigVGAN 2", "Vocos, center"]
)
@torch.inference_mode()
def test_an_export_gives_pytorchs_samples_in_windows_too(made, monkeypatch, case):
    monkeypatch.setattr(network, "WINDOW_FRAMES", 64)
    checkpoint, path = made(case)
    facts = OnnxNetwork(path).facts
    config = checkpoint.config
    assert (facts.bands, facts.hop, facts.tail, facts.context) == (
        config.bands,
        config.hop,
        config.tail,
        config.context,
    )
    assert facts.recipe == recipe_in(read_metadata(path)) == checkpoint.recipe
    values = mel(config.bands, 150)
    wanted = checkpoint.generator()(values)[0, 0].numpy()
    vocoder = OnnxVocoder(path, checkpoint.recipe)
    vocoder.rate = 22_050  # so that nothing is resampled
    found = vocoder(Features(checkpoint.recipe.log_kind, values[0].numpy()))
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < 1e-4


@pytest.mark.parametrize("case", CASES)
@torch.inference_mode()
def test_onnx_runtime_gives_pytorchs_samples_of_any_number_of_frames(made, case):
    """Of every family and variant, in another runtime than the one that checks an export."""
    checkpoint, path = made(case)
    session, generator = onnx_session(path), checkpoint.generator()
    for frames in (8, 33, 150):
        values = mel(checkpoint.config.bands, frames)
        wanted = generator(values).numpy()
        (found,) = session.run(["waveform"], {"mel": values.numpy()})
        assert found.shape == wanted.shape == (1, 1, frames * checkpoint.config.hop - checkpoint.config.tail)
        assert wanted.std() > 0.01
        assert np.abs(found - wanted).max() < 1e-4


def onnx_session(path: Path):
    silence()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def test_the_recipe_of_the_metadata_counts(exported):
    path = exported("Vocos, same")
    recipe, notice = inspect(path, None)
    assert recipe.rate == 16_000
    assert "far from the phrase" in notice
    with pytest.raises(ValueError, match=r"was exported for the mel-\w+ mel, not vocos-24k"):
        inspect(path, "vocos-24k")


def test_a_file_is_looked_at_in_another_process(exported):
    system = find_system(str(exported("Vocos, same")))
    assert (system.id, system.rate) == ("out", 16_000)
    assert "Your ONNX network out.onnx" in system.about
    with pytest.raises(CheckpointError, match=r"^out\.onnx was exported for the mel-\w+ mel, not hw2\.$"):
        find_system(f"{exported('Vocos, same')}@hw2")


def changed(path: Path, change) -> Path:
    model = onnx.load(str(path))
    change(model)
    path.write_bytes(model.SerializeToString())
    return path


def test_without_metadata_a_recipe_is_asked_for(exported):
    path = changed(exported("Vocos, same"), lambda model: model.ClearField("metadata_props"))
    with pytest.raises(ValueError, match="says no mel recipe, and none with a name has its bands and hop"):
        inspect(path, None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda model: setattr(model.graph.input[0].type.tensor_type.shape.dim[2], "dim_value", 32),
            "exactly 32 frames",
        ),
        (lambda model: model.opset_import.add(domain="com.example", version=1), "operators of com.example"),
        (
            lambda model: setattr(model.graph.initializer[0], "data_location", onnx.TensorProto.EXTERNAL),
            "in other files",
        ),
        (lambda model: setattr(model.graph.node[0], "op_type", "Nonsense"), "cannot be run"),
    ],
    ids=["fixed", "foreign", "external", "unknown"],
)
def test_a_network_that_cannot_be_run_is_refused(exported, change, reason):
    with pytest.raises(ValueError, match=rf"out\.onnx .*{reason}") as caught:
        OnnxNetwork(changed(exported("Vocos, same"), change))
    assert "\n" not in str(caught.value)


def test_a_value_inside_a_node_may_not_lie_in_another_file_either(tmp_path, exported):
    """The operating system's files are as near as weights that were kept apart."""

    def add_constant(model) -> None:
        value = onnx.TensorProto(
            name="v", data_type=onnx.TensorProto.FLOAT, dims=[4], data_location=onnx.TensorProto.EXTERNAL
        )
        value.external_data.add(key="location", value="../../etc/passwd")
        node = onnx.helper.make_node("Constant", [], ["unused"])
        node.attribute.append(onnx.AttributeProto(name="value", type=onnx.AttributeProto.TENSOR, t=value))
        model.graph.node.insert(0, node)

    with pytest.raises(ValueError, match=r"out\.onnx keeps its weights in other files"):
        OnnxNetwork(changed(exported("Vocos, same"), add_constant))


def test_a_network_without_inputs_is_refused(exported):
    with pytest.raises(ValueError, match=r"out\.onnx (has 0 inputs|holds operators that cannot be run)"):
        OnnxNetwork(changed(exported("Vocos, same"), lambda model: model.graph.ClearField("input")))


def test_other_networks_and_no_networks_are_refused(tmp_path):
    folder = Path(importlib.util.find_spec("swift_f0").origin).parent
    (tmp_path / "f0.onnx").write_bytes(next(folder.rglob("*.onnx")).read_bytes())
    with pytest.raises(ValueError, match=r"f0\.onnx has 3 inputs, .* are read"):
        OnnxNetwork(tmp_path / "f0.onnx")
    (tmp_path / "a.onnx").write_bytes(b"\xff" * 100)
    with pytest.raises(ValueError, match=r"a\.onnx is not a readable ONNX file"):
        OnnxNetwork(tmp_path / "a.onnx")


def test_the_trial_decides():
    vocos = NAMED["vocos-24k"]
    assert _judged("a", HIFIGAN, {HIFIGAN: 0.6}) == (HIFIGAN, "")
    assert _judged("a", None, {HW2: 5.7, HIFIGAN: 0.6})[0] == HIFIGAN
    assert "far from the phrase" in _judged("a", vocos, {vocos: 5.0, NAMED["bigvgan-24k"]: 4.0})[1]
    with pytest.raises(ValueError, match=r"fits the hifigan mel, not hw2 \(log-mel L1 of a trial 0\.6 against 5\.7\)"):
        _judged("a", HW2, {HW2: 5.7, HIFIGAN: 0.6})
    with pytest.raises(ValueError, match="a trial does not tell"):
        _judged("a", None, {HW2: 3.7, HIFIGAN: 3.6})


def test_a_guided_generator_has_its_guide_as_a_second_input(tmp_path):
    config = dataclasses.replace(V2, input_channels=WITH_GUIDE, upsample_initial_channel=32)
    torch.manual_seed(0)
    checkpoint = Checkpoint(config, HW2, config.build().state_dict(), {})
    assert export_onnx(checkpoint, tmp_path / "guided.onnx") < 1e-4
    session = onnx_session(tmp_path / "guided.onnx")
    assert session.get_modelmeta().custom_metadata_map["guide_iterations"] == "192"
    mel = 2 * torch.randn(1, 80, 41) - 5
    guide = 0.1 * torch.randn(1, 41 * 256)
    with torch.inference_mode():
        wanted = checkpoint.generator()(generator_input(mel, WITH_GUIDE, HW2, guide)).numpy()
        unguided = checkpoint.generator()(generator_input(mel, WITH_GUIDE, HW2, 0 * guide)).numpy()
    (found,) = session.run(None, {"mel": mel.numpy(), "guide": guide.numpy()})
    assert np.abs(found - wanted).max() < 1e-4 * np.abs(wanted).max()
    assert np.abs(found - unguided).max() > 0.01 * np.abs(wanted).max()
    assert OnnxNetwork(tmp_path / "guided.onnx").facts.side == SideInputs(192, None)


def set_metadata(model, key: str, value: str) -> None:
    (entry,) = (entry for entry in model.metadata_props if entry.key == key)
    entry.value = value


@pytest.fixture(scope="module")
def harmonic_noise(tmp_path_factory):
    """A file of random weights, and its export by the command."""
    folder = tmp_path_factory.mktemp("harmonic")
    torch.manual_seed(0)
    config = HarmonicNoiseConfig(channels=16, hidden=24, blocks=2, kernel=3, guide_iterations=3)
    network = config.build()
    torch.nn.init.normal_(network.leave.weight, 0.0, 0.1)  # so that the other carriers are heard, and phases turned
    checkpoint = Checkpoint(config, HW2, network.state_dict(), {"licence": "CC0"})
    write_safetensors(folder / "mine.safetensors", checkpoint)
    command("vocoders", "export", folder / "mine.safetensors", folder / "out.onnx")
    return checkpoint, folder


@torch.inference_mode()
def test_a_harmonic_plus_noise_generator_has_guide_and_noise_as_inputs(harmonic_noise):
    checkpoint, folder = harmonic_noise
    session, generator = onnx_session(folder / "out.onnx"), checkpoint.generator()
    about = session.get_modelmeta().custom_metadata_map
    assert (about["family"], about["guide_iterations"], about["noise_seed"]) == ("harmonic-noise", "3", "0")
    assert (about["licence"], about["context_frames"]) == ("CC0", str(checkpoint.config.context))
    assert recipe_in(about) == HW2
    for frames in (2, 33, 150):
        mel, guide, drawn = 2 * torch.randn(1, 80, frames) - 5, *torch.randn(2, 1, frames * 256)
        guide *= 0.1
        wanted = generator(generator_input(mel, WITH_GUIDE_AND_NOISE, HW2, guide, drawn)).numpy()
        unlike = generator(generator_input(mel, WITH_GUIDE_AND_NOISE, HW2, guide, -drawn)).numpy()
        (found,) = session.run(None, {"mel": mel.numpy(), "guide": guide.numpy(), "noise": drawn.numpy()})
        assert found.shape == wanted.shape == (1, 1, frames * 256)
        assert np.abs(found - wanted).max() < 1e-4
        assert np.abs(unlike - wanted).max() > 1e-2


def test_a_harmonic_plus_noise_network_comes_back_as_a_system_with_the_same_samples(
    harmonic_noise, tmp_path, monkeypatch
):
    monkeypatch.setattr(network, "WINDOW_FRAMES", 64)
    checkpoint, folder = harmonic_noise
    samples = harmonic_tone(1.6)[: 137 * 256]  # three windows
    soundfile.write(tmp_path / "song.wav", samples, 22_050, subtype="FLOAT")
    command("vocoders", "resynth", tmp_path / "song.wav", "--vocoders", folder / "out.onnx", "--out", tmp_path)
    found = soundfile.read(tmp_path / "out" / "song.wav")[0]
    wanted = HiFiGANVocoder(checkpoint)(log_hw2(hw2_mel(samples)))
    assert wanted.std() > 0.01
    assert np.abs(found - wanted).max() < 1e-4 + 2**-15  # and a step of 16 bits


def test_a_guided_network_is_on_the_hw2_mel(harmonic_noise, tmp_path):
    path = Path(shutil.copy(harmonic_noise[1] / "out.onnx", tmp_path / "out.onnx"))
    with pytest.raises(ValueError, match=r"out\.onnx was exported for the hw2 mel, not hifigan"):
        inspect(path, "hifigan")
    changed(path, lambda model: set_metadata(model, "mel_recipe", json.dumps(HIFIGAN.as_dict())))
    with pytest.raises(ValueError, match=r"out\.onnx is a guided generator, which takes the hw2 mel, not hifigan"):
        inspect(path, None)


def test_a_guide_of_too_many_iterations_is_refused(harmonic_noise, tmp_path):
    path = Path(shutil.copy(harmonic_noise[1] / "out.onnx", tmp_path / "out.onnx"))
    changed(path, lambda model: set_metadata(model, "guide_iterations", "1025"))
    reason = "guide_iterations in its metadata is '1025'; allowed: 1 to 1024"
    with pytest.raises(ValueError, match=rf"^out\.onnx, which takes guide and noise beside the mel: {reason}$"):
        OnnxNetwork(path)


@pytest.mark.parametrize(
    ("value", "reason"), [("", "is no JSON"), ("[" * 100_000, "is nested without end"), ("[1]", "is no mapping")]
)
def test_a_recipe_that_is_none_is_refused_with_the_files_name(harmonic_noise, tmp_path, value, reason):
    path = Path(shutil.copy(harmonic_noise[1] / "out.onnx", tmp_path / "out.onnx"))
    changed(path, lambda model: set_metadata(model, "mel_recipe", value))
    with pytest.raises(ValueError, match=rf"^out\.onnx: mel_recipe in its metadata {reason}$"):
        OnnxNetwork(path)


@pytest.mark.parametrize("value", ["", "0", "1025", "-3", "a", "²", "9" * 5000])
def test_an_impossible_number_in_the_metadata_is_refused(value):
    with pytest.raises(ValueError, match=r"^guide_iterations in its metadata is '.*'; allowed: 1 to 1024$"):
        side_inputs(["guide"], 80, {"guide_iterations": value})


def test_side_inputs_are_known_by_name_number_and_bands():
    metadata = {"guide_iterations": "32", "noise_seed": "0"}
    assert side_inputs([], 100, metadata) == SideInputs(None, None)
    assert side_inputs(["guide", "noise"], 80, metadata) == SideInputs(32, 0)
    with pytest.raises(ValueError, match="a guide is computed from 80 bands, not 100"):
        side_inputs(["guide"], 100, metadata)
    with pytest.raises(ValueError, match="noise_seed in its metadata is ''; allowed: 0 to"):
        side_inputs(["guide", "noise"], 80, {"guide_iterations": "32"})


def test_the_command_refuses_other_names(tmp_path):
    assert "written as .onnx" in command("vocoders", "export", "hifigan-original", tmp_path / "a.pt", code=1).stderr


def test_weights_in_other_files_are_found_wherever_a_network_keeps_them(exported):
    """In a constant of a node inside a branch: OpenVINO would open any path that stands there."""
    path = exported("Vocos, same")
    model = onnx.load(str(path))
    secret = onnx.TensorProto(name="secret", data_type=1, dims=[1], data_location=onnx.TensorProto.EXTERNAL)
    secret.external_data.add(key="location", value="../../etc/passwd")
    constant = onnx.helper.make_node("Constant", [], ["c"], value=secret)
    branch = onnx.helper.make_graph([constant], "branch", [], [])
    model.graph.node.append(onnx.helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ValueError, match="keeps its weights in other files"):
        read_metadata(path)
