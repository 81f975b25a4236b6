"""The guess above 8 kHz: the shipped map, its limits, and the fit that makes it."""

import numpy as np
import pytest

from eval.metrics.spectral import m_stft
from tests.command import command
from train.small_models.upper_band import fit_upper_band
from vocoders.features import hw2_mel, invert
from vocoders.mel import HW2, N_MELS, mel_of
from vocoders.phase.griffin_lim import griffin_lim
from vocoders.phase.inversion import invert_mel
from vocoders.phase.stft import stft
from vocoders.upper_band import BINS, FIRST_BIN, UpperBand, read_upper_band, shipped_upper_band


def breathy(seconds: float = 1.5) -> np.ndarray:
    """Noise that falls off with frequency, like a breath; nothing the map was fitted on."""
    rng = np.random.default_rng(3)
    spectrum = np.fft.rfft(rng.normal(size=round(seconds * 22_050)))
    hertz = np.linspace(0, 11_025, len(spectrum))
    samples = np.fft.irfft(spectrum * np.exp(-hertz / 4000))
    return (0.1 * samples / samples.std()).astype(np.float32)


def test_the_first_bin_is_the_first_that_no_band_hears():
    from vocoders.mel import filterbank

    covered = filterbank(HW2.scale, HW2.unit_area).sum(0) > 0
    assert not covered[FIRST_BIN:].any()
    assert covered[FIRST_BIN - 1]
    assert FIRST_BIN + BINS == 513


def test_below_8_khz_it_changes_nothing_and_above_it_helps():
    samples = breathy()[: 256 * 120]
    mel = hw2_mel(samples)
    full, empty = invert(mel).values, invert_mel(mel.values)
    assert np.array_equal(full[:FIRST_BIN], empty[:FIRST_BIN])
    level = 20 * np.log10(full[FIRST_BIN:].mean() / np.abs(stft(samples)).T[FIRST_BIN:].mean())
    assert abs(level) < 12  # dB; noise is not what the map was fitted on
    assert m_stft(samples, griffin_lim(full)) < 0.7 * m_stft(samples, griffin_lim(empty))


def test_silence_stays_silent_and_a_strange_mel_cannot_explode():
    silent = np.zeros((N_MELS, 5), np.float32)
    assert invert(hw2_mel(np.zeros(256 * 5, np.float32))).values.max() < 1e-20
    assert not shipped_upper_band()(silent, np.zeros(5, np.float32)).max() > 1e-20
    strange = np.random.default_rng(0).uniform(0, 1e30, (N_MELS, 5)).astype(np.float32)
    guess = shipped_upper_band()(strange, np.full(5, 7.0, np.float32))
    assert np.isfinite(guess).all()
    assert guess.max() <= 7.0 * 1.001


def test_the_fit_finds_a_map_that_is_there(pack, tmp_path, monkeypatch):
    """Targets made by a known linear map of the mel are recovered."""
    import train.small_models.upper_band as module

    rng = np.random.default_rng(0)
    weights, bias = rng.normal(0, 0.02, (N_MELS, BINS)), rng.normal(0, 1, BINS)

    def frames(pack, clips, _):
        for clip in clips:
            log_mel = np.log(np.maximum(mel_of(pack.samples(clip), HW2).T, 1e-5))
            yield log_mel, log_mel @ weights + bias

    monkeypatch.setattr(module, "_frames", frames)
    found = fit_upper_band(pack)
    assert found.about["held-out error (dB)"] < 0.25 * found.about["held-out error of a constant (dB)"]
    found.save(tmp_path / "map.npz")
    again = read_upper_band(tmp_path / "map.npz")
    assert np.array_equal(again.weights, found.weights)
    assert again.about == found.about


def test_the_command_writes_a_map_and_says_how_good_it_is(pack, tmp_path):
    out = tmp_path / "map.npz"
    printed = command("train", "upper-band", "--data", pack.root, "--out", out).stdout
    assert "held-out error (dB):" in printed
    assert read_upper_band(out).weights.shape == (N_MELS, BINS)
    assert "exists already" in command("train", "upper-band", "--data", pack.root, "--out", out, code=1).stderr


def test_another_file_is_refused(tmp_path):
    UpperBand(np.zeros((3, 2)), np.zeros(2), {}).save(tmp_path / "bad.npz")
    with pytest.raises(ValueError, match=r"has shapes \(3, 2\) and \(2,\)"):
        read_upper_band(tmp_path / "bad.npz")
