"""Which mel a file holds: every mistake of those people make is refused or doubtful, every right one is told."""

from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from eval.mel_diagnosis import Outcome, as_text, outcome
from eval.mel_variants import KNOWN, OTHER
from tests.command import command
from tests.conftest import ROOT, harmonic_tone
from vocoders.audio import SAMPLE_RATE
from vocoders.features import as_hw2_mel, as_log_hifigan_mel, hw2_mel, log_hifigan_mel
from vocoders.intake import read_recording
from vocoders.mel import HIFIGAN, HW2, mel_of
from vocoders.mel_cone import impossible_share
from vocoders.mel_diagnosis import diagnose, diagnose_file
from vocoders.mel_format import FORMATS, Declared, MelFormat

HW2_LINEAR, HW2_NATURAL = (MelFormat("hw2", "power", log) for log in ("none", "e"))
HIFIGAN_NATURAL = MelFormat("hifigan", "magnitude", "e")


@pytest.fixture(scope="module")
def phrase() -> np.ndarray:
    """Two seconds of the project's own singing."""
    path = sorted((ROOT / "assets" / "examples").glob("*.flac"))[0]
    return read_recording(path).samples[: 2 * SAMPLE_RATE]


@pytest.fixture(scope="module")
def hw2(phrase) -> np.ndarray:
    return mel_of(phrase, HW2)


def right(mel: np.ndarray) -> dict[str, tuple[MelFormat, np.ndarray]]:
    return {
        "linear": (HW2_LINEAR, mel),
        "float16": (HW2_LINEAR, mel.astype(np.float16).astype(np.float32)),
        "natural": (HW2_NATURAL, np.log(np.maximum(mel, 1e-5))),
        "natural in float16": (HW2_NATURAL, np.log(mel + 1e-9).astype(np.float16).astype(np.float32)),
    }


@pytest.mark.parametrize("name", ["linear", "float16", "natural", "natural in float16"])
@pytest.mark.parametrize("gain", [1.0, 0.05])
def test_a_right_hw2_mel_is_told(name, gain, phrase):
    wanted, values = right(mel_of(phrase * np.float32(gain), HW2))[name]
    assert diagnose(values).format == wanted


def test_hifigans_own_mel_is_told_with_its_floor(phrase):
    diagnosis = diagnose(log_hifigan_mel(phrase).values)
    assert diagnosis.format == HIFIGAN_NATURAL
    assert "HiFi-GAN's own mel: magnitude, Slaney bands of area 1, natural logarithm" in diagnosis.sentence


@pytest.mark.parametrize("f0", [110, 196, 330])
def test_half_a_second_of_a_tone_is_enough(f0):
    assert diagnose(mel_of(harmonic_tone(0.5, f0), HW2)).format == HW2_LINEAR


def mistaken(phrase: np.ndarray) -> dict[str, np.ndarray]:
    """What has been taken for an hw2 mel, with or without --log."""
    mel, original = mel_of(phrase, HW2), mel_of(phrase, HIFIGAN)
    decibel = 10 * np.log10(np.maximum(mel, 1e-10))
    natural = np.log(np.maximum(mel, 1e-5))
    unit = (natural - natural.min()) / np.ptp(natural)
    slaney = librosa.feature.melspectrogram
    return {
        "log10": np.log10(np.maximum(mel, 1e-5)),
        "log1p": np.log1p(mel),
        "dB": decibel,
        "dB below the maximum": np.maximum(decibel - decibel.max(), -80),
        "dB + 80": np.clip(decibel - decibel.max() + 80, 0, 80),
        "HiFi-GAN's log mel": np.log(np.maximum(original, 1e-5)),
        "HiFi-GAN's mel, linear": original,
        "amplitude": np.sqrt(mel),
        "librosa's default": slaney(y=phrase, sr=SAMPLE_RATE, n_mels=80),
        "librosa to 8 kHz": slaney(y=phrase, sr=SAMPLE_RATE, n_mels=80, n_fft=1024, hop_length=256, fmax=8000),
        "to 11 025 Hz": slaney(y=phrase, sr=SAMPLE_RATE, n_mels=80, n_fft=1024, hop_length=256),
        "hop 512": slaney(y=phrase, sr=SAMPLE_RATE, n_mels=80, n_fft=1024, hop_length=512, fmax=8000),
        "HTK, hop 512": KNOWN[0](phrase)[:, ::2],
        "unit": unit,
        "standardized": (natural - natural.mean()) / natural.std(),
        "+-4": 8 * unit - 4,
        "0 to 8": 8 * unit,
        "picture": np.round(255 * unit),
        "int16 samples": mel * 32768.0**2,
        "too large": mel * 1e20,
    }


