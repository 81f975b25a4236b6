"""Vocoders of other rates: mels made of the recording's own samples, outputs at the vocoder's rate, and 22 050 Hz as before."""

import dataclasses

import numpy as np
import pytest
import soundfile

from tests.command import command
from vocoders.analysis import Analysis, RecentAnalyses, synthesize, synthesize_native
from vocoders.audio import SAMPLE_RATE, Recording, Waveform, resample
from vocoders.features import Features, LogMelOf, front_end, hw2_mel
from vocoders.loaded_system import LoadedSystem
from vocoders.plugins import function_system
from vocoders.recipes.named import NAMED
from vocoders.systems import Call, Card, System

RATE = 44_100
RECIPE = dataclasses.replace(NAMED["hifigan"], rate=RATE, fmax=None, name="wide")
SOUND = np.random.default_rng(0).normal(0, 0.1, RATE + 1).astype(np.float32)
RECORDING = Recording("x", resample(SOUND, RATE), rate=RATE, own=Waveform(SOUND, RATE))


class Loudest:
    """Every frame as long as its hop, as loud as the upper half of its mel."""

    expects = RECIPE.log_kind

    def __call__(self, features: Features, on_progress) -> np.ndarray:
        mel = features.require(self.expects, by="this test")
        return np.exp(mel[40:]).mean(axis=0).repeat(RECIPE.hop).astype(np.float32)


def wide_system() -> System:
    return System("wide", "Wide", "For a test.", front_end(RECIPE), Loudest, Call(Card, (0, "-", "-")), rate=RATE)


def analysis() -> Analysis:
    return Analysis(RECORDING.samples, RECORDING.own)


def test_a_mel_at_another_rate_is_made_of_the_recordings_own_samples():
    found = analysis().features(front_end(RECIPE))
    assert np.array_equal(found.values, LogMelOf(RECIPE)(SOUND, RATE).values)
    upper = Analysis(RECORDING.samples).features(front_end(RECIPE)).values[-10:]  # nothing is there without them
    assert found.values[-10:].mean() > upper.mean() + 3


def test_the_hw2_mel_is_that_of_22_050_hz_all_the_same():
    assert np.array_equal(analysis().features((hw2_mel,)).values, hw2_mel(RECORDING.samples).values)


def test_an_output_is_had_at_both_rates_and_both_are_one():
    known = analysis()
    native = synthesize_native(wide_system(), known)
    assert (native.rate, len(native.samples)) == (RATE, len(SOUND))
    samples = synthesize(wide_system(), known)
    assert len(samples) == len(RECORDING.samples)
    whole = Loudest()(known.features(front_end(RECIPE)), None)
    assert np.array_equal(samples, resample(whole, RATE)[: len(samples)])
    assert np.array_equal(native.samples, whole[: len(SOUND)])


def test_without_its_own_samples_a_recording_is_as_before():
    """Lengths follow from 22 050 Hz."""
    native = synthesize_native(wide_system(), Analysis(RECORDING.samples))
    assert len(native.samples) == round(len(RECORDING.samples) * RATE / SAMPLE_RATE)


def test_a_rate_above_48_khz_is_lowered():
    def load():
        return lambda features, on_progress: resample(Loudest()(features, on_progress), RATE, 96_000)

    high = dataclasses.replace(wide_system(), rate=96_000, load=load)
    assert high.native_rate == synthesize_native(high, analysis()).rate == 48_000


def test_an_output_of_another_duration_is_refused_instead_of_cut():
    """As of a vocoder whose rate is stated wrongly."""
    wrong = dataclasses.replace(wide_system(), rate=RATE // 2)
    with pytest.raises(ValueError, match=r"makes 2\.01 s of a recording of 1\.00 s; is its output at 22050 Hz\?"):
        synthesize(wrong, analysis())


def test_a_loaded_system_gives_22_050_hz_unless_asked():
    system = LoadedSystem(wide_system())
    assert system(RECORDING).rate == SAMPLE_RATE
    assert system(RECORDING, native_rate=True).rate == RATE


def test_recordings_that_differ_only_above_11_khz_are_two():
    recent = RecentAnalyses()
    silent = Waveform(np.zeros_like(SOUND), RATE)
    first = recent.of(RECORDING.samples, RECORDING.own)
    assert recent.of(RECORDING.samples, RECORDING.own) is first
    assert recent.of(RECORDING.samples, silent) is not first
    assert recent.of(RECORDING.samples) is not first
    assert first.nbytes >= RECORDING.samples.nbytes + SOUND.nbytes


def halved(samples, rate):
    """Half as loud."""
    assert rate == RATE
    return samples / 2


halved.rate = RATE


def far_off(samples, rate):
    return samples


far_off.rate = 96_000


def test_a_function_with_a_rate_gets_and_gives_it():
    system = function_system("half", f"{__name__}:halved")
    made = synthesize_native(system, analysis())
    assert made.rate == system.native_rate == RATE
    assert np.array_equal(made.samples, SOUND / 2)


def test_a_function_with_an_impossible_rate_is_refused():
    with pytest.raises(ValueError, match="its rate is 96000; allowed: whole numbers from 8000 to 48000"):
        function_system("far", f"{__name__}:far_off")


def test_resynth_writes_22_050_hz_unless_asked(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "wide_plugin.py").write_text("def half(x, rate):\n    return x / 2\n\n\nhalf.rate = 44100\n")
    soundfile.write(tmp_path / "song.wav", SOUND, RATE, subtype="FLOAT")
    run = ("vocoders", "resynth", tmp_path / "song.wav", "--vocoders", "wide_plugin:half", "--out", tmp_path / "out")
    for options, rate, length in (((), SAMPLE_RATE, len(RECORDING.samples)), (("--native-rate",), RATE, len(SOUND))):
        command(*run, *options, "--force")
        (path,) = (tmp_path / "out").rglob("*.wav")
        about = soundfile.info(path)
        assert (about.samplerate, about.frames) == (rate, length)
