"""The same sound as different bytes: how far apart they are, and that nobody hears it."""

import io

import numpy as np
import pytest
import soundfile

from eval.listening.session.disguise import MAX_GAIN_DB, Disguise
from tests.listening import sounds_like
from tests.signals import harmonic_tone
from vocoders.audio import SAMPLE_RATE, to_pcm16, wav_of

SLOTS = 5
STORED = wav_of(to_pcm16(0.2 * harmonic_tone(2.0)), SAMPLE_RATE)


def samples(wav: bytes) -> np.ndarray:
    found, rate = soundfile.read(io.BytesIO(wav), dtype="float64")
    assert rate == SAMPLE_RATE
    return found


def decibels(x: np.ndarray) -> float:
    return 10 * np.log10(np.mean(np.square(x)))


@pytest.fixture
def worn() -> list[bytes]:
    return [Disguise("secret").wear(STORED, "nonce", slot, SLOTS) for slot in range(SLOTS)]


def test_the_noise_is_that_of_any_16_bit_file(worn):
    stored = samples(STORED)
    for wav in worn:
        own = samples(wav)
        gain = own @ stored / (stored @ stored)
        # Triangular dither of ±1 step and the rounding: a variance of a quarter of a squared step (Lipshitz et al. 1992)
        assert decibels(own - gain * stored) == pytest.approx(10 * np.log10(0.25 / 32768**2), abs=0.2)
        assert decibels(own - gain * stored) < -96
        assert len(own) == len(stored)
        assert sounds_like(wav, STORED)


def test_the_level_differs_by_less_than_listeners_detect(worn):
    levels = sorted(decibels(samples(wav)) - decibels(samples(STORED)) for wav in worn)
    assert levels == pytest.approx(np.linspace(-MAX_GAIN_DB, MAX_GAIN_DB, SLOTS), abs=1e-3)
    assert levels[-1] - levels[0] < 0.101, "of the 0.25 dB that trained listeners detect"


def test_equal_sounds_have_nothing_simple_in_common(worn):
    assert len(set(worn)) == SLOTS
    assert len({len(wav) for wav in worn}) == 1
    sounds = [samples(wav) for wav in worn]
    level = decibels(samples(STORED))
    left = [decibels(a - b) - level for k, a in enumerate(sounds) for b in sounds[:k]]
    assert min(left) > -65


def test_asking_again_gives_the_same_and_others_get_another(worn):
    disguise = Disguise("secret")
    assert disguise.wear(STORED, "nonce", 2, SLOTS) == worn[2]
    others = [disguise.wear(STORED, "other nonce", 2, SLOTS), Disguise("another").wear(STORED, "nonce", 2, SLOTS)]
    assert len({worn[2], *others}) == 3


def test_gains_are_in_no_fixed_order():
    disguise = Disguise("secret")
    loudest = {
        int(np.argmax([decibels(samples(disguise.wear(STORED, f"nonce {n}", k, 3))) for k in range(3)]))
        for n in range(12)
    }
    assert loudest == {0, 1, 2}


def test_a_program_that_correlates_still_finds_them(worn):
    """The honest limit: no inaudible change prevents it."""
    one, other = samples(worn[0]), samples(worn[1])
    assert np.corrcoef(one, other)[0, 1] > 0.9999
