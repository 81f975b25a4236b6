"""Files of other programs give the samples that those programs give: golden values of the original implementations, and
transformers itself. `tests/golden/make_generators.py` wrote the values; 1e-4 is float32 through tens of layers."""

import json

import h5py
import numpy as np
import pytest
import soundfile
import torch
import yaml

from tests.command import command
from tests.conftest import harmonic_tone
from tests.family_files import CASES, in_lightning, in_module, statistics, without_weight_norm, written
from tests.golden.formula import mel, state_of
from vocoders.catalogue import find_system
from vocoders.checkpoints.checkpoint import CheckpointError, read_checkpoint, read_contents
from vocoders.checkpoints.contained import read_contained
from vocoders.features import Features
from vocoders.hifigan.engine import HiFiGANVocoder
from vocoders.mel import log_mel_of
from vocoders.recipes.named import HIFIGAN, NAMED
from vocoders.torchaudio_cpu import import_torchaudio


@pytest.mark.parametrize("case", CASES)
@torch.inference_mode()
def test_a_file_gives_the_originals_samples(tmp_path, case):
    golden = CASES[case]
    checkpoint = read_checkpoint(written(case, tmp_path))
    found = checkpoint.generator()(mel(checkpoint.config.bands)).flatten().numpy()
    wanted = np.array(golden["output"])
    assert wanted.std() > 0.01
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < 1e-4 * wanted.std()
    assert len(found) == 24 * checkpoint.config.hop - checkpoint.config.tail


WRAPPINGS = {
    "bare": lambda state: state["generator"],
    "module": lambda state: {"generator": in_module(state)},
    "bare module": in_module,
    "Lightning": in_lightning,
    "Coqui": lambda state: {
        "model": {
            **{f"model_g.{name}": value for name, value in state["generator"].items()},
            "model_d.mpd.0": torch.zeros(1),
        }
    },
    "weight norm removed": without_weight_norm,
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("case", ["HiFi-GAN, resblock 1", "BigVGAN 2"])
def test_a_generator_is_found_in_any_wrapping(tmp_path, case, wrapping):
    (tmp_path / "plain").mkdir()
    wanted = read_checkpoint(written(case, tmp_path / "plain")).weights
    found = read_checkpoint(written(case, tmp_path, WRAPPINGS[wrapping])).weights
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


@torch.inference_mode()
def test_coquis_configuration_is_read(tmp_path):
    golden = CASES["HiFi-GAN, resblock 1"]
    path = written("HiFi-GAN, resblock 1", tmp_path, WRAPPINGS["Coqui"])
    names = {
        "resblock_type": "resblock", "upsample_factors": "upsample_rates", "upsample_kernel_sizes": "upsample_kernel_sizes",
        "upsample_initial_channel": "upsample_initial_channel", "resblock_kernel_sizes": "resblock_kernel_sizes",
        "resblock_dilation_sizes": "resblock_dilation_sizes",
    }  # fmt: skip
    params = {theirs: golden["config"][ours] for theirs, ours in names.items()} | {"in_channels": 80, "out_channels": 1}
    audio = {
        "fft_size": 1024, "win_length": 1024, "hop_length": 8, "sample_rate": 16000, "num_mels": 80, "mel_fmin": 0.0,
        "mel_fmax": 8000.0, "spec_gain": 1.0, "log_func": "np.log", "signal_norm": False,
    }  # fmt: skip
    config = {"generator_model": "hifigan_generator", "generator_model_params": params, "audio": audio}
    path.with_name("config.json").write_text(json.dumps(config))
    checkpoint = read_checkpoint(path)
    found = checkpoint.generator()(mel(80)).flatten().numpy()
    wanted = np.array(golden["output"])
    assert np.abs(found - wanted).max() < 1e-4 * wanted.std()
    recipe = checkpoint.recipe
    assert (recipe.rate, recipe.pad, recipe.floor, recipe.fmax) == (16_000, 512, 1e-8, None)
    path.with_name("config.json").write_text(json.dumps({**config, "audio": {**audio, "signal_norm": True}}))
    with pytest.raises(CheckpointError, match="signal_norm is True; only mels with signal_norm False"):
        read_checkpoint(path)


@pytest.fixture(scope="module")
def speecht5():
    """transformers' own, small."""
    import_torchaudio()  # which transformers imports too
    from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

    torch.manual_seed(0)
    model = SpeechT5HifiGan(SpeechT5HifiGanConfig(upsample_initial_channel=32, initializer_range=0.15))
    model.mean.copy_(torch.linspace(-3, -1, 80))
    model.scale.copy_(torch.linspace(0.5, 1.5, 80))
    return model.eval()


@torch.inference_mode()
def test_speecht5_of_transformers_with_its_mean_and_scale(speecht5, tmp_path):
    from transformers import SpeechT5FeatureExtractor

    speecht5.save_pretrained(tmp_path)
    checkpoint = read_checkpoint(tmp_path / "model.safetensors")
    voice = harmonic_tone(0.5, 150.0)[: 256 * 40]
    given = SpeechT5FeatureExtractor()(audio_target=voice, sampling_rate=16_000)["input_values"][0]
    ours = log_mel_of(voice, checkpoint.recipe)
    wanted = (given - speecht5.mean.numpy()) / speecht5.scale.numpy()
    assert np.abs(ours.T - wanted).max() < 2e-3  # at a floor of 1e-10 the logarithm shows float32 in the quietest bands
    assert np.abs(ours.T - wanted).mean() < 1e-5
    samples = speecht5(torch.from_numpy(np.float32(given))).numpy()
    assert samples.std() > 0.01
    found = checkpoint.generator()(torch.from_numpy(np.float32(wanted.T))[None])[0, 0].numpy()
    assert np.abs(found - samples).max() < 1e-4
    assert checkpoint.recipe.mean[0] == -3.0


def test_the_mel_follows_from_the_configuration(tmp_path):
    assert read_checkpoint(written("HiFi-GAN, resblock 1", tmp_path)).recipe.described() == (
        "16000 Hz, FFT 1024, window 1024, hop 8, 80 slaney bands 0 to 8000 Hz"
    )
    config = {
        **CASES["BigVGAN 2"]["config"],
        "num_mels": 80,
        "upsample_rates": [64, 4],
        "upsample_kernel_sizes": [64, 4],
    }
    shapes = {**CASES["BigVGAN 2"]["shapes"], "conv_pre.weight_v": [16, 80, 7], "ups.0.0.weight_v": [16, 8, 64]}
    state = state_of(shapes, CASES["BigVGAN 2"]["constants"])
    torch.save({"generator": state}, tmp_path / "bigvgan.pt")
    framing = {"sampling_rate": 22050, "hop_size": 256, "n_fft": 1024, "win_size": 1024, "fmax": None}
    (tmp_path / "config.json").write_text(json.dumps({**config, **framing}))
    assert read_checkpoint(tmp_path / "bigvgan.pt").recipe == NAMED["bigvgan-22k"]
    (tmp_path / "config.json").write_text(json.dumps({**config, **framing, "fmax": 8000}))
    assert read_checkpoint(tmp_path / "bigvgan.pt").recipe == HIFIGAN
    with pytest.raises(CheckpointError, match="takes 80 bands every 256 samples; the vocos-24k mel has 100 every 256"):
        read_checkpoint(tmp_path / "bigvgan.pt", "vocos-24k")


def test_a_recipe_from_a_file(tmp_path):
    path = written("HiFi-GAN, resblock 1", tmp_path)
    fields = {"rate": 16000, "hop": 8, "fmin": 50, "fmax": 7600, "log_base": 10.0, "floor": 1e-10, "pad": 512}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(fields))
    recipe = read_checkpoint(path, str(tmp_path / "mine.yaml")).recipe
    assert (recipe.fmin, recipe.fmax, recipe.log_base, recipe.pad, recipe.bands) == (50, 7600, 10, 512, 80)
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({**fields, "hopp": 8}))
    with pytest.raises(CheckpointError, match=r"mine\.yaml: a mel recipe has no hopp; it has bands, "):
        read_checkpoint(path, str(tmp_path / "mine.yaml"))


