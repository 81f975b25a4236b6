"""Studies of outputs made elsewhere: with recordings, without any, and as webMUSHRA describes them."""

import contextlib
import io
import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from eval.listening.analysis.votes import REFERENCE
from eval.listening.making.make_study import make_study, read_clips
from eval.listening.making.outputs import output_files
from eval.listening.making.stimuli import render_stimuli
from eval.listening.making.study_file import study_from_file
from eval.listening.storage.store import Store
from eval.listening.study import Study, StudyError
from eval.metrics.alignment import align
from eval.metrics.loudness import loudness
from tests.command import command
from tests.conftest import harmonic_tone
from vocoders.audio import SAMPLE_RATE


@pytest.fixture
def folder(tmp_path) -> Path:
    """`clips`, `good` outputs of them with a little noise, and `odd`: late by 300 ms, upside down and quiet."""
    for number, name in enumerate(("a", "b")):
        tone = harmonic_tone(1.6, (180, 240)[number]) * np.hanning(round(1.6 * SAMPLE_RATE)).astype(np.float32) ** 0.3
        noise = np.random.default_rng(number).normal(0, 0.001, len(tone))
        kinds = {"clips": tone, "good": tone + noise, "odd": np.pad(-0.3 * tone, (6615, 0))}
        for kind, samples in kinds.items():
            (tmp_path / kind).mkdir(exist_ok=True)
            soundfile.write(tmp_path / kind / f"{name}.wav", samples, SAMPLE_RATE, subtype="FLOAT")
    return tmp_path


def study_of(folder: Path, text: str):
    (folder / "study.yaml").write_text(text)
    return study_from_file(folder / "study.yaml")


MIXED = """
name: Mixed
mode: mushra
clips: [clips]
systems: [griffin-lim-oracle, {name: Odd one, folder: odd}]
"""


def test_an_output_in_a_study_is_moved_turned_over_and_made_as_loud(folder):
    study, clips, systems = study_of(folder, MIXED)
    assert study.systems == ("griffin-lim-oracle", "Odd-one")
    stimuli, wavs = render_stimuli(study, read_clips(clips), systems)
    found = {
        s.condition: soundfile.read(io.BytesIO(wavs[s.sha256]), dtype="float32")[0] for s in stimuli if s.item == "a"
    }
    place = align(found[REFERENCE], found["Odd-one"])
    assert (place.delay, place.inverted) == (0, False)
    assert place.correlation > 0.999
    assert len(found["Odd-one"]) == len(found[REFERENCE])
    assert loudness(found["Odd-one"]) == pytest.approx(loudness(found[REFERENCE]), abs=0.1)
    made = {s.condition: s.made for s in stimuli if s.item == "a"}
    assert made["Odd-one"]["inverted"]
    louder = made["Odd-one"]["gain_db"] - made[REFERENCE]["gain_db"]
    assert louder == pytest.approx(-20 * np.log10(0.3), abs=0.02)


def test_what_was_noticed_about_an_output_is_kept_with_the_study(folder):
    study, clips, systems = study_of(folder, MIXED)
    store = Store(f"sqlite:///{folder / 'listening.db'}")
    make_study(store, folder, study, read_clips(clips), systems)
    with contextlib.closing(sqlite3.connect(folder / "listening.db")) as database:
        ((versions,),) = database.execute("select versions from study").fetchall()
    assert store.study(store.studies()[0]["public_id"]).titles["Odd-one"] == "Odd one"
    about = json.loads(versions)["output Odd-one b"]
    assert "it is 300 ms late (6615 samples)" in about
    assert "its polarity is inverted" in about


def test_the_command_says_what_was_noticed_about_an_output(folder):
    (folder / "study.yaml").write_text(MIXED)
    soundfile.write(folder / "odd" / "c.wav", harmonic_tone(1.6), SAMPLE_RATE)
    done = command("eval", "listening", "make", folder / "study.yaml", "--data-dir", folder / "data")
    assert "note: a: Odd-one: it is 300 ms late (6615 samples); measured after being moved" in done.stderr
    assert "note: b: Odd-one: its polarity is inverted.\n" in done.stderr
    assert f"  {folder}/odd/c.wav  no clip has this name\n" in done.stderr


@pytest.mark.parametrize("mode", ["acr", "ab"])
def test_outputs_without_a_reference_can_be_rated(folder, mode):
    text = f"name: x\nmode: {mode}\nsystems: [{{name: good, folder: good}}, {{name: odd, folder: odd}}]\n"
    study, clips, systems = study_of(folder, text)
    assert (clips, study.items, study.reference) == ({}, ("a", "b"), False)
    assert study.conditions == ("good", "odd")
    assert study.units == 2 * (2 if mode == "acr" else 1)
    stimuli, wavs = render_stimuli(study, {}, systems)
    found = {
        s.condition: soundfile.read(io.BytesIO(wavs[s.sha256]), dtype="float32")[0] for s in stimuli if s.item == "a"
    }
    assert {len(samples) for samples in found.values()} == {round(1.9 * SAMPLE_RATE)}
    assert np.array_equal(found[REFERENCE], found["good"])  # the clean example of checks
    place = align(found["good"], found["odd"])
    assert (place.delay, place.inverted) == (0, False)
    assert loudness(found["odd"]) == pytest.approx(loudness(found["good"]), abs=0.1)
    assert not any(s.metrics for s in stimuli)
    store = Store(f"sqlite:///{folder / 'listening.db'}")
    made = make_study(store, folder, study, {}, systems)
    assert store.study(made.public_id).study == study


