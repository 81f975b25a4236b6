"""Faults of files and gains are named, and outputs of vocoders are not."""

import numpy as np
import pytest
from scipy.signal import firwin, lfilter

from common.paths import ROOT
from eval.compare.suspicions import suspicions
from vocoders.analysis import Analysis, synthesize
from vocoders.audio import SAMPLE_RATE, resample
from vocoders.catalogue import find_systems
from vocoders.recordings.reader import read_recording


@pytest.fixture(scope="module")
def phrase() -> np.ndarray:
    return read_recording(ROOT / "assets" / "examples" / "sung_phrase_high.flac").samples


def noticed(reference: np.ndarray, estimate: np.ndarray, rate: int = SAMPLE_RATE) -> list[str]:
    return suspicions(reference, estimate.astype(np.float32), rate)


def test_recordings_and_takes_are_not_suspicious(phrase):
    assert noticed(phrase, phrase) == []
    assert noticed(phrase, low_passed(phrase, 10_700)) == []
    analysis = Analysis(phrase)
    for system in find_systems("griffin-lim,griffin-lim-oracle"):
        assert noticed(phrase, synthesize(system, analysis)) == []


def low_passed(samples: np.ndarray, hertz: float) -> np.ndarray:
    return lfilter(firwin(301, hertz, fs=SAMPLE_RATE), 1, samples)


@pytest.mark.parametrize("rate", [8000, 16_000])
def test_a_low_rate_is_named_by_the_file_or_by_what_is_missing(phrase, rate):
    import soxr

    low = resample(soxr.resample(phrase, SAMPLE_RATE, rate), rate)[: len(phrase)]
    top = rate // 2000
    assert noticed(phrase, low, rate=rate) == [f"its file has {rate // 1000} kHz: nothing is in it above {top} kHz"]
    assert noticed(phrase, low) == [f"nothing is in it above {top} kHz, where the reference has something"]
    assert noticed(low, low) == []  # what the reference lacks is not missed
    assert noticed(phrase, 0.1 * low)[-1].startswith(f"nothing is in it above {top} kHz")


@pytest.mark.parametrize("hertz", [3500, 5500])
def test_a_low_pass_is_named_within_a_band(phrase, hertz):
    (found,) = noticed(phrase, low_passed(phrase, hertz))
    assert abs(float(found.split()[5]) * 1000 - hertz) <= 500


@pytest.mark.parametrize(("gain", "said"), [(0.5, "6.0 LU quieter"), (2.0, "6.0 LU louder"), (0.9, ""), (1.2, "")])
def test_another_gain_is_named(phrase, gain, said):
    quiet = 0.3 * phrase
    found = noticed(quiet, gain * quiet)
    assert found == ([f"it is {said} than the reference"] if said else [])
