"""Variants of the harmonic-plus-noise vocoder: each differs in what its name says, and is trained and measured like the others."""

import dataclasses
import json
import shutil

import pytest
import torch

from eval.metrics.registry import choose_metrics
from tests.signals import harmonic_tone
from train.benchmark.ablation import ablate
from train.benchmark.variants import PULSED, VariantConfig, variants
from train.config import PRESETS
from train.data.guide import Guides
from train.data.pack import open_pack
from vocoders.harmonic_noise.carriers import CARRIERS
from vocoders.mel import N_BINS

SMALL = {"channels": 8, "hidden": 8, "blocks": 2, "bin_channels": 4}


def weights(**changes):
    """Of a variant with random weights, for random features: gains and rotations."""
    torch.manual_seed(0)
    network = VariantConfig(**{**SMALL, **changes}).build()
    torch.nn.init.normal_(network.leave.weight)
    features = torch.randn(1, 5, network.enter.in_channels)
    return network.weigh(features, network.hidden(features), torch.randn(1, CARRIERS, 5, 2, N_BINS))


@torch.no_grad()
def test_a_variant_differs_in_what_it_says():
    gains, rotations = weights()
    without, _ = weights(without=(PULSED,))
    assert torch.equal(without[:, :PULSED], gains[:, :PULSED])
    assert not without[:, PULSED].any()
    unturned_gains, unturned = weights(turns_phases=False)
    assert torch.equal(unturned_gains, gains)
    assert rotations.any()
    assert not unturned.any()
    unaware, _ = weights(has_phases=False)
    assert not torch.allclose(unaware, gains)
    gains, _ = weights(bin_channels=0)
    banded, _ = weights(bin_channels=0, gain_bands=24)
    assert banded.log().diff(n=2).abs().mean() < gains.log().diff(n=2).abs().mean() / 5


@torch.no_grad()
def test_every_variant_makes_as_much_sound_as_it_is_given_mel():
    torch.manual_seed(0)
    sounds = {
        name: run.generator.build()(torch.randn(1, 592, 9)) for name, run in variants(PRESETS["harmonic-noise"]).items()
    }
    assert {sound.shape for sound in sounds.values()} == {(1, 1, 9 * 256)}
    assert all(sound.isfinite().all() for sound in sounds.values())


def test_what_is_measured_is_kept(pack, tmp_path, fabric):
    shutil.copytree(pack.root, tmp_path / "pack")
    pack = open_pack(tmp_path / "pack")
    Guides(pack).make(jobs=1)
    base = dataclasses.replace(
        PRESETS["harmonic-noise"],
        generator=VariantConfig(**SMALL),
        batch=1,
        long_batch=1,
        segment=4096,
        long_segment=4096,
    )
    runs = {"one": base, "other": dataclasses.replace(base, generator=VariantConfig(**SMALL, without=(PULSED,)))}
    file = tmp_path / "rows.json"
    metrics = choose_metrics("M-STFT,log-mel L1")
    rows = ablate(pack, runs, {"tones": [harmonic_tone(1.0)]}, metrics, 2, fabric, file)
    assert json.loads(file.read_text())["rows"] == rows
    found = [rows[name]["tones"]["M-STFT"] for name in runs]
    assert found[0] != pytest.approx(found[1], abs=1e-6)
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | {"rows": {"one": {"tones": {"M-STFT": 7.0}, "network": {}}}}))
    again = ablate(pack, runs, {"tones": [harmonic_tone(1.0)]}, metrics, 2, fabric, file)
    assert again["one"]["tones"]["M-STFT"] == 7.0
    assert again["other"]["tones"]["M-STFT"] == pytest.approx(found[1], rel=1e-4)
    for others in ({"steps": 3}, {"groups": {"tones": [harmonic_tone(1.2)]}}, {"metrics": metrics[:1]}):
        given = {"groups": {"tones": [harmonic_tone(1.0)]}, "metrics": metrics, "steps": 2} | others
        with pytest.raises(ValueError, match=r"holds rows of other (steps|samples|metrics); choose another --out"):
            ablate(pack, runs, **given, fabric=fabric, file=file)
