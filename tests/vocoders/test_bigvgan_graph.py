"""BigVGAN in OpenVINO gives the samples of its PyTorch module: any version, any length, cut into windows or not."""

import numpy as np
import pytest
import torch

from eval.benchmarks.other_families import BIGVGAN_BASE
from tests.family_files import written
from tests.golden.formula import mel
from vocoders.bigvgan.generator import BigVGANConfig
from vocoders.bigvgan.openvino_graph import SINE_TERMS, sine_squared_terms
from vocoders.checkpoints.checkpoint import read_checkpoint
from vocoders.features import Features
from vocoders.hifigan.engine import HiFiGANVocoder, make_engine
from vocoders.hifigan.openvino_generator import OpenVINOGenerator, has_graph
from vocoders.hifigan.windows import MAX_KEPT_FRAMES

CASES = ("BigVGAN 1, snake", "BigVGAN 1, snakebeta", "BigVGAN 2")


@pytest.fixture(scope="module", params=CASES)
def checkpoint(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("case")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOCODER_CACHE_DIR", str(folder / "cache"))
        yield read_checkpoint(written(request.param, folder / "files"))


@torch.inference_mode()
def test_the_graph_gives_pytorchs_samples_in_windows_too(checkpoint):
    vocoder, generator = HiFiGANVocoder(checkpoint, "openvino"), checkpoint.generator()
    for frames in (1, 13, 3 * MAX_KEPT_FRAMES + 5):
        values = mel(checkpoint.config.bands, frames)
        wanted = generator(values)[0, 0].numpy()
        found = vocoder(Features(checkpoint.recipe.log_kind, values[0].numpy()))
        assert found.shape == wanted.shape == (frames * checkpoint.config.hop,)
        assert wanted.std() > 0.01
        assert np.abs(found - wanted).max() < 1e-4 * np.abs(wanted).max()


def test_the_graph_is_what_runs_on_a_cpu(checkpoint, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert isinstance(make_engine(checkpoint), OpenVINOGenerator)


def test_a_large_one_stays_in_pytorch():
    large = BigVGANConfig(1, (4, 4, 2, 2, 2, 2), (8, 8, 4, 4, 4, 4), 1536, (3, 7, 11), ((1, 3, 5),) * 3, bands=80)
    assert has_graph(BIGVGAN_BASE)
    assert not has_graph(large)


def test_the_polynomial_is_a_squared_sine():
    turns = np.linspace(-0.5, 0.5, 2001)
    found = turns**2 * np.polynomial.Polynomial(sine_squared_terms())(turns**2)
    assert len(sine_squared_terms()) == SINE_TERMS
    assert np.abs(found - np.sin(np.pi * turns) ** 2).max() < 1e-7