MISTAKES = tuple(mistaken(harmonic_tone(0.5)))


@pytest.fixture(scope="module")
def mistakes(phrase):
    return {name: values.astype(np.float32) for name, values in mistaken(phrase).items()}


@pytest.mark.parametrize("name", MISTAKES)
def test_no_mistake_is_taken_for_an_hw2_mel(name, mistakes):
    diagnosis = diagnose(mistakes[name])
    assert diagnosis.format not in (HW2_LINEAR, HW2_NATURAL)
    if diagnosis.is_doubtful:
        assert "doubtful" in diagnosis.sentence


@pytest.mark.parametrize("name", MISTAKES)
def test_a_bare_log_is_refused_for_what_is_no_natural_logarithm_of_power(name, mistakes, tmp_path):
    np.save(tmp_path / "m.npy", mistakes[name])
    out = ("--vocoder", "griffin-lim", "--out", tmp_path / "out")
    done = command("vocoders", "synth", tmp_path / "m.npy", "--log", *out, code=1)
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("gain", [1.0, 0.05])
def test_a_bare_log_is_refused_for_a_linear_mel(gain, phrase, tmp_path):
    np.save(tmp_path / "m.npy", mel_of(phrase * np.float32(gain), HW2))
    out = ("--vocoder", "griffin-lim", "--out", tmp_path / "out")
    done = command("vocoders", "synth", "--log", tmp_path / "m.npy", *out, code=1)
    assert "--log alone means the natural logarithm of hw2 power" in done.stderr
    assert "--recipe hw2 --scale power --log none" in done.stderr


def test_what_is_told_is_said_and_what_is_declared_wins(phrase, tmp_path):
    mel = tmp_path / "m.npy"
    np.save(mel, log_hifigan_mel(phrase).values)
    out = ("--vocoder", "griffin-lim", "--force", "--out", tmp_path)
    told = command("vocoders", "synth", mel, *out).stderr
    assert "note: " in told
    assert "looks like HiFi-GAN's own mel" in told
    assert "griffin-lim starts from the hw2 mel, which is made of HiFi-GAN's" in told
    said = command("vocoders", "synth", mel, "--recipe", "hw2", "--scale", "power", "--log", "e", *out).stderr
    assert (
        "taken for the hw2 mel: power, HTK bands of peak 1, natural logarithm, as declared, though it looks like"
        in said
    )


def test_a_square_mel_is_told_by_its_numbers_or_refused(hw2, tmp_path):
    np.save(tmp_path / "m.npy", hw2[:, 20:100].T)
    features, diagnosis = diagnose_file(tmp_path / "m.npy")
    if features is None:
        assert "do not tell which axis is time" in diagnosis.sentence
    else:
        assert np.array_equal(features.values, hw2[:, 20:100])


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.zeros((80, 50)), "every value of the mel is 0; it holds no sound"),
        (np.full((80, 50), -11.5), "every value of the mel is -11.5"),
        (np.arange(80.0)[:, None], "one frame"),
    ],
)
def test_what_holds_no_sound_is_refused(values, reason, tmp_path):
    np.save(tmp_path / "m.npy", values.astype(np.float32))
    with pytest.raises(ValueError, match=reason):
        diagnose_file(tmp_path / "m.npy", declared=Declared("hw2", "power", "none"))


def test_few_frames_need_a_declaration(hw2):
    diagnosis = diagnose(hw2[:, :15])
    assert diagnosis.is_doubtful
    assert "15 frames are too few to tell, at least 16 are needed" in diagnosis.sentence
    assert diagnose(hw2[:, :15], Declared("hw2", "power", "none")).format == HW2_LINEAR


def test_a_partial_declaration_decides_among_what_agrees_with_it(hw2):
    assert diagnose(np.log(hw2 + 1e-9), Declared(recipe="hw2")).format == HW2_NATURAL
    assert diagnose(np.log(hw2 + 1e-9), Declared(recipe="hifigan")).is_doubtful