def test_outputs_of_other_lengths_are_rated_as_they_are(folder):
    """As of speech synthesis: there is no timeline that they share."""
    long = harmonic_tone(2.5, 200)
    soundfile.write(folder / "odd" / "a.wav", long, SAMPLE_RATE, subtype="FLOAT")
    study, _, systems = study_of(
        folder, "name: x\nmode: ab\nsystems: [{name: good, folder: good}, {name: odd, folder: odd}]\n"
    )
    stimuli, wavs = render_stimuli(replace(study, items=("a",)), {}, systems)
    found = {s.condition: soundfile.read(io.BytesIO(wavs[s.sha256]), dtype="float32")[0] for s in stimuli}
    assert len(found["good"]) == len(found["odd"]) == len(long)
    assert not found["good"][round(1.6 * SAMPLE_RATE) :].any()
    assert np.corrcoef(found["odd"], long)[0, 1] > 0.9999


def test_a_folder_per_condition_is_a_study(folder):
    (folder / "all").mkdir()
    for kind, name in (("clips", "reference"), ("good", "good"), ("odd", "odd")):
        (folder / kind).rename(folder / "all" / name)
    study, clips, systems = study_of(folder, "name: x\nmode: abx\noutputs: all\n")
    assert (study.items, study.systems) == (("a", "b"), ("good", "odd"))
    assert clips["a"] == folder / "all/reference/a.wav"
    assert [system.title for system in systems] == ["good", "odd"]


def page(kind: str, key: str, name: str, reference: bool) -> str:
    """A page of a configuration, with two conditions of one clip."""
    named = f"reference: clips/{name}.wav, " if reference else ""
    return f"  - {{type: {kind}, id: {key}, {named}stimuli: {{A: good/{name}.wav, B: odd/{name}.wav}}}}\n"


@pytest.mark.parametrize(
    ("kind", "reference", "mode"),
    [
        ("mushra", True, "mushra"),
        ("bs1116", True, "mushra"),
        ("paired_comparison", True, "abx"),
        ("paired_comparison", False, "ab"),
        ("likert_single_stimulus", False, "acr"),
    ],
)
def test_a_configuration_of_webmushra_is_a_study(folder, kind, reference, mode):
    pages = "".join(page(kind, f"page{name}", name, reference) for name in "ab")
    study, clips, systems = study_of(folder, f"testname: Theirs\npages:\n{pages}")
    assert (study.name, study.mode, study.items, study.systems) == ("Theirs", mode, ("pagea", "pageb"), ("A", "B"))
    assert bool(clips) == study.reference == reference
    assert systems[1].path("pageb") == folder / "odd" / "b.wav"


def test_pages_of_several_kinds_are_no_study(folder):
    pages = "".join(page(kind, kind, "a", False) for kind in ("mushra", "likert_single_stimulus"))
    with pytest.raises(StudyError, match="pages of several kinds: likert_single_stimulus, mushra"):
        study_of(folder, f"pages:\n{pages}")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name: x\nmode: acr\nclips: [clips]\nsystems: [{name: x}]\n", "needed are name and folder"),
        ("name: x\nmode: acr\nclips: [clips]\nsystems: [{name: x, folder: none}]\n", "no such file or folder"),
        ("name: x\nmode: acr\nsystems: [griffin-lim]\n", "names its clips"),
        ("name: x\nmode: mushra\nsystems: [{name: good, folder: good}]\n", "reference: False is not possible"),
        (
            "name: x\nmode: acr\nclips: [clips]\nsystems: [{name: x, folder: good}, {name: x, folder: odd}]\n",
            "named twice",
        ),
        ("name: x\nmode: acr\nclips: clips\nsystems: [griffin-lim]\n", "clips is a list"),
    ],
)
def test_a_study_that_names_no_material_says_why(folder, text, reason):
    with pytest.raises(ValueError, match=reason):
        study_of(folder, text)


def test_a_study_needs_every_output(folder):
    (folder / "odd" / "b.wav").unlink()
    with pytest.raises(StudyError, match=f"Odd one: b: no estimate in {folder}/odd"):
        study_of(folder, MIXED)


def test_an_output_of_another_length_is_named(folder):
    soundfile.write(folder / "odd" / "b.wav", harmonic_tone(2.5), SAMPLE_RATE)
    study, clips, systems = study_of(folder, MIXED)
    with pytest.raises(StudyError, match=r"b: Odd one: the estimate lasts 2\.50 s and its reference 1\.60 s, 56% more"):
        list(output_files(study.items, systems, read_clips(clips)))
    with pytest.raises(StudyError, match=r"Odd one failed on b: the estimate lasts 2\.50 s"):
        render_stimuli(study, read_clips(clips), systems)


def test_pairs_may_name_outputs_by_their_titles(folder):
    study, *_ = study_of(folder, MIXED.replace("mushra", "ab") + "pairs: [[Odd one, griffin-lim-oracle]]\n")
    assert study.pairs == (("Odd-one", "griffin-lim-oracle"),)


def test_the_hash_of_a_study_with_its_recordings_is_as_before():
    """Computed by the revision before the field."""
    study = Study("x", "acr", ("a",), ("s", "t"))
    assert "reference" not in study.as_json()
    assert study.sha256 == "6453a9424f9f377aa3aef81bb14628a365b5acc2cb97459244725b374247cba4"
    assert replace(study, reference=False).sha256 != study.sha256
