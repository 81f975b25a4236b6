"""Distill-MOS, whose pieces are cut here and looked at by twos, against the package that cuts and looks at all at once."""

import contextlib
import io

import numpy as np
import pytest
import soxr
import torch

from eval.metrics import distill_mos as ours
from eval.metrics.distill_mos import MIN_MODEL_SAMPLES, MODEL_RATE, PIECES_AT_A_TIME, distill_mos
from vocoders.audio import SAMPLE_RATE
from vocoders.torchaudio_cpu import import_torchaudio


@pytest.fixture(scope="module")
def theirs():
    import_torchaudio()
    import distillmos

    with contextlib.redirect_stdout(io.StringIO()):
        return distillmos.ConvTransformerSQAModel().eval()


@pytest.mark.parametrize("samples_of_model", [MIN_MODEL_SAMPLES, MIN_MODEL_SAMPLES + 1, round(11.3 * MODEL_RATE)])
def test_the_score_is_the_packages(theirs, rng, samples_of_model, monkeypatch):
    pieces = -(-(samples_of_model - MIN_MODEL_SAMPLES) // MODEL_RATE) + 1
    noise = np.cumsum(rng.normal(0, 0.01, samples_of_model)) * np.hanning(samples_of_model)
    samples = soxr.resample(noise, MODEL_RATE, SAMPLE_RATE, quality="VHQ").astype(np.float32)
    seen = soxr.resample(samples, SAMPLE_RATE, MODEL_RATE, quality="VHQ")
    assert len(seen) == samples_of_model
    model, sizes = ours._model(), []
    forward = model.cnn.forward
    monkeypatch.setattr(model.cnn, "forward", lambda x: (sizes.append(len(x)), forward(x))[1])
    score = distill_mos(samples, samples)
    with torch.inference_mode():
        wanted = float(theirs(torch.from_numpy(seen)[None]))
    assert score == pytest.approx(wanted, abs=1e-5)
    assert sum(sizes) == pieces
    assert max(sizes) <= PIECES_AT_A_TIME
    assert len(sizes) == -(-pieces // PIECES_AT_A_TIME)
