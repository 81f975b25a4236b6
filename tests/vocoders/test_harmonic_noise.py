"""The harmonic-plus-noise vocoder: its carriers against closed forms, exact windows, its file, and that it learns."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import harmonic_tone
from train.config import PRESETS, TrainConfig, with_input
from train.data.guide import Guides
from train.loop import fit
from train.networks.generator import fold_weight_norm
from train.schedule import Budget
from train.validation import ValidationSet
from vocoders.audio import SAMPLE_RATE
from vocoders.checkpoints.checkpoint import (
    Checkpoint,
    CheckpointError,
    read_checkpoint,
    read_header,
    write_safetensors,
)
from vocoders.features import Features, hw2_mel, log_hw2
from vocoders.harmonic_noise.bands import hats
from vocoders.harmonic_noise.bins import BinNetwork
from vocoders.harmonic_noise.carriers import CARRIERS, PITCHED, Carriers, power, smooth_magnitude
from vocoders.harmonic_noise.dft import inverse_real_dft, real_dft
from vocoders.harmonic_noise.generator import HarmonicNoise, HarmonicNoiseConfig
from vocoders.harmonic_noise.noise import BLOCK_SAMPLES, noise
from vocoders.harmonic_noise.stft import Stft
from vocoders.hifigan.engine import HiFiGANVocoder
from vocoders.hifigan.generator_input import WITH_GUIDE_AND_NOISE, generator_input
from vocoders.hifigan.guide import guide_of
from vocoders.mel import HIFIGAN, HOP, HW2, N_BINS, N_FFT
from vocoders.phase.stft import istft, stft

SMALL = HarmonicNoiseConfig(
    channels=16, hidden=24, blocks=2, kernel=3, guide_iterations=2, gain_bands=24, bin_channels=4
)
FIRST_SHAPE = dataclasses.replace(SMALL, gain_bands=0, bin_channels=0)  # of files before there were bands
TINY = dataclasses.replace(
    PRESETS["tiny"],
    generator=SMALL,
    stft_weight=12.0,
    generator_only=1.0,
    generator_only_lr=1e-2,
)


def random_network(config: HarmonicNoiseConfig = SMALL, seed: int = 1) -> HarmonicNoise:
    """Weights so large that every layer and carrier matters for the output."""
    torch.manual_seed(seed)
    network = config.build()
    torch.nn.init.normal_(network.leave.weight, 0.0, 0.3)
    if network.bins is not None:
        torch.nn.init.normal_(network.bins.leave.weight, 0.0, 0.3)
    with torch.no_grad():
        network.leave.bias[: -PITCHED * N_BINS] = -1.0
    return network.eval()


def network_input(samples: np.ndarray, config: HarmonicNoiseConfig = SMALL) -> torch.Tensor:
    mel = log_hw2(hw2_mel(samples)).values
    waveforms = guide_of(mel, config.guide_iterations), noise(0, mel.shape[1] * HOP)
    guide, drawn = (torch.from_numpy(waveform)[None] for waveform in waveforms)
    return generator_input(torch.from_numpy(mel)[None], config.input_channels, HW2, guide, drawn)


def test_the_stft_is_that_of_griffin_lim_and_its_inverse_gives_the_waveform_back():
    samples = np.random.default_rng(0).standard_normal(40 * HOP).astype(np.float32)
    layer = Stft()
    spectrum = layer(torch.from_numpy(samples)[None])
    assert np.allclose(as_complex(spectrum[0]), stft(samples), atol=1e-4)
    assert np.allclose(layer.inverse(spectrum)[0].numpy(), samples, atol=1e-5)
    changed = spectrum * torch.rand(spectrum.shape)  # no waveform's spectrum: the least-squares answer
    assert np.allclose(layer.inverse(changed)[0].numpy(), istft(as_complex(changed[0])), atol=1e-4)


@pytest.mark.parametrize("size", [1024, 2048])
def test_the_dft_of_exported_graphs_is_that_of_pytorch(monkeypatch, size):
    monkeypatch.setattr(torch.onnx, "is_in_onnx_export", lambda: True)
    frames = torch.randn(2, 3, size, generator=torch.Generator().manual_seed(size))
    wanted = torch.fft.rfft(frames.double())
    for bins in (size // 2 + 1, 513, 40):
        found = as_complex(real_dft(frames, size, bins))
        assert np.abs(found - wanted[..., :bins].numpy()).max() < 2e-4  # of about 32 to 45, in float32
        back = inverse_real_dft(real_dft(frames, size, bins), size)
        assert np.abs(back.double() - torch.fft.irfft(wanted[..., :bins], size)).max() < 3e-6


def test_the_dft_of_exported_graphs_is_as_near_double_precision_as_pytorchs(monkeypatch):
    x = network_input(harmonic_tone(1.0)[: 86 * HOP].astype(np.float32))
    with torch.inference_mode():
        exact, found = random_network().double()(x.double()), random_network()(x)
        monkeypatch.setattr(torch.onnx, "is_in_onnx_export", lambda: True)
        exported = random_network()(x)
    errors = [float((samples - exact).square().mean().sqrt()) for samples in (exported, found)]
    assert 0 < errors[0] < 2 * errors[1] < 1e-4


def as_complex(spectrum: torch.Tensor) -> np.ndarray:
    """(..., 2, bins) -> (..., bins)."""
    return spectrum[..., 0, :].numpy() + 1j * spectrum[..., 1, :].numpy()


def test_a_finer_stft_interpolates():
    """The bins that both have, of the same frames: twice the samples, so twice the sum."""
    time = np.arange(60 * HOP) / SAMPLE_RATE
    coarse = torch.tensor(np.sin(2 * np.pi * 700 * time), dtype=torch.float32)[None]
    spectrum = Stft()(coarse)
    fine = Stft(2).inverse(2 * spectrum)
    wanted = np.sin(2 * np.pi * 700 * np.arange(120 * HOP) / (2 * SAMPLE_RATE))
    assert np.abs(fine[0].numpy() - wanted)[2000:-2000].max() < 1e-3


def test_noise_is_white_and_the_same_wherever_it_is_cut():
    whole = noise(0, 3 * BLOCK_SAMPLES)
    assert abs(whole.std() - 1) < 0.01
    assert abs(whole.mean()) < 0.01
    for start, stop in ((0, 0), (5, 9), (BLOCK_SAMPLES - 3, 2 * BLOCK_SAMPLES + 7)):
        assert np.array_equal(noise(start, stop), whole[start:stop])
    assert not np.array_equal(noise(0, 100), noise(0, 100, seed=1))


def levels(spectrum: torch.Tensor) -> np.ndarray:
    """dB of the mean power per bin, away from the ends: (frames, 2, 513) -> (513,)."""
    return 10 * np.log10(power(spectrum)[6:-6].mean(0)[0].numpy() + 1e-12)


@pytest.fixture(scope="module")
def carriers_of_a_tone() -> torch.Tensor:
    """Of partials of 258 Hz (12 bins) up to 2.2 kHz, and hardly anything else: (CARRIERS, frames, 2, 513)."""
    phase = 2 * np.pi * 12 * np.arange(100 * HOP) / N_FFT
    tone = sum(np.cos(k * phase) / k for k in range(1, 9)) / 4
    guide = torch.tensor(tone + 1e-4 * noise(7, 7 + len(tone)), dtype=torch.float32)[None]
    drawn = torch.from_numpy(noise(0, guide.shape[1]))[None]
    with torch.inference_mode():
        return Carriers()(guide, drawn)[0]


@pytest.mark.parametrize("carrier", [1, 2])
def test_excitations_have_partials_of_the_same_pitch_up_to_the_nyquist_frequency(carrier, carriers_of_a_tone):
    carriers = carriers_of_a_tone
    level = levels(carriers[carrier] / smooth_magnitude(carriers[0], 1e-10))
    partials, between = level[12:500:12], level[18:500:12]
    contrast = partials[: len(between)] - between  # dB
    assert contrast.min() > 6
    assert contrast.mean() > 15


def test_harmonics_above_the_nyquist_frequency_do_not_fold_back():
    """Partials of 1 033 Hz folded at 11 025 Hz would stand between the partials: at 48 k - 1024 bins."""
    phase = 2 * np.pi * 45 * np.arange(100 * HOP) / N_FFT
    guide = torch.tensor(0.3 * (np.sin(phase) + np.sin(2 * phase)), dtype=torch.float32)[None]
    with torch.inference_mode():
        carriers = Carriers()(guide, torch.zeros_like(guide))[0]
    level = levels(carriers[1] / smooth_magnitude(carriers[0], 1e-10))
    for harmonic in (12, 13, 14):
        assert level[1024 - 45 * harmonic] < level[45 * (harmonic - 8)] - 15


def test_an_envelope_is_the_mean_power_of_the_bins_to_either_side():
    spectrum = torch.randn(1, 3, 2, N_BINS, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    mirrored = np.pad(spectrum.square().sum(2)[0].numpy(), ((0, 0), (10, 10)), mode="reflect")
    wanted = np.sqrt(np.stack([mirrored[:, first : first + 21].mean(1) for first in range(N_BINS)], 1) + 1e-3)
    assert np.allclose(smooth_magnitude(spectrum, 1e-3)[0, :, 0], wanted, rtol=1e-12)


def test_noise_carriers_have_the_guides_envelope(carriers_of_a_tone):
    carriers = carriers_of_a_tone
    envelope = smooth_magnitude(carriers[0], 1e-10)
    for noisy in carriers[PITCHED:]:
        assert abs(levels(noisy / envelope)[30:480].mean()) < 1.0


def test_pulsed_noise_is_loud_once_a_period():
    """Its power follows the excitation; plain noise does not know the period."""
    period = 220
    clicks = np.zeros(120 * HOP, np.float32)
    clicks[::period] = 1.0
    with torch.inference_mode():
        carriers = Carriers()(torch.from_numpy(clicks)[None], torch.from_numpy(noise(0, len(clicks)))[None])
        waves = [Stft().inverse(carriers[:, index])[0].numpy() for index in (3, 4)]
    folded = [np.square(wave[20 * period : 120 * period]).reshape(-1, period).mean(0) for wave in waves]
    plain, pulsed = (np.abs(np.fft.rfft(power)[1]) / power.sum() for power in folded)
    assert pulsed > 0.15
    assert plain < 0.08


def test_untrained_it_is_its_guide():
    samples = harmonic_tone(1.0)
    x = network_input(samples)
    torch.manual_seed(0)
    with torch.inference_mode():
        found = HarmonicNoise(SMALL).eval()(x)[0, 0].numpy()
    guide = guide_of(log_hw2(hw2_mel(samples)).values, SMALL.guide_iterations)
    assert np.corrcoef(found, guide)[0, 1] > 0.97


def test_silence_stays_silent_and_finite():
    with torch.inference_mode():
        found = random_network()(network_input(np.zeros(8192, np.float32)))
    assert torch.isfinite(found).all()
    assert found.abs().max() < 1e-2


@pytest.mark.parametrize("frames", [2, 20, 300, 700])
@pytest.mark.parametrize("shape", [SMALL, FIRST_SHAPE])
def test_windows_give_the_samples_of_the_whole(frames, shape):
    network = random_network(shape)
    checkpoint = Checkpoint(shape, HW2, network.state_dict())
    samples = np.resize(harmonic_tone(2.0), frames * HOP).astype(np.float32)
    mel = log_hw2(hw2_mel(samples)).values
    found = HiFiGANVocoder(checkpoint)(Features("log hw2 mel", mel))
    with torch.inference_mode():
        whole = network(network_input(samples))[0, 0].numpy()
    assert found.shape == whole.shape
    assert np.abs(found - whole).max() < 1e-5


@pytest.mark.parametrize("shape", [SMALL, FIRST_SHAPE])
def test_the_context_is_as_far_as_a_frame_reaches(shape):
    network, frames, changed = random_network(shape), 60, 30
    x = network_input(np.random.default_rng(3).standard_normal(frames * HOP).astype(np.float32))
    other = x.clone()
    other[..., changed] = x[..., changed + 7]
    with torch.inference_mode():
        differs = (network(x) - network(other))[0, 0].abs().unflatten(0, (frames, HOP)).amax(1) > 0
    places = differs.nonzero()[:, 0]
    reach = max(changed - int(places.min()), int(places.max()) - changed)
    assert shape.context - 1 <= reach <= shape.context


def test_a_gradient_reaches_every_parameter_and_is_finite_in_silence():
    network = HarmonicNoise(SMALL)
    for samples in (harmonic_tone(0.3).astype(np.float32), np.zeros(4096, np.float32)):
        network.zero_grad()
        network(network_input(samples)).square().sum().backward()
        assert all(torch.isfinite(parameter.grad).all() for parameter in network.parameters())
    network(network_input(harmonic_tone(0.3).astype(np.float32))).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


def test_its_file_is_read_back_and_refused_where_it_lies(tmp_path: Path):
    checkpoint = Checkpoint(SMALL, HW2, HarmonicNoise(SMALL).state_dict(), {"licence": "CC0"})
    write_safetensors(tmp_path / "own.safetensors", checkpoint)
    found = read_checkpoint(tmp_path / "own.safetensors")
    assert (found.config, found.recipe) == (SMALL, HW2)
    assert read_header(tmp_path / "own.safetensors").about == {"licence": "CC0"}
    assert all(torch.equal(found.weights[name], value) for name, value in checkpoint.weights.items())
    write_safetensors(tmp_path / "wrong.safetensors", dataclasses.replace(checkpoint, recipe=HIFIGAN))
    with pytest.raises(CheckpointError, match="takes the hw2 mel, not hifigan"):
        read_checkpoint(tmp_path / "wrong.safetensors")
    write_safetensors(tmp_path / "other.safetensors", dataclasses.replace(checkpoint, config=HarmonicNoiseConfig(32)))
    with pytest.raises(CheckpointError, match="has shape"):
        read_checkpoint(tmp_path / "other.safetensors")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kernel": 4}, "kernel is 4; allowed: an odd number"),
        ({"blocks": 0}, "blocks is 0; allowed: 1 to 32"),
        ({"gain_bands": 1}, "gain_bands is 1; allowed: 0, or 2"),
    ],
)
def test_an_impossible_size_is_refused(fields, reason):
    with pytest.raises(ValueError, match=reason):
        HarmonicNoiseConfig(**fields)


def test_multiply_adds_are_those_of_the_layers():
    network = HarmonicNoise(SMALL)
    linear = sum(layer.weight.numel() for layer in network.modules() if isinstance(layer, torch.nn.Linear))
    convolutions = sum(layer.weight.numel() for layer in network.modules() if isinstance(layer, torch.nn.Conv1d))
    over_bins = sum(layer.weight.numel() for layer in network.modules() if isinstance(layer, torch.nn.Conv2d))
    assert SMALL.multiply_adds == linear + convolutions + N_BINS * over_bins


def test_gains_between_bands_are_interpolated():
    triangles = hats(24)
    assert torch.allclose(triangles.sum(0), torch.ones(513), atol=1e-5)
    assert ((triangles > 0).sum(0) <= 2).all()
    assert (triangles.max(1).values > 0.7).all()


def test_phases_of_a_steady_sinusoid_do_not_depend_on_its_bin_and_frame():
    """At a bin's centre: no advance beyond the hop's, and opposite signs in the three bins of the window's main lobe."""
    bin_ = torch.arange(40, 400, 45)[:, None]
    waves = torch.cos(2 * torch.pi * bin_ * torch.arange(30 * HOP) / N_FFT + bin_)
    spectra = Stft()(waves)
    found = BinNetwork(4).phases(torch.stack([spectra] * CARRIERS, dim=1))
    for row, place in enumerate(bin_[:, 0].tolist()):
        same, advance, along = found[row, :2], found[row, -4:-2], found[row, -2:]
        assert torch.allclose(same[:, 4:-4, place], torch.tensor([[1.0], [0.0]]).expand(2, 22), atol=1e-3)
        assert torch.allclose(advance[:, 4:-4, place], torch.tensor([[1.0], [0.0]]).expand(2, 22), atol=1e-3)
        assert torch.allclose(along[:, 4:-4, place], torch.tensor([[-1.0], [0.0]]).expand(2, 22), atol=1e-3)


