"""Every named recipe's mel leads to every other's, at its own rate: the right frames, near the mel of the recording itself."""

import dataclasses

import numpy as np
import pytest

from tests.conftest import harmonic_tone
from vocoders.analysis import Analysis
from vocoders.audio import resample
from vocoders.bridges import bridge_mel, waveform_of
from vocoders.features import Features, front_end
from vocoders.mel import HIFIGAN, HW2, filters_of, log_mel_of, mel_of
from vocoders.recipes.named import NAMED
from vocoders.recipes.recipe import MelRecipe

NAMES = list(NAMED)
RATE, SECONDS = 44_100, 0.2
MAX_MEAN_DB = {  # of the bridged mel of a target from the direct one; the worst source, as measured, and a tenth more
    "hw2": 1.8, "hifigan": 2.0, "bigvgan-22k": 1.9, "bigvgan-24k": 1.9, "bigvgan-44k": 2.6, "bigvgan-44k-512x": 2.0,
    "vocos-24k": 2.1, "parallel-wavegan-22k": 1.9, "parallel-wavegan-24k": 1.9, "speecht5": 1.9, "speechbrain-22k": 1.8,
    "speechbrain-16k": 1.9,
}  # fmt: skip


def phrase() -> np.ndarray:
    """Harmonics up to 20 kHz, gliding, in some noise; (8820,) float32 at 44 100 Hz."""
    time = np.arange(round(RATE * SECONDS)) / RATE
    turns = 220 * time + 0.3 * np.sin(2 * np.pi * 5 * time)
    tone = sum(np.sin(2 * np.pi * k * turns) / k for k in range(1, 90))
    noise = np.random.default_rng(0).normal(0, 0.01, len(time))
    return (0.3 * (tone / np.abs(tone).max() + noise)).astype(np.float32)


def direct(recipe: MelRecipe) -> np.ndarray:
    """The log mel of the phrase, which is padded to whole frames as a front end does."""
    samples = resample(phrase(), RATE, to=recipe.rate)
    return log_mel_of(np.pad(samples, (0, recipe.whole(len(samples)) - len(samples))), recipe)


@pytest.fixture(scope="module")
def mels() -> dict[str, np.ndarray]:
    return {name: direct(recipe) for name, recipe in NAMED.items()}


def mean_db(found: np.ndarray, wanted: np.ndarray, source: MelRecipe, target: MelRecipe) -> float:
    """Mean difference over what is at most 45 dB below the loudest, and inside the source's own bands."""
    frames = min(found.shape[1], wanted.shape[1])
    inner, db = slice(2, frames - 2), 20 / np.log(10) * np.log(target.log_base) / target.power
    centres = filters_of(target).argmax(axis=1) * target.rate / target.n_fft
    known = (centres > 1.2 * source.fmin) & (centres < 0.95 * source.highest)
    level = wanted[:, inner] * db
    counted = (level > level.max() - 45) & known[:, None]
    return float((np.abs(found[:, inner] - wanted[:, inner]) * db)[counted].mean())


@pytest.mark.parametrize("target", NAMES)
@pytest.mark.parametrize("source", NAMES)
def test_a_bridge_leads_near_the_mel_of_the_recording(mels, source, target):
    given, wanted, before, after = mels[source], mels[target], NAMED[source], NAMED[target]
    found = bridge_mel(given, before, after)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    rounded_up = -(-before.hop * after.rate // before.rate)  # samples, of the source's last frame
    longest = after.frames(after.whole(round(SECONDS * after.rate) + rounded_up))
    assert found.shape[0] == after.bands
    assert wanted.shape[1] <= found.shape[1] <= longest
    if source == target:
        assert np.array_equal(found, given)
    else:
        assert mean_db(found, wanted, before, after) < MAX_MEAN_DB[target]


def test_a_mel_taken_for_another_is_farther_off_than_any_bridge_allows(mels):
    for source, target in (("hw2", "hifigan"), ("hifigan", "hw2"), ("speecht5", "speechbrain-16k")):
        apart = mean_db(mels[source], mels[target], NAMED[source], NAMED[target])
        assert apart > 3 * MAX_MEAN_DB[target]


@pytest.mark.parametrize("name", NAMES)
def test_another_logarithm_floor_or_statistics_of_one_mel_are_converted_exactly(mels, name):
    """As ParallelWaveGAN normalizes by its training data: nothing has to be inverted for it."""
    recipe = NAMED[name]
    changed = {"log_base": 10.0, "mean": (-2.0,) * recipe.bands, "deviation": (0.7,) * recipe.bands}
    normalized = dataclasses.replace(recipe, name="normalized", **changed)
    there = bridge_mel(mels[name], recipe, normalized)
    assert np.abs(there - (mels[name] * np.log(recipe.log_base) / np.log(10) + 2) / 0.7).max() < 1e-4
    assert np.abs(bridge_mel(there, normalized, recipe) - mels[name]).max() < 1e-4


def test_a_mel_under_another_name_stays_as_it_is(mels):
    renamed = dataclasses.replace(HIFIGAN, name="mine")
    assert bridge_mel(mels["hifigan"], HIFIGAN, renamed) is mels["hifigan"]


def test_a_mel_of_another_recipe_is_refused(mels):
    with pytest.raises(ValueError, match=r"a hifigan mel has shape \(80, frames\) .* not \(100, \d+\)"):
        bridge_mel(mels["vocos-24k"], HIFIGAN, HIFIGAN)
    with pytest.raises(ValueError, match="finite values"):
        bridge_mel(np.full((80, 9), np.nan, np.float32), HIFIGAN, HW2)


@pytest.mark.parametrize("pad", [0, 200, 512, 700])
def test_a_waveform_of_magnitudes_stands_where_its_recording_stood(pad):
    """The envelope of a click train in noise, whatever the padding: a shift of half a hop would be 128 samples."""
    recipe = dataclasses.replace(HIFIGAN, name="padded", pad=pad, padding="constant")
    samples = np.random.default_rng(1).normal(0, 0.003, 256 * 30).astype(np.float32)
    clicks = np.arange(2000, 6000, 1000)
    samples[clicks] = 1.0
    frames = recipe.frames(len(samples))
    window, padded = np.hanning(1025)[:-1], np.pad(samples, pad)
    columns = [np.abs(np.fft.rfft(window * padded[256 * i : 256 * i + 1024])) for i in range(frames)]
    found = waveform_of(np.array(columns, np.float32).T, recipe)
    assert len(found) == recipe.samples(frames)
    assert 0 <= len(samples) - len(found) < 256
    for click in clicks:
        energy = found[click - 400 : click + 400].astype(np.float64) ** 2
        assert abs((energy * np.arange(-400, 400)).sum() / energy.sum()) < 40


def test_a_mel_file_reaches_every_generator():
    analysis = Analysis.of_mel(Features("hw2 mel", mel_of(harmonic_tone(0.5), HW2)))
    for recipe in (NAMED["vocos-24k"], NAMED["bigvgan-22k"], HIFIGAN):
        assert analysis.features(front_end(recipe)).values.shape[0] == recipe.bands
