"""Faults of files and gains are named, and takes of vocoders are not."""

import numpy as np
import pytest
from scipy.signal import firwin, lfilter

from eval.suspicions import suspicions
from tests.conftest import ROOT
from vocoders.analysis import Analysis, synthesize
from vocoders.audio import SAMPLE_RATE, Recording, resample
from vocoders.catalogue import find_systems
from vocoders.intake import read_recording


@pytest.fixture(scope="module")
def phrase() -> np.ndarray:
    return read_recording(ROOT / "assets" / "examples" / "sung_phrase_high.flac").samples


def noticed(reference: np.ndarray, estimate: np.ndarray, **about) -> list[str]:
    return suspicions(Recording("x", estimate.astype(np.float32), **about), reference, estimate.astype(np.float32))


def test_recordings_and_takes_are_not_suspicious(phrase):
    assert noticed(phrase, phrase) == []
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


@pytest.mark.parametrize("attenuated", [1.0, 0.3])
def test_clipping_is_named_whatever_was_done_after_it(phrase, attenuated):
    clipped = np.clip(6 * phrase / np.abs(phrase).max(), -1, 1).astype(np.float32)
    found = noticed(clipped, clipped * np.float32(attenuated))
    assert found[0].startswith("it looks clipped: ")
    assert int(found[0].split()[3]) == pytest.approx(np.count_nonzero(np.abs(clipped) == 1), abs=2)
    known = Recording("x", clipped, notices=("it looks clipped",))
    assert not any(
        "clip" in sentence for sentence in suspicions(known, clipped, clipped)
    )  # it was said when it was read


def test_floats_beyond_full_scale_are_named(phrase):
    loud = 1.5 * phrase / np.abs(phrase).max()
    assert noticed(loud, loud) == ["it passes full scale by 3.5 dB"]


def test_integers_written_as_floats_are_named(phrase):
    wanted = (
        f"its peak is {32768 * np.abs(phrase).max():.0f} where full scale is 1, as of 16-bit integers written as floats"
    )
    (found,) = noticed(phrase, 32768 * phrase)
    assert found == wanted + "; measured as it is"


def test_dc_and_silence_are_named(phrase):
    assert noticed(phrase, phrase - 0.01) == ["it has a DC offset of -0.0100"]
    assert noticed(phrase, phrase + 0.0005) == []
    assert noticed(phrase, 0 * phrase) == ["it is silent"]
