import json

import auraloss
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import dct

from common.paths import ROOT
from eval.metrics.registry import METRICS, choose_metrics
from eval.metrics.spectral import (
    log_mel_l1,
    log_spectral_distance,
    m_stft,
    m_stft_distance,
    mel_cepstral_distortion,
    spectral_convergence,
)
from tests.conftest import harmonic_tone
from vocoders.mel import HW2, log_mel_of

GOLDEN = ROOT / "tests" / "golden" / "metrics.json"
SPECTRAL = ("M-STFT", "log-mel L1", "spectral convergence", "log-spectral distance", "MCD")
ALL = [METRICS[name].compute for name in SPECTRAL]


def noisy(samples: np.ndarray, level: float) -> np.ndarray:
    return samples + np.random.default_rng(3).normal(0, level, len(samples)).astype(np.float32)


@pytest.mark.parametrize("level", [0.0, 0.003, 0.1])
def test_m_stft_is_auralosss(tone, level):
    estimate = noisy(tone, level) * 0.8
    theirs = auraloss.freq.MultiResolutionSTFTLoss()(
        torch.from_numpy(estimate)[None, None], torch.from_numpy(tone)[None, None]
    )
    assert m_stft(tone, estimate) == pytest.approx(float(theirs), rel=1e-5)


def test_the_m_stft_distance_has_gradients(tone):
    estimate = torch.from_numpy(noisy(tone, 0.01)).requires_grad_()
    m_stft_distance(torch.from_numpy(tone), estimate).backward()
    assert estimate.grad.abs().sum() > 0
    assert torch.isfinite(estimate.grad).all()


def test_half_the_gain_is_two_log_two_in_the_log_mel(tone):
    assert log_mel_l1(tone, tone * np.float32(0.5)) == pytest.approx(
        2 * np.log(2), abs=0.02
    )  # the floor takes a little


def test_mcd_ignores_gain_and_follows_its_formula(tone):
    """One coefficient that differs by d everywhere costs 10 / ln 10 * sqrt(2) * |d|; a gain moves only the 0th."""
    assert mel_cepstral_distortion(tone, tone * np.float32(0.9)) < 0.05
    wanted = dct(0.5 * log_mel_of(tone, HW2), axis=0, norm="ortho")[1:14]
    found = dct(0.5 * log_mel_of(noisy(tone, 0.02), HW2), axis=0, norm="ortho")[1:14]
    by_hand = [10 / np.log(10) * np.sqrt(2 * np.sum((a - b) ** 2)) for a, b in zip(wanted.T, found.T)]
    assert mel_cepstral_distortion(tone, noisy(tone, 0.02)) == pytest.approx(np.mean(by_hand), rel=1e-4)


def test_a_tenth_of_the_amplitude_is_20_db_of_spectral_distance(rng):
    noise = rng.normal(0, 0.3, 22_050).astype(np.float32)
    assert log_spectral_distance(noise, noise * np.float32(0.1)) == pytest.approx(20, abs=0.1)


def test_half_the_gain_is_half_in_spectral_convergence(tone):
    assert spectral_convergence(tone, tone * np.float32(0.5)) == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize("metric", ALL)
def test_a_recording_against_itself_is_perfect(metric, tone):
    assert metric(tone, tone) == 0


@pytest.mark.parametrize("metric", ALL)
def test_more_noise_is_worse(metric, tone):
    values = [metric(tone, noisy(tone, level)) for level in (0.001, 0.01, 0.1)]
    assert values[0] < values[1] < values[2]


@pytest.mark.parametrize("metric", ALL)
def test_silence_and_clicks_are_undefined_not_zero(metric, tone):
    assert np.isnan(metric(np.zeros(4000, np.float32), tone[:4000]))
    assert np.isnan(metric(tone[:200], tone[:200]))


@pytest.mark.parametrize("metric", ALL)
def test_the_shorter_signal_is_padded(metric, tone):
    padded = np.concatenate([tone[:-3000], np.zeros(3000, np.float32)])
    assert metric(tone, tone[:-3000]) == metric(tone, padded)


@settings(max_examples=20)
@given(f0=st.floats(80, 900), gain=st.floats(0.05, 1), seconds=st.floats(0.2, 0.6))
def test_metrics_are_finite_and_inputs_stay_as_they_are(f0, gain, seconds):
    reference = harmonic_tone(seconds, f0)
    estimate = (reference * gain).astype(np.float32)
    before = reference.copy(), estimate.copy()
    assert all(np.isfinite(metric(reference, estimate)) for metric in ALL)
    assert np.array_equal(reference, before[0])
    assert np.array_equal(estimate, before[1])


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (np.zeros((2, 100), np.float32), "mono float array"),
        (np.zeros(100, np.int16), "int16"),
        (np.full(100, np.nan), "not numbers"),
    ],
)
def test_wrong_arrays_are_refused(wrong, reason, tone):
    with pytest.raises(ValueError, match=f"estimate .*{reason}"):
        m_stft(tone, wrong)


def test_golden_values(tone):
    """tests/golden/make_metrics.py wrote them. 1e-4: FFT libraries of other machines round differently."""
    golden = json.loads(GOLDEN.read_text())
    found = {name: METRICS[name].compute(tone, noisy(tone, 0.02)) for name in SPECTRAL}
    assert found == pytest.approx(golden, rel=1e-4)


def test_metrics_are_chosen_by_name():
    assert [m.name for m in choose_metrics("M-STFT, spectral convergence")] == ["M-STFT", "spectral convergence"]
    unasked = {metric.name for metric in choose_metrics(None)}
    assert {"M-STFT", "F0 error", "F0 jitter", "Distill-MOS"} < unasked
    assert not {"log2f0_mean", "PESQ-WB", "MCD"} & unasked
    assert len(choose_metrics("all")) == len(METRICS) > len(unasked)
    with pytest.raises(ValueError, match="unknown metric 'PESK'; known: M-STFT"):
        choose_metrics("M-STFT,PESK")
