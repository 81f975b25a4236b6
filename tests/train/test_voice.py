"""`python -m train voice`: what it learns from and is judged by, what it refuses, and that it goes on wherever it was stopped."""

import json
import shutil
import zipfile

import numpy as np
import pytest
import soundfile

from tests import warm_python
from tests.command import command
from tests.signals import harmonic_tone
from tests.voices import write_unusable, write_voice
from tests.waiting import until
from train.data.pack import TRAIN, VALIDATION
from train.voice.bounds import MAX_FILE_SECONDS, MIN_SECONDS
from train.voice.passages import FRAME, MAX_SECONDS, passages
from train.voice.progress import (
    BEFORE,
    DONE,
    FAILED,
    FILES,
    GRIFFIN_LIM,
    ORIGINAL,
    PACKED,
    STOP,
    STOPPED,
    TRAINING,
    WEIGHTS,
    AlreadyRunning,
    Progress,
    read_progress,
    working_on,
)
from train.voice.recipe import DISCRIMINATORS, SHIPPED, SHIPPED_LICENCE, config_of
from train.voice.recordings import held_out, pack_recordings
from train.voice.result import licence_of
from train.voice.train_voice import FIT, SAVED
from vocoders.audio import SAMPLE_RATE
from vocoders.checkpoints.checkpoint import read_checkpoint, training_history


@pytest.fixture(scope="module")
def voice(tmp_path_factory):
    folder = tmp_path_factory.mktemp("voice")
    write_voice(folder)
    write_unusable(folder)
    return folder


def packed(given, out, licence="own recordings"):
    return pack_recordings(out, [given], licence, lambda done, total: None)


# ------------------------------------------------ passages


def test_pauses_are_taken_out_and_sound_is_kept():
    tone, pause = harmonic_tone(3.0), np.zeros(4 * SAMPLE_RATE, np.float32)
    found = passages(np.concatenate([pause, tone, pause, tone, pause]))
    assert len(found) == 1
    assert 6.0 < len(found[0]) / SAMPLE_RATE < 7.2, "both sounds, and the ends of three pauses"
    silent = np.abs(found[0]) < 1e-4
    assert silent.mean() < 0.2


def test_what_has_no_pause_is_cut_where_it_is_quietest():
    tone = harmonic_tone(30.0)
    quiet = slice(9 * SAMPLE_RATE, 9 * SAMPLE_RATE + 2 * FRAME)
    tone[quiet] *= 0.05
    found = passages(tone)
    assert [len(passage) <= MAX_SECONDS * SAMPLE_RATE for passage in found] == [True] * len(found)
    assert sum(map(len, found)) == pytest.approx(len(tone), abs=FRAME)
    assert abs(len(found[0]) - quiet.start) <= 2 * FRAME


def test_no_sound_gives_no_passage():
    assert passages(np.zeros(SAMPLE_RATE, np.float32)) == []
    assert passages(np.zeros(10, np.float32)) == []


# ------------------------------------------------ recordings


def test_of_one_voice_passages_are_held_out_and_never_trained_on(voice, tmp_path):
    pack, told = packed(voice, tmp_path)
    assert {name for name, _ in told.skipped} == {"bad.wav", "silent.wav"}
    assert "silent" in dict(told.skipped)["silent.wav"]
    held = pack.split(VALIDATION)
    assert held
    assert 60 * 60 * pack.hours(TRAIN) >= 20
    learned = b"".join(pack.audio[clip.start : clip.start + clip.samples].tobytes() for clip in pack.split(TRAIN))
    for clip in held:
        samples = pack.audio[clip.start : clip.start + clip.samples]
        loudest = int(np.abs(samples.astype(int)).argmax())
        assert samples[loudest : loudest + 64].tobytes() not in learned
    assert "of the voice" in held_out(pack)
    assert "never trained on" in held_out(pack)


def test_of_several_voices_a_whole_one_is_held_out(tmp_path):
    for number, name in enumerate(("Anna", "Ben", "Cleo")):
        (tmp_path / "songs" / name).mkdir(parents=True)
        soundfile.write(tmp_path / "songs" / name / "a.wav", harmonic_tone(14.0, 110 + 50 * number), SAMPLE_RATE)
    pack, _ = packed(tmp_path / "songs", tmp_path / "out")
    speakers = [{clip.speaker for clip in pack.split(split)} for split in (TRAIN, VALIDATION)]
    assert len(speakers[1]) == 1
    assert not speakers[0] & speakers[1]
    assert held_out(pack).startswith("A voice, ")


def test_a_file_that_is_too_long_is_cut_with_a_word(tmp_path):
    rate = 8000
    hum = 0.2 * np.sin(2 * np.pi * 200 * np.arange((MAX_FILE_SECONDS + 30) * rate) / rate)
    soundfile.write(tmp_path / "long.flac", hum, rate)
    pack, told = packed(tmp_path / "long.flac", tmp_path / "out")
    assert told.notes == [f"long.flac: longer than {MAX_FILE_SECONDS / 60:g} minutes, of which the rest is left out"]
    assert sum(clip.seconds for clip in pack.clips) == pytest.approx(MAX_FILE_SECONDS, abs=1)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(6.0, "6 s of sound, without pauses; at least 26 s are needed"), (0.0, "no sound that can be used")],
)
def test_too_little_sound_is_refused_with_the_reason(tmp_path, seconds, words):
    samples = np.concatenate([harmonic_tone(seconds), np.zeros(40 * SAMPLE_RATE)]) if seconds else np.zeros(SAMPLE_RATE)
    soundfile.write(tmp_path / "short.wav", samples, SAMPLE_RATE)
    assert seconds < MIN_SECONDS
    done = command("train", "voice", tmp_path / "short.wav", "--out", tmp_path / "out", "--steps", "1", code=1)
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    progress = read_progress(tmp_path / "out")
    assert progress.phase == FAILED
    assert words in progress.error


