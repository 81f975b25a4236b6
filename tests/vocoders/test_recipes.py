"""Recipes as data: each named one against librosa and torchaudio, and what is found in configuration files."""

import dataclasses
import json
import pickle

import librosa
import numpy as np
import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import harmonic_tone
from vocoders.features import log_mel_step
from vocoders.mel import HIFIGAN, filters_of, linear_mel, log_mel_of, mel_of, mel_of_magnitude
from vocoders.phase.inversion import invert_mel
from vocoders.phase.refine import refine
from vocoders.recipes.configs import (
    of_coqui,
    of_espnet,
    of_hifigan,
    of_parallel_wavegan,
    of_speechbrain,
    of_speecht5,
    of_vits,
    of_vocos,
    parsed,
    read_recipe,
)
from vocoders.recipes.named import NAMED, with_its_name
from vocoders.recipes.recipe import MelRecipe, recipe_from
from vocoders.torchaudio_cpu import import_torchaudio

NAMES = list(NAMED)


def voice(rate: int, seconds: float = 0.6) -> np.ndarray:
    """A bright tone at any rate, with harmonics up to half of it."""
    time = np.arange(round(rate * seconds)) / rate
    tone = sum(np.sin(2 * np.pi * 220 * k * time) / k for k in range(1, int(rate / 2 / 220)))
    noise = np.random.default_rng(0).normal(0, 0.01, len(time))
    return (0.3 * (tone + noise) / np.abs(tone).max()).astype(np.float32)


def by_librosa(samples: np.ndarray, recipe: MelRecipe) -> np.ndarray:
    """The linear mel through librosa alone: its STFT on a signal padded beforehand, its filters."""
    padded = np.pad(samples, recipe.pad, mode=recipe.padding)
    spectrum = librosa.stft(
        padded.astype(np.float64), n_fft=recipe.n_fft, hop_length=recipe.hop, win_length=recipe.win_length,
        window=recipe.window, center=False,
    )  # fmt: skip
    filters = librosa.filters.mel(
        sr=recipe.rate, n_fft=recipe.n_fft, n_mels=recipe.bands, fmin=recipe.fmin, fmax=recipe.fmax,
        htk=recipe.scale == "htk", norm="slaney" if recipe.unit_area else None, dtype=np.float64,
    )  # fmt: skip
    return filters @ (np.abs(spectrum) ** 2 + recipe.epsilon) ** (recipe.power / 2)


@pytest.mark.parametrize("name", NAMES)
def test_every_named_mel_equals_librosas(name):
    recipe = NAMED[name]
    samples = voice(recipe.rate)
    found, wanted = mel_of(samples, recipe), by_librosa(samples, recipe)
    assert found.shape == wanted.shape == (recipe.bands, recipe.frames(len(samples)))
    assert np.abs(found - wanted).max() < 1e-5 * wanted.max()
    log = np.log(np.maximum(wanted, recipe.floor)) / np.log(recipe.log_base)
    audible = wanted > 1e-4 * wanted.max()
    assert np.abs(log_mel_of(samples, recipe) - log)[audible].max() < 1e-3


@pytest.mark.parametrize("samples", [18_000, 24_123])
@pytest.mark.parametrize("name", NAMES)
def test_the_mel_of_a_long_recording_is_computed_piece_by_piece(name, samples, monkeypatch):
    recipe, recording = NAMED[name], np.random.default_rng(3).normal(0, 0.1, samples)
    whole = mel_of(recording, recipe)
    for frames in (1, 5, 16, recipe.frames(samples) - 1):
        monkeypatch.setattr("vocoders.mel.MAX_FRAMES_AT_A_TIME", frames)
        pieces = mel_of(recording, recipe)
        assert pieces.shape == whole.shape
        assert np.abs(pieces / whole - 1).max() < 1e-4


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("scale", ["htk", "slaney"])
@pytest.mark.parametrize(("fmin", "fmax"), [(0.0, None), (80.0, 7600.0)])
def test_filters_equal_librosas_for_any_edges(norm, scale, fmin, fmax):
    recipe = dataclasses.replace(NAMED["bigvgan-44k"], scale=scale, unit_area=norm, fmin=fmin, fmax=fmax)
    wanted = librosa.filters.mel(
        sr=44_100, n_fft=1024, n_mels=128, fmin=fmin, fmax=fmax, htk=scale == "htk", norm="slaney" if norm else None,
        dtype=np.float64,
    )  # fmt: skip
    assert np.abs(filters_of(recipe) - wanted).max() < 1e-12