# The formats, and the bridge between the recipes


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.options)
def test_every_format_comes_back_as_a_mel_of_its_recipe(format, phrase):
    power = 2 if format.scale == "power" else 1
    analysis = next(known for known in KNOWN if (known.htk, known.power) == (format.recipe == "hw2", power))
    linear = analysis(phrase)
    logarithms = {"none": linear, "e": np.log(linear), "10": np.log10(linear), "db": 20 / power * np.log10(linear)}
    found = format.features(logarithms[format.log].astype(np.float32))
    wanted = hw2_mel(phrase) if format.recipe == "hw2" else log_hifigan_mel(phrase)
    assert found.kind == wanted.kind
    as_log = [np.log(np.maximum(f.values, 1e-5)) if f.kind == "hw2 mel" else f.values for f in (found, wanted)]
    frames = min(log.shape[1] for log in as_log)
    error = np.abs(as_log[0][:, :frames] - as_log[1][:, :frames])[:, 4:-4].mean()
    assert error < (1e-3 if format.is_own else 0.35)


@pytest.mark.parametrize("log", ["none", "e", "10", "db"])
def test_more_than_full_scale_can_give_is_refused(log, hw2):
    values = {"none": hw2 * 1e6, "e": np.log(hw2) + 14, "10": np.log10(hw2) + 6, "db": 10 * np.log10(hw2) + 60}[log]
    with pytest.raises(ValueError, match="is too large to be the hw2 mel"):
        MelFormat("hw2", "power", log).features(values)


def test_the_bridge_loses_little(phrase):
    mel, original = hw2_mel(phrase), log_hifigan_mel(phrase)
    assert as_hw2_mel(mel) is mel
    assert as_log_hifigan_mel(original) is original
    floor = np.float32(1e-5)
    there = np.log(np.maximum(as_hw2_mel(original).values, floor)) - np.log(np.maximum(mel.values, floor))
    assert np.abs(there).mean() < 0.35
    assert np.abs(as_log_hifigan_mel(mel).values - original.values).mean() < 0.35


# Which mels a spectrum can have


@pytest.mark.parametrize("recipe", [HW2, HIFIGAN], ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("spectrum", ["phrase", "noise", "isolated bins"])
def test_a_spectrum_has_its_own_mel(recipe, spectrum, phrase, rng):
    from vocoders.mel import N_BINS, filterbank

    if spectrum == "phrase":
        mel = mel_of(phrase, recipe).astype(np.float64)
    else:
        sparse = rng.random((N_BINS, 400)) < (1.0 if spectrum == "noise" else 0.1)
        mel = filterbank(recipe.scale, recipe.unit_area) @ (sparse * rng.exponential(1.0, (N_BINS, 400)))
    above = mel > 0
    log_mel = np.log(np.where(above, mel, 1e-30))
    assert impossible_share(log_mel, above, recipe.name, np.array([1.0]))[0] == 0


def test_no_spectrum_has_a_mel_of_other_bands_or_a_stretched_one(phrase):
    def share(values: np.ndarray, exponent: float) -> float:
        return impossible_share(np.log(values), values > 0, "hw2", np.array([exponent]))[0]

    assert share(mel_of(phrase, HW2), 1.2) > 0.2
    assert share(mel_of(phrase, HIFIGAN), 1.0) > 0.2
    assert share(next(other for other in OTHER if other.htk and other.highest > 8000)(phrase), 1.0) > 0.2


# The confusion table


def test_outcomes_and_their_table(hw2):
    assert outcome("hw2 power linear", hw2) == Outcome(True, None)
    assert outcome("hw2 power e", hw2) == Outcome(False, "hw2 power linear")
    assert outcome("hw2 power e", hw2[:, :15]).doubtful
    table = as_text(
        {"hw2 power e": [Outcome(True, None), Outcome(False, "hw2 power 10")], "other: x": [Outcome(False, None)]}
    )
    lines = {line[:30].strip(): line[30:].split() for line in table.splitlines() if line}
    assert lines["hw2 power e"][:4] == ["2", "50.00", "0.00", "50.00"]
    assert lines["all"][:4] == ["3", "33.33", "33.33", "33.33"]


def test_the_classifier_is_fitted_by_its_command(tmp_path):
    from train.mel_diagnosis import examples, fit_classifier
    from vocoders.mel_diagnosis import read_classifier

    soundfile.write(tmp_path / "a.wav", harmonic_tone(3.0), SAMPLE_RATE)
    numbers, kinds = examples([tmp_path / "a.wav"], 2, seed=3)
    np.savez(tmp_path / "c.npz", **fit_classifier(numbers, kinds, {}, epochs=30))
    classifier = read_classifier(Path(tmp_path / "c.npz"))
    told = np.array(classifier.names)[classifier(numbers).argmax(axis=1)]
    assert (told == kinds).mean() > 0.5
    assert np.allclose(classifier(numbers).sum(axis=1), 1)
