"""Which mel a file holds: every mistake of those people make is refused or doubtful, every right one is told."""

from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
import torch

from common.paths import ROOT
from eval.mels.confusion import Outcome, as_text, outcome
from eval.mels.variants import KNOWN, OTHER
from tests.command import command
from tests.conftest import harmonic_tone
from vocoders.audio import SAMPLE_RATE
from vocoders.bridges import as_hw2_mel, as_log_hifigan_mel
from vocoders.features import hw2_mel, log_hifigan_mel
from vocoders.mel import HIFIGAN, HW2, mel_of
from vocoders.mel_files.cone import impossible_share
from vocoders.mel_files.diagnosis import diagnose, diagnose_file
from vocoders.mel_files.facts import ambiguity, certain_change, impossible
from vocoders.mel_files.format import FORMATS, MelFormat
from vocoders.mel_files.options import Declared
from vocoders.recordings.reader import read_recording

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
    """The reading of an array as an hw2 mel, with or without --log."""
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
        "normalized by constants": (natural + 12) / 20,
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


# The phrase that other projects' mistakes were tried with: what it gives, by file


@pytest.fixture(scope="module")
def sung() -> np.ndarray:
    return read_recording(ROOT / "tests" / "audio_files" / "phrase.flac").samples


def logarithm(linear: np.ndarray, floor: float, base: float = np.e) -> np.ndarray:
    return (np.log(np.maximum(linear, np.float32(floor))) / np.log(base)).astype(np.float32)


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda x: mel_of(x, HW2), HW2_LINEAR),
        (lambda x: mel_of(x * np.float32(0.05), HW2), HW2_LINEAR),
        (lambda x: mel_of(x * np.float32(0.01), HW2), HW2_LINEAR),
        (lambda x: logarithm(mel_of(x, HW2), 1e-5), HW2_NATURAL),
        (lambda x: logarithm(mel_of(x * np.float32(0.01), HW2), 1e-9), HW2_NATURAL),
        (lambda x: logarithm(mel_of(x, HW2), 1e-5, 10), MelFormat("hw2", "power", "10")),
        (lambda x: logarithm(mel_of(x, HIFIGAN), 1e-5), HIFIGAN_NATURAL),
    ],
    ids=["linear", "quiet", "very quiet", "natural log", "very quiet natural log", "log10", "HiFi-GAN's natural log"],
)
def test_every_stored_form_of_a_phrase_is_told(make, wanted, sung):
    assert diagnose(make(sung)).format == wanted


CHANGED = {  # from the linear hw2 mel and its decibels
    "its own maximum": lambda mel, db: np.maximum(db - db.max(), -80),
    "fixed range (0 to 1)": lambda mel, db: (db - db.min()) / np.ptp(db),
    "fixed range (-4 to 4)": lambda mel, db: 8 * (db - db.min()) / np.ptp(db) - 4,
    "fixed range (-1 to 1)": lambda mel, db: 2 * (db - db.min()) / np.ptp(db) - 1,
    "mean 0 and deviation 1": lambda mel, db: (db - db.mean()) / db.std(),
    "every band has mean 0": lambda mel, db: db - db.mean(axis=1, keepdims=True),
    "as a picture": lambda mel, db: np.round(255 * (db - db.min()) / np.ptp(db)),
}


@pytest.mark.parametrize("change", CHANGED)
def test_what_was_certainly_done_is_said(change, sung):
    mel = mel_of(sung, HW2).astype(np.float64)
    values = CHANGED[change](mel, 10 * np.log10(np.maximum(mel, 1e-10))).astype(np.float32)
    assert change in certain_change(values)
    diagnosis = diagnose(values)
    assert diagnosis.is_doubtful
    assert change in diagnosis.sentence


def test_nothing_is_certain_of_a_right_mel(sung):
    mel = mel_of(sung, HW2)
    for values in (mel, logarithm(mel, 1e-5), logarithm(mel, 1e-5, 10), log_hifigan_mel(sung).values):
        assert certain_change(values) == ""


@pytest.mark.parametrize(
    ("mel_format", "change", "reason"),
    [
        (HW2_LINEAR, lambda mel: mel * 32768.0**2, "too large"),
        (HW2_LINEAR, lambda mel: mel * 1e-7, "more than 60 dB below full scale"),
        (HW2_NATURAL, lambda mel: mel, "no value is negative"),
        (HW2_NATURAL, lambda mel: np.maximum(np.log(mel), -9.3), "which is not in use"),
        (HW2_LINEAR, lambda mel: np.clip(10 * np.log10(mel) + 80, 0, 80), "nepers above the median"),
        (HW2_LINEAR, lambda mel: mel**1.2, "no spectrum has"),
    ],
)
def test_what_a_format_cannot_be_has_a_reason(mel_format, change, reason, sung):
    mel = mel_of(sung, HW2).astype(np.float64)
    assert reason in impossible(mel_format, change(mel))