def test_vocoss_mel_is_torchaudios_centred_magnitude():
    transform = import_torchaudio().transforms.MelSpectrogram(24_000, 1024, hop_length=256, n_mels=100, power=1)
    samples = voice(24_000)
    wanted = torch.log(torch.clip(transform(torch.from_numpy(samples)), min=1e-7)).numpy()
    assert np.abs(log_mel_of(samples, NAMED["vocos-24k"]) - wanted).max() < 1e-3


def test_parallel_wavegans_mel_is_librosas_with_statistics():
    mean, scale = np.linspace(-3, -1, 80), np.linspace(0.4, 1.2, 80)
    recipe = of_parallel_wavegan(
        {"sampling_rate": 24_000, "fft_size": 2048, "hop_size": 300, "win_length": 1200, "fmin": 80, "fmax": 7600, "num_mels": 80},
        mean,
        scale,
    )  # fmt: skip
    samples = voice(24_000)
    spectrum = np.abs(
        librosa.stft(samples, n_fft=2048, hop_length=300, win_length=1200, window="hann", pad_mode="reflect")
    )
    basis = librosa.filters.mel(sr=24_000, n_fft=2048, n_mels=80, fmin=80, fmax=7600)
    wanted = (np.log10(np.maximum(1e-10, spectrum.T @ basis.T)) - mean) / scale
    assert np.abs(log_mel_of(samples, recipe).T - wanted).max() < 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_the_logarithm_is_undone(name):
    recipe = NAMED[name]
    linear = mel_of(voice(recipe.rate), recipe)
    kept = linear > recipe.floor * 1.01
    found = linear_mel(log_mel_of(voice(recipe.rate), recipe), recipe)
    assert np.abs(found / linear - 1)[kept].max() < 1e-4
    added = dataclasses.replace(recipe, floor_mode="add", mean=(1.0,) * recipe.bands, deviation=(2.0,) * recipe.bands)
    found = linear_mel(log_mel_of(voice(recipe.rate), added), added)
    assert np.abs(found - linear).max() < 1e-5 * linear.max()


@pytest.mark.parametrize("name", NAMES)
def test_an_inverted_mel_has_that_mel(name):
    recipe = NAMED[name]
    mel = mel_of(voice(recipe.rate), recipe)
    magnitude = invert_mel(mel, recipe)
    assert magnitude.shape == (recipe.bins, mel.shape[1])
    again = mel_of_magnitude(magnitude, recipe)
    assert np.linalg.norm(again - mel) < 0.05 * np.linalg.norm(mel)


@pytest.mark.parametrize("name", NAMES)
def test_mel_inversion_is_the_update_of_its_formula(name):
    """Done here with the whole filterbank, in double precision: X <- X * H'(M / H X) / H'1."""
    recipe = NAMED[name]
    mel = mel_of(voice(recipe.rate), recipe).astype(np.float64)
    bank = filters_of(recipe).astype(np.float32).astype(np.float64)
    bank = bank[:, bank.any(axis=0)]
    estimate = bank.T @ (mel / (bank.sum(1, keepdims=True) + 1e-12)) / bank.sum(0)[:, None]
    for _ in range(7):
        estimate *= bank.T @ (mel / (bank @ estimate + 1e-12)) / bank.sum(0)[:, None]
    wanted = estimate ** (1 / recipe.power)
    found = invert_mel(mel, recipe, iterations=7)
    found = found[filters_of(recipe).any(axis=0)]
    assert np.abs(found - wanted).max() < 1e-5 * wanted.max()