def test_statistics_may_be_hdf5(tmp_path):
    path = written("ParallelWaveGAN's HiFi-GAN, one", tmp_path)
    wanted = read_checkpoint(path).recipe
    (tmp_path / "stats.npy").unlink()
    with h5py.File(tmp_path / "stats.h5", "w") as file:
        file["mean"], file["scale"] = statistics(12)
    assert read_checkpoint(path).recipe == wanted


def test_a_strangers_file_comes_back_whole_from_the_other_process(tmp_path):
    path = written("ParallelWaveGAN's HiFi-GAN, two convolutions", tmp_path)
    here, there = read_checkpoint(path), read_contained(path)
    assert (there.config, there.recipe) == (here.config, here.recipe)
    assert there.recipe.deviation[-1] == 1.5
    assert all(torch.equal(there.weights[name], here.weights[name]) for name in here.weights)


@pytest.mark.parametrize("case", ["Vocos, center", "Vocos, same", "BigVGAN 2", "iSTFTNet", "speechbrain's HiFi-GAN"])
@torch.inference_mode()
def test_windows_give_what_the_whole_mel_gives(tmp_path, case):
    checkpoint = read_checkpoint(written(case, tmp_path))
    values = mel(checkpoint.config.bands, 600)
    whole = checkpoint.generator()(values)[0, 0].numpy()
    vocoder = HiFiGANVocoder(checkpoint)
    blocks = list(vocoder.stream(Features(checkpoint.recipe.log_kind, values[0].numpy())))
    assert len(blocks) >= 3  # as many as the engine has windows: OpenVINO's are shorter
    found = np.concatenate(blocks)
    assert found.shape == whole.shape
    assert np.abs(found - whole).max() < 1e-4 * whole.std()


def test_resynth_runs_a_generator_of_another_family_and_rate(tmp_path):
    path = written("Vocos, center", tmp_path)
    soundfile.write(tmp_path / "song.wav", harmonic_tone(0.7), 22_050)
    command("vocoders", "resynth", tmp_path / "song.wav", "--vocoders", path, "--out", tmp_path / "out")
    samples, rate = soundfile.read(tmp_path / "out" / "pytorch_model" / "song.wav")
    assert (len(samples), rate) == (round(0.7 * 22_050), 22_050)
    assert samples.std() > 0.001
    system = find_system(str(path))
    assert system.rate == 16_000
    assert "a Vocos generator, on the mel-" in system.about
    assert "at 16000 Hz, resampled to 22050 Hz" in system.about
    assert "far from the phrase" in system.about
    assert read_contents(path).assumed == read_checkpoint(path).recipe