def test_its_input_needs_noise():
    with pytest.raises(ValueError, match="needs noise beside the mel"):
        generator_input(torch.zeros(80, 3), WITH_GUIDE_AND_NOISE, HW2, torch.zeros(3 * HOP))
    with pytest.raises(ValueError, match="--input is for HiFi-GANs"):
        with_input(TINY, "mel")


def test_a_configuration_survives_json_with_its_family():
    for preset in ("harmonic-noise", "guided-v1"):
        assert TrainConfig.from_json(PRESETS[preset].to_json()) == PRESETS[preset]
    older = PRESETS["fast-v2"].to_json()
    del older["generator"]["family"]  # a run of an earlier revision
    assert TrainConfig.from_json(older) == PRESETS["fast-v2"]


def test_it_learns_what_gain_its_guide_lacks(pack, fabric, tmp_path):
    """With recordings at a quarter of their level for guides there is one thing to learn, and the mel tells it."""
    for path in pack.root.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    pack = dataclasses.replace(pack, root=tmp_path)
    Guides(pack, SMALL.guide_iterations).path.write_bytes((pack.audio // 4).astype("<i2").tobytes())
    state = fit(tmp_path / "run", pack, TINY, Budget(steps=30), fabric)
    evaluate = ValidationSet(pack, TINY, torch.device("cpu")).evaluate
    torch.manual_seed(0)
    begun, learned = (
        evaluate(weights).mel_l1 for weights in (SMALL.build().state_dict(), fold_weight_norm(state.average.values))
    )
    assert begun > 2  # log power: 2 ln 4 is 2.8
    assert learned < 0.3 * begun