def test_a_step_of_any_recipe_goes_to_other_processes_and_equals_itself():
    step = log_mel_step(NAMED["vocos-24k"])
    assert pickle.loads(pickle.dumps(step)) == step == log_mel_step(NAMED["vocos-24k"])
    assert len({step, log_mel_step(NAMED["bigvgan-24k"]), log_mel_step(HIFIGAN)}) == 3
    features = step(harmonic_tone(0.5))
    assert (features.kind, features.values.shape) == ("log vocos-24k mel", (100, 12_032 // 256 + 1))


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_a_value_that_files_hold(name, tmp_path):
    recipe = dataclasses.replace(NAMED[name], name="mine")
    for suffix, write in ((".json", json.dumps), (".yaml", yaml.safe_dump)):
        (tmp_path / f"mine{suffix}").write_text(write(recipe.as_dict()))
        assert read_recipe(tmp_path / f"mine{suffix}") == NAMED[name]
    assert read_recipe(name) == NAMED[name]


def test_a_name_that_lies_is_corrected():
    fake = with_its_name(dataclasses.replace(NAMED["vocos-24k"], name="hw2"))
    assert fake == NAMED["vocos-24k"]
    own = with_its_name(dataclasses.replace(NAMED["vocos-24k"], name="hw2", fmin=20.0))
    assert own.name.startswith("mel-")
    assert own == with_its_name(dataclasses.replace(own, name="anything"))
    assert own.name != with_its_name(dataclasses.replace(own, fmin=21.0)).name


def test_configuration_files_lead_to_the_named_recipes():
    nvidia = {
        "sampling_rate": 44100,
        "num_mels": 128,
        "n_fft": 2048,
        "hop_size": 512,
        "win_size": 2048,
        "fmin": 0,
        "fmax": None,
    }
    assert of_hifigan(nvidia).name == "bigvgan-44k-512x"
    assert of_hifigan({}) == of_hifigan({"fmax": 8000, "fmin": 0.0}) == HIFIGAN
    assert of_hifigan({"sampling_rate": 24000, "num_mels": 100, "fmax": 12000}).name == "bigvgan-24k"
    assert (
        of_vocos({"sample_rate": 24000, "n_fft": 1024, "hop_length": 256, "n_mels": 100, "padding": "center"}).name
        == "vocos-24k"
    )
    assert of_vocos({"padding": "same"}).pad == 384
    assert of_speecht5({}).name == "speecht5"
    assert of_speechbrain({"sample_rate": 16000, "mel_fmax": 8000}).name == "speechbrain-16k"
    assert of_parallel_wavegan({"sampling_rate": 22050, "fmin": 80, "fmax": 7600}).name == "parallel-wavegan-22k"


def test_espnets_spectrum_has_a_least_value_instead_of_an_added_one():
    recipe = of_espnet({"feats_extract_conf": {"fs": "24k", "n_fft": 2048, "hop_length": 300, "win_length": 1200}})
    assert (recipe.rate, recipe.fmin, recipe.fmax, recipe.log_base, recipe.pad) == (24_000, 80, 7600, 10, 1024)
    silence = mel_of(np.zeros(4800, np.float32), recipe)
    assert np.allclose(silence, 1e-5 * filters_of(recipe).sum(axis=1)[:, None], rtol=1e-5)
    magnitude = np.full(
        (recipe.bins, 2), 1e-5, np.float32
    )  # at the least value, a sum would be higher by the root of 2
    assert np.allclose(mel_of_magnitude(magnitude, recipe), silence[:, :2], rtol=1e-4)
    assert of_espnet({"feats_extract_conf": {"fmin": None, "fmax": None, "log_base": None}}).highest == 8000
    with pytest.raises(ValueError, match="center is False; only mels with center True"):
        of_espnet({"feats_extract_conf": {"center": False}})


def test_a_recipe_of_vits_is_hifigans_with_another_epsilon():
    found = of_vits(
        {"sampling_rate": 22050, "filter_length": 1024, "hop_length": 256, "win_length": 1024, "n_mel_channels": 80}
    )
    assert dataclasses.replace(found, name="hifigan", epsilon=1e-9, fmax=8000.0) == HIFIGAN
    assert (found.epsilon, found.fmax) == (1e-6, None)
    with pytest.raises(ValueError, match="signal_norm is True"):
        of_coqui({"sample_rate": 22050})


def test_names_from_before_a_field_existed_stay():
    assert with_its_name(dataclasses.replace(NAMED["vocos-24k"], fmin=20.0)).name == "mel-e8ea5bda"


@pytest.mark.parametrize("name", NAMES)
def test_griffin_lim_of_an_inverted_mel_has_nearly_that_mel(name):
    """Librosa's Griffin-Lim, at any framing: 0.2 is what phases of 30 iterations leave."""
    recipe = NAMED[name]
    samples = voice(recipe.rate)
    mel = mel_of(samples, recipe)
    magnitude = invert_mel(mel, recipe)
    waveform = librosa.griffinlim(
        magnitude, n_iter=30, hop_length=recipe.hop, win_length=recipe.win_length, n_fft=recipe.n_fft, window=recipe.window,
        center=recipe.pad == recipe.n_fft // 2, random_state=0,
    )  # fmt: skip
    if recipe.pad != recipe.n_fft // 2:
        waveform = waveform[recipe.pad :]
    again = mel_of(np.float32(waveform), recipe)
    frames = slice(4, min(again.shape[1], mel.shape[1]) - 4)
    assert np.linalg.norm(again[:, frames] - mel[:, frames]) < 0.2 * np.linalg.norm(mel[:, frames])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"rate": 0}, "rate is 0; allowed: 8000 to 96000"),
        ({"rate": 22050.5}, "rate is 22050.5; allowed"),
        ({"n_fft": 10**9}, "n_fft is 1000000000; allowed: 64 to 8192"),
        ({"hop": 0}, "hop is 0; allowed: 1 to 1024"),
        ({"win_length": 2048}, "win_length is 2048; allowed: 16 to 1024"),
        ({"fmax": 20_000}, "fmax is 20000; allowed: above fmin .* up to 11025 Hz, or none"),
        ({"fmin": 9000}, "fmax is 8000"),
        ({"bands": True}, "bands is True"),
        ({"power": 3}, "power is 3; allowed: 1 or 2"),
        ({"log_base": 1}, "log_base is 1"),
        ({"floor": float("nan")}, "floor is nan"),
        ({"mean": [0.0] * 80}, "mean is 80; allowed: one value per band"),
        ({"mean": [0.0] * 80, "deviation": [0.0] * 80}, "deviation is .* numbers above 0"),
        ({"name": "a/b"}, "name is 'a/b'"),
        ({"window": "kaiser"}, "window is 'kaiser'; allowed: 'hann' or 'hamming'"),
        ({"unit_area": "yes"}, "unit_area is 'yes'"),
        ({"sample_rate": 1}, "a mel recipe has no sample_rate; it has bands, "),
    ],
)  # fmt: skip
def test_an_impossible_recipe_is_refused(fields, reason):
    with pytest.raises(ValueError, match=reason):
        recipe_from(fields)