def test_log1p_is_told_from_a_quiet_linear_mel(sung):
    quiet = mel_of(sung * np.float32(0.05), HW2)
    assert ambiguity(HW2_LINEAR, quiet) == ""
    assert "log(1 + mel)" in ambiguity(HW2_LINEAR, np.log1p(quiet))
    assert diagnose(np.log1p(quiet)).is_doubtful


def test_a_piece_of_a_mel_below_a_maximum_is_doubtful(sung):
    decibel = 10 * np.log10(np.maximum(mel_of(sung, HW2), 1e-10))
    piece = np.maximum(decibel - decibel.max() - 3, -80)
    assert diagnose(piece).is_doubtful


# The formats, and the bridge between the recipes


@pytest.mark.parametrize("mel_format", FORMATS, ids=lambda mel_format: mel_format.options)
def test_every_format_comes_back_as_a_mel_of_its_recipe(mel_format, phrase):
    power = 2 if mel_format.scale == "power" else 1
    analysis = next(known for known in KNOWN if (known.htk, known.power) == (mel_format.recipe == "hw2", power))
    linear = analysis(phrase)
    logarithms = {"none": linear, "e": np.log(linear), "10": np.log10(linear), "db": 20 / power * np.log10(linear)}
    found = mel_format.features(logarithms[mel_format.log].astype(np.float32))
    wanted = hw2_mel(phrase) if mel_format.recipe == "hw2" else log_hifigan_mel(phrase)
    assert found.kind == wanted.kind
    as_log = [np.log(np.maximum(f.values, 1e-5)) if f.kind == "hw2 mel" else f.values for f in (found, wanted)]
    frames = min(log.shape[1] for log in as_log)
    error = np.abs(as_log[0][:, :frames] - as_log[1][:, :frames])[:, 4:-4].mean()
    assert error < (1e-3 if mel_format.is_own else 0.45)


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
    assert np.abs(there).mean() < 0.45
    assert np.abs(as_log_hifigan_mel(mel).values - original.values).mean() < 0.45


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


def test_no_spectrum_has_a_mel_of_other_bands_or_a_stretched_one(tone):
    def share(values: np.ndarray, exponent: float) -> float:
        return impossible_share(np.log(values), values > 0, "hw2", np.array([exponent]))[0]

    assert share(mel_of(tone, HW2), 1.2) > 0.2
    assert share(mel_of(tone, HIFIGAN), 1.0) > 0.2
    assert share(next(other for other in OTHER if other.htk and other.highest > 8000)(tone), 1.0) > 0.2


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


def test_what_no_number_tells_is_listed_and_not_counted():
    table = as_text({"hw2 power e": [Outcome(True, None)], "other: bands": [Outcome(False, "hw2 power e")]})
    assert table.splitlines()[-1].split() == [
        "not",
        "counted,",
        "other:",
        "bands",
        "1",
        "0.00",
        "0.00",
        "100.00",
        "hw2",
        "power",
        "e",
        "(1)",
    ]
    assert "all                                 1   100.00        0.00     0.00" in table


def test_the_classifier_is_fitted_by_its_command(tmp_path):
    from train.small_models.mel_diagnosis import examples, fit_classifier
    from vocoders.mel_files.classifier import read_classifier

    soundfile.write(tmp_path / "a.wav", harmonic_tone(3.0), SAMPLE_RATE)
    numbers, kinds = examples([tmp_path / "a.wav"], 2, seed=3)
    np.savez(tmp_path / "c.npz", **fit_classifier(numbers, kinds, {}, epochs=30))
    classifier = read_classifier(Path(tmp_path / "c.npz"))
    told = np.array(classifier.names)[classifier(numbers).argmax(axis=1)]
    assert (told == kinds).mean() > 0.5
    assert np.allclose(classifier(numbers).sum(axis=1), 1)


def test_fitting_leaves_the_processor_and_the_random_numbers_as_they_were():
    from train.small_models.mel_diagnosis import fit

    state = torch.get_rng_state()
    fit(np.eye(4), np.arange(4), 4, seed=1, epochs=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert float(torch.tensor(1e-40) * 0.5) > 0  # denormal numbers are not flushed to zero
    assert np.float64(1e-310) / 2 > 0