def test_what_is_not_there_and_what_is_no_length_are_refused(tmp_path, voice):
    assert (
        "there is no such file or folder"
        in command("train", "voice", tmp_path / "none", "--out", tmp_path / "out", code=1).stderr
    )
    for length in (("--minutes", "0"), ("--steps", "0"), ("--minutes", "1e9")):
        assert command("train", "voice", voice, "--out", tmp_path / "out", *length, code=1).stderr.startswith("error: ")


# ------------------------------------------------ the run


def test_a_state_that_is_none_is_no_progress(tmp_path):
    assert read_progress(tmp_path) is None
    for content in ("", "[]", "{}", '{"phase": 1, "nonsense": 2}'):
        (tmp_path / "progress.json").write_text(content)
        assert read_progress(tmp_path) is None
    assert Progress.from_json(json.loads(json.dumps(Progress(notes=("a",)).__dict__))).notes == ("a",)


def test_the_licence_of_the_shipped_model_goes_with_what_was_adapted_from_it():
    assert licence_of(True, "CC0") == f"{SHIPPED_LICENCE}, as the model it was adapted from; recordings: CC0"
    assert licence_of(False, " CC0\n| *b* ") == "CC0 b"
    assert read_checkpoint(SHIPPED).about["licence"] == SHIPPED_LICENCE
    assert DISCRIMINATORS.is_file()


def test_adapting_begins_with_discriminators_and_a_new_model_without():
    assert (config_of(True, None).start, config_of(True, None).generator_only) == ("checkpoint", 0.0)
    assert (config_of(False, None).start, config_of(False, 8).validate_every) == ("scratch", 2)


SMALL = ("--batch", "1", "--nice", "1")
LONG = 4000  # steps, more than are done before it is stopped


def begin(voice, out, steps):
    arguments = ["-m", "train", "voice", str(voice), "--out", str(out), "--steps", str(steps), *SMALL]
    return warm_python.start(arguments, out.parent / "log.txt")


@pytest.fixture(scope="module")
def stopped(voice, tmp_path_factory):
    """A run that was killed once its start was judged, begun again, and stopped after some steps. Its folder, and the time of its
    first sound."""
    out = tmp_path_factory.mktemp("runs") / "voice"
    process = begin(voice, out, LONG)
    until(lambda: (out / FIT / SAVED).is_file(), "the start is judged and saved")
    process.kill()
    process.wait()
    with working_on(out):  # the lock is free
        pass
    assert read_progress(out).phase == TRAINING
    heard = (out / FILES / f"{ORIGINAL}.wav").stat().st_mtime_ns
    process = begin(voice, out, LONG)
    until(lambda: read_progress(out).step > 0, "it has learned something")
    with pytest.raises(AlreadyRunning), working_on(out):
        pass
    assert "is being trained by another process" in command("train", "voice", voice, "--out", out, code=1).stderr
    (out / STOP).touch()
    assert process.wait() == 0
    return out, heard


def test_what_was_killed_goes_on_with_what_it_had(stopped):
    out, heard = stopped
    assert (out / FILES / f"{ORIGINAL}.wav").stat().st_mtime_ns == heard
    assert "Traceback" not in (out.parent / "log.txt").read_text()


def test_what_was_stopped_keeps_what_it_has_learned(stopped):
    progress = read_progress(stopped[0])
    assert progress.phase == STOPPED
    assert 0 < progress.step < LONG
    assert [found.step for found in progress.validations] == [0, progress.step]
    assert [sound.id for sound in progress.sounds[:3]] == [ORIGINAL, GRIFFIN_LIM, BEFORE]
    lengths = {soundfile.info(stopped[0] / FILES / f"{sound.id}.wav").frames for sound in progress.sounds}
    assert len(lengths) == 1, "all of them play in step"
    assert progress.validations[0].step == 0
    assert progress.best.m_stft == min(found.m_stft for found in progress.validations)
    checkpoint = read_checkpoint(stopped[0] / FILES / WEIGHTS)
    assert int(checkpoint.about["steps"]) == progress.best.step
    assert training_history(checkpoint.about)[1]["steps"] == read_checkpoint(SHIPPED).about["steps"]


def test_the_same_command_ends_it_and_then_says_so(stopped, voice, tmp_path):
    out = tmp_path / "voice"
    shutil.copytree(stopped[0], out)
    steps = read_progress(out).step + 1
    given = ("train", "voice", voice, "--out", out, "--steps", str(steps), "--batch", "1")
    done = command(*given)
    progress = read_progress(out)
    assert (progress.phase, progress.step) == (DONE, steps)
    assert f"after {steps} steps" in done.stdout
    with zipfile.ZipFile(out / FILES / PACKED) as archive:
        assert {name.removeprefix("voice/") for name in archive.namelist()} == {
            *(WEIGHTS, "voice.md", "CREDITS.md", "curves.png", "curves.csv")
        }
        card, credited = (archive.read(f"voice/{name}").decode() for name in ("voice.md", "CREDITS.md"))
        assert archive.read(f"voice/{WEIGHTS}") == (out / FILES / WEIGHTS).read_bytes()
    assert f"{SHIPPED_LICENCE}, as the model it was adapted from; recordings: own recordings" in card
    assert "| before training | " in card
    assert "2 files could not be used" in card
    assert "RAVDESS" in credited
    assert "it is finished" in command(*given).stdout
    assert read_progress(out) == progress