@given(st.dictionaries(st.sampled_from([f.name for f in dataclasses.fields(MelRecipe)]),
                       st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers(), max_size=3)))  # fmt: skip
def test_whatever_a_file_says_there_is_a_recipe_or_a_sentence(fields):
    try:
        found: object = recipe_from(fields)
    except ValueError as error:
        found = error
    assert isinstance(found, MelRecipe) or "\n" not in str(found)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: &x [1, 2]\nb: *x", "aliases"),
        ("[1, 2]", "no mapping"),
        ("a: [", "not valid YAML"),
        ("[" * 5000, "nested without end|not valid YAML"),
        ("x" * 70_000, "at most 0.07 MB"),
    ],
)
def test_yaml_that_is_no_configuration(tmp_path, text, reason):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ValueError, match=reason):
        parsed(tmp_path / "config.yaml")


def test_yaml_tags_make_no_objects(tmp_path):
    (tmp_path / "a.yaml").write_text("generator: !new:os.system\n  a: 1\nb: !!python/object/apply:os.system [ls]\n")
    assert parsed(tmp_path / "a.yaml") == {"generator": {"a": 1}, "b": ["ls"]}


def test_refinement_says_which_framing_it_needs():
    with pytest.raises(ValueError, match="framing of the hw2 mel, not at 24000 Hz"):
        refine(np.zeros(2560, np.float32), np.zeros((100, 10), np.float32), NAMED["vocos-24k"])
