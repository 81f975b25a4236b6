"""The stimuli of a study: aligned, equally long, equally loud, and the anchor of the standard."""

import contextlib
import hashlib
import io
import json
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from eval.listening.analysis.votes import ANCHOR, REFERENCE
from eval.listening.making.make_study import make_study, read_clips
from eval.listening.making.stimuli import beeps, degraded, low_pass, render_stimuli
from eval.listening.making.study_file import study_from_file
from eval.listening.storage.store import Store
from eval.listening.study import Study, StudyError
from eval.listening.trial import BEEPS, DEGRADED
from eval.metrics.alignment import align, apply_alignment
from eval.metrics.loudness import loudness
from tests.command import command
from tests.conftest import harmonic_tone
from vocoders.audio import SAMPLE_RATE, Recording
from vocoders.catalogue import find_systems
from vocoders.features import Features

OWN_MODELS = Path(__file__).parents[3] / "assets" / "studies" / "own-models.yaml"
SYSTEMS = find_systems("griffin-lim,griffin-lim-oracle")
STUDY = Study("x", "mushra", ("quiet", "loud"), tuple(system.id for system in SYSTEMS))


@pytest.fixture(scope="module")
def recordings():
    return {
        "quiet": Recording("quiet", 0.02 * harmonic_tone(2.0, 180)),
        "loud": Recording("loud", np.clip(3 * harmonic_tone(1.7, 240), -1, 1)),
    }


@pytest.fixture(scope="module")
def rendered(recordings):
    return render_stimuli(STUDY, recordings, SYSTEMS)


def test_everything_of_a_clip_has_one_length_and_one_loudness(rendered, recordings):
    stimuli, wavs = rendered
    for item, recording in recordings.items():
        sounds = {s.condition: soundfile.read(io.BytesIO(wavs[s.sha256])) for s in stimuli if s.item == item}
        assert {REFERENCE, ANCHOR, *STUDY.systems} <= sounds.keys()
        assert {(len(samples), rate) for samples, rate in sounds.values()} == {(len(recording.samples), SAMPLE_RATE)}
        levels = [loudness(samples.astype(np.float32)) for samples, _ in sounds.values()]
        assert np.ptp(levels) < 0.1
        assert max(levels) <= -22.9


def test_a_wav_is_its_hash_and_says_nothing_but_its_samples(rendered):
    stimuli, wavs = rendered
    for stimulus in stimuli:
        content = wavs[stimulus.sha256]
        assert hashlib.sha256(content).hexdigest() == stimulus.sha256
        assert content[36:40] == b"data"
        assert len(content) == 44 + 2 * round(stimulus.seconds * SAMPLE_RATE)


def test_one_clip_carries_the_takes_of_the_checks(rendered):
    stimuli, _ = rendered
    checks = [s.item for s in stimuli if s.condition in (DEGRADED, *BEEPS)]
    assert checks == ["quiet"] * 6
    assert all(s.metrics["M-STFT"] > 0 for s in stimuli if s.condition in STUDY.systems)


def test_the_anchor_ends_at_3500_hertz():
    """Flat within 0.1 dB below, at least 25 dB down at 4 kHz and 50 dB at 4.5 kHz, as ITU-R BS.1534 asks; no delay."""
    impulse = np.zeros(8192, np.float32)
    impulse[4096] = 1
    response = low_pass(impulse, 3500.0)
    assert int(np.argmax(response)) == 4096
    decibels = 20 * np.log10(np.abs(np.fft.rfft(response)) + 1e-12)
    hertz = np.fft.rfftfreq(len(impulse), 1 / SAMPLE_RATE)
    assert np.abs(decibels[hertz <= 3500]).max() < 0.1
    assert decibels[hertz >= 4000].max() < -25
    assert decibels[hertz >= 4500].max() < -50


@pytest.mark.parametrize("count", range(1, 6))
def test_beeps_can_be_counted_in_the_shortest_clip(count):
    sound = beeps(count, round(1.5 * SAMPLE_RATE))
    envelope = np.abs(sound).reshape(-1, 441)[:, :].max(axis=1) > 0.05  # 20 ms
    assert np.count_nonzero(np.diff(envelope.astype(int), prepend=0) == 1) == count
    assert not envelope[-1]


def test_a_ruined_take_is_ruined(tone):
    noise = degraded(tone) - low_pass(tone, 1000.0)
    assert np.std(noise) == pytest.approx(np.sqrt(np.mean(low_pass(tone, 1000.0) ** 2)), rel=0.02)


