"""Predicted opinions from optional packages: each that is installed must fall with noise and know when it cannot tell."""

import numpy as np
import pytest

from common.paths import ROOT
from eval.metrics.registry import METRICS
from vocoders.recordings.reader import read_recording


@pytest.mark.parametrize("name", ["PESQ-WB", "ViSQOL", "DNSMOS"])
def test_noise_is_rated_lower_and_silence_not_at_all(name, rng):
    metric = METRICS[name]
    if reason := metric.why_not():
        pytest.skip(reason)
    sung = read_recording(ROOT / "assets" / "examples" / "sung_phrase_low.flac").samples[: 3 * 22_050]
    quiet, loud = ((sung + rng.normal(0, level, len(sung))).astype(np.float32) for level in (0.003, 0.1))
    clean = metric.compute(sung, sung)
    assert 1 <= metric.compute(sung, loud) < metric.compute(sung, quiet) <= clean + 0.2 <= 5.2
    assert np.isnan(metric.compute(np.zeros_like(sung), sung)) or name == "DNSMOS"
    assert np.isnan(metric.compute(sung, np.zeros_like(sung)))
    assert np.isnan(metric.compute(sung[:2000], sung[:2000]))