@pytest.mark.parametrize("delay", [-40, 0, 40])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_late_or_inverted_take_is_put_right(rng, delay, sign):
    reference = rng.normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
    late = sign * np.roll(reference, delay)
    moved = apply_alignment(late, align(reference, late))
    assert np.allclose(moved[100:-100], reference[100:-100])


def test_a_take_with_a_phase_of_its_own_is_not_moved(recordings):
    """A held note fits any multiple of its period; Griffin-Lim's output lies right as it is."""
    from vocoders.analysis import Analysis, synthesize

    samples = recordings["quiet"].samples
    output = synthesize(SYSTEMS[0], Analysis(samples))[: len(samples)]
    assert np.array_equal(apply_alignment(output, align(samples, output)), output)


@pytest.mark.parametrize(("seconds", "words"), [(1.0, "1.0 s long"), (31.0, "31.0 s long")])
def test_a_clip_nobody_can_compare_is_refused(seconds, words):
    recording = Recording("quiet", np.full(round(seconds * SAMPLE_RATE), 0.1, np.float32))
    with pytest.raises(StudyError, match=words):
        render_stimuli(replace(STUDY, items=("quiet",)), {"quiet": recording}, SYSTEMS)


def test_a_system_that_makes_silence_is_named(recordings):
    class Silent:
        expects = SYSTEMS[0].load().expects

        def __call__(self, features: Features, on_progress) -> np.ndarray:
            return np.zeros(features.values.shape[-1] * 256, np.float32)

    silent = replace(SYSTEMS[0], id="silent", title="Silent one", load=Silent)
    study = Study("x", "acr", ("quiet",), ("silent",))
    with pytest.raises(StudyError, match="Silent one made silence of quiet"):
        render_stimuli(study, recordings, [silent])


def test_a_study_from_a_file(tmp_path, recordings):
    (tmp_path / "clips").mkdir()
    for name, recording in recordings.items():
        soundfile.write(tmp_path / "clips" / f"{name}.wav", recording.samples, SAMPLE_RATE)
    (tmp_path / "study.yaml").write_text(
        "name: From a file\nmode: ab\nclips: [clips]\nsystems: [griffin-lim, griffin-lim-oracle]\nraters: 8\n"
        "questions:\n  - {id: device, text: 'With what?', choices: [headphones, loudspeakers]}\n"
    )
    study, clips, systems = study_from_file(tmp_path / "study.yaml")
    assert (study.mode, study.items, study.raters) == ("ab", ("loud", "quiet"), 8)
    store = Store(f"sqlite:///{tmp_path / 'listening.db'}")
    made = make_study(store, tmp_path, study, read_clips(clips), systems)
    assert store.study(made.public_id).study == study
    assert store.has_key(made.public_id, made.key)
    with pytest.raises(StudyError, match="no study 'nothing'"):
        make_study(store, tmp_path, study, read_clips(clips), systems, revises="nothing")


def test_the_study_of_the_own_models_is_one(tmp_path, recordings):
    """With any clips: its systems are there, and its pairs are questions about them."""
    (tmp_path / "clips").mkdir()
    for n in range(12):
        soundfile.write(tmp_path / "clips" / f"{n}.wav", recordings["loud"].samples, SAMPLE_RATE)
    shutil.copy(OWN_MODELS, tmp_path)
    study, clips, systems = study_from_file(tmp_path / "own-models.yaml")
    assert (study.mode, study.units, study.trials, len(clips)) == ("ab", 48, 32, 12)
    assert {name for pair in study.pairs for name in pair} == {system.id for system in systems}


def test_what_was_unexpected_about_a_clip_is_said_and_kept(tmp_path, recordings):
    soundfile.write(tmp_path / "quiet.wav", recordings["quiet"].samples + 0.01, SAMPLE_RATE, subtype="FLOAT")
    (tmp_path / "study.yaml").write_text("name: x\nmode: acr\nclips: [quiet.wav]\nsystems: [griffin-lim]\n")
    done = command("eval", "listening", "make", tmp_path / "study.yaml", "--data-dir", tmp_path / "data")
    assert done.stderr == f"note: {tmp_path}/quiet.wav: a constant offset of +0.010 removed.\n"
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "listening" / "listening.db")) as database:
        ((versions,),) = database.execute("select versions from study").fetchall()
    assert "a constant offset of +0.010 removed" in json.loads(versions)["recording quiet"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a list", "names its clips"),
        ("clips: [x]", "names its systems"),
        ("{", "cannot be read"),
        ("clips: [x]\nsystems: [griffin-lim]", "no such file"),
    ],
)
def test_a_file_that_is_no_study_says_why(tmp_path, text, message):
    (tmp_path / "study.yaml").write_text(text)
    with pytest.raises(ValueError, match=message):
        study_from_file(tmp_path / "study.yaml")
