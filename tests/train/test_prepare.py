"""From folders of recordings to packs: what is taken, what is left out and why, who is held out, and going on."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from common.paths import ROOT
from tests.command import command
from tests.conftest import harmonic_tone
from tests.waiting import until
from train.data.pack import AUDIO, JOURNAL, MANIFEST, Clip, PackError, open_pack
from train.data.prepare import find_sources, prepare, split_by_speaker


def samples_of(pack, path):
    clip = next(clip for clip in pack.clips if clip.path == path)
    return pack.audio[clip.start : clip.start + clip.samples]


def test_any_rate_and_format_becomes_22050_hz_mono(tmp_path):
    tone = harmonic_tone(1.0)
    soundfile.write(tmp_path / "a.wav", np.stack([tone, tone], axis=1), 44_100)
    soundfile.write(tmp_path / "b.ogg", tone, 22_050)
    soundfile.write(tmp_path / "c.mp3", harmonic_tone(2.0), 16_000)
    soundfile.write(tmp_path / "d.flac", tone, 22_050)
    pack = prepare(tmp_path, tmp_path / "pack", jobs=1)
    lengths = {clip.path: clip.samples for clip in pack.clips}
    assert lengths == {
        "a.wav": 22_050 // 2,
        "b.ogg": 22_050,
        "c.mp3": round(44_100 * 22_050 / 16_000),
        "d.flac": 22_050,
    }
    whole, _ = soundfile.read(tmp_path / "d.flac", dtype="int16")
    assert np.array_equal(samples_of(pack, "d.flac"), whole)  # 16 bits in, the same 16 bits out


def test_what_cannot_be_used_is_listed_with_its_reason(tmp_path):
    soundfile.write(tmp_path / "good.wav", harmonic_tone(1.0), 22_050)
    soundfile.write(tmp_path / "silent.wav", np.zeros(22_050), 22_050)
    soundfile.write(tmp_path / "short.wav", harmonic_tone(0.2), 22_050)
    (tmp_path / "corrupt.flac").write_bytes(b"fLaC" + bytes(1000))
    (tmp_path / "phone.m4a").write_bytes(b"\0\0\0 ftypM4A ")
    pack = prepare(tmp_path, tmp_path / "pack", jobs=1)
    assert [clip.path for clip in pack.clips] == ["good.wav"]
    reasons = {skipped["path"]: skipped["reason"] for skipped in pack.skipped}
    assert reasons.keys() == {"silent.wav", "short.wav", "corrupt.flac", "phone.m4a"}
    for path, part in {"silent": "silent", "short": "200 ms", "corrupt": "damaged", "phone": "damaged"}.items():
        assert part in next(reason for name, reason in reasons.items() if name.startswith(path))


def test_a_folder_without_anything_usable_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no audio files"):
        prepare(tmp_path, tmp_path / "pack")
    soundfile.write(tmp_path / "silent.wav", np.zeros(22_050), 22_050)
    with pytest.raises(ValueError, match="none of its 1 audio files can be used"):
        prepare(tmp_path, tmp_path / "pack", jobs=1)


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")


def test_m4singers_folders_name_singer_and_song(tmp_path):
    for name in ("Alto-1#美错", "Alto-1#追梦人", "Bass-2#童话"):
        touch(tmp_path / name / "0001.wav")
        touch(tmp_path / name / "0001.TextGrid")
    assert [source.speaker for source in find_sources(tmp_path).values()] == ["Alto-1", "Alto-1", "Bass-2"]


@pytest.mark.parametrize("asked", ["", "train"])
def test_a_manifest_names_speakers_and_licences(tmp_path, asked):
    touch(tmp_path / "train" / "a" / "1.wav")
    touch(tmp_path / "train" / "a" / "2.wav")
    rows = [{"path": "train/a/1.wav", "speaker": "ann", "licence": "CC0", "seconds": 1.0}]
    (tmp_path / "manifest.json").write_text(json.dumps(rows))
    sources = list(find_sources(tmp_path / asked, licence="mine").values())
    assert [(source.speaker, source.licence) for source in sources] == [("ann", "CC0"), ("a", "mine")]


def clip(speaker, path, samples=100):
    return Clip(path, speaker, 0, samples, "")


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 50)), min_size=2), st.floats(0.01, 0.5), st.integers(0, 99))
def test_no_speaker_is_in_both_splits(clips, share, seed):
    clips = [clip(f"s{speaker}", f"s{speaker}/{i}.wav", samples) for i, (speaker, samples) in enumerate(clips)]
    found = split_by_speaker(clips, share, seed)
    assert [(c.path, c.samples) for c in found] == [(c.path, c.samples) for c in clips]
    assert found == split_by_speaker(clips, share, seed)
    keys = [c.speaker for c in found] if len({c.speaker for c in clips}) > 1 else [c.path for c in found]
    held = {key for key, c in zip(keys, found) if c.split == "validation"}
    kept = {key for key, c in zip(keys, found) if c.split == "train"}
    assert held
    assert kept
    assert not held & kept


@pytest.mark.parametrize("seed", range(6))
def test_a_speaker_who_is_most_of_the_audio_is_not_held_out(seed):
    clips = [clip("long", "long/1.wav", 10_000), clip("short", "short/1.wav", 300)]
    assert [c.split for c in split_by_speaker(clips, 0.05, seed)] == ["train", "validation"]
    assert [c.split for c in split_by_speaker(clips, 0.0, seed)] == ["train", "train"]


def test_folders_named_train_and_dev_decide():
    clips = [clip("ann", "train/ann/1.wav"), clip("bob", "dev/bob/1.wav"), clip("eve", "train/eve/1.wav")]
    assert [c.split for c in split_by_speaker(clips, 0.5, 0)] == ["train", "validation", "train"]


def test_a_killed_prepare_goes_on_to_the_same_pack(songs, tmp_path):
    whole = prepare(songs, tmp_path / "whole", jobs=1)
    journal = tmp_path / "killed" / JOURNAL
    arguments = ["prepare", str(songs), "--out", str(tmp_path / "killed"), "--jobs", "1"]
    process = subprocess.Popen([sys.executable, "-m", "train", *arguments], cwd=ROOT, stderr=subprocess.DEVNULL)
    until(lambda: process.poll() is not None or (journal.is_file() and journal.stat().st_size), "a file is packed")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed" / MANIFEST).exists()
    with (tmp_path / "killed" / AUDIO).open("ab") as audio, journal.open("ab") as lines:
        audio.write(b"\1\2\3")  # what a kill between the two writes leaves behind
        lines.write(b'{"path": "torn')
    command("train", *arguments)
    found = open_pack(tmp_path / "killed")
    assert found.fingerprint == whole.fingerprint
    assert np.array_equal(found.audio, whole.audio)


def test_running_again_decodes_only_what_is_new(tmp_path):
    songs, out = tmp_path / "songs", tmp_path / "pack"
    for name in ("a", "b"):
        (songs / name).mkdir(parents=True)
        soundfile.write(songs / name / "1.wav", harmonic_tone(1.0), 22_050)
    first = prepare(songs, out, jobs=1)
    before = (out / JOURNAL).read_bytes()
    assert prepare(songs, out, jobs=1).fingerprint == first.fingerprint
    assert (out / JOURNAL).read_bytes() == before
    soundfile.write(songs / "a" / "1.wav", harmonic_tone(1.5), 22_050)
    os.utime(songs / "a" / "1.wav", (1, 1))
    (songs / "b" / "1.wav").unlink()
    changed = prepare(songs, out, jobs=1)
    assert [(clip.path, clip.samples) for clip in changed.clips] == [("a/1.wav", 33_075)]
    wanted, _ = soundfile.read(songs / "a" / "1.wav", dtype="int16")
    assert np.array_equal(samples_of(changed, "a/1.wav"), wanted)


def test_what_could_not_be_read_is_tried_again(tmp_path, monkeypatch):
    def no_memory(*_):
        raise MemoryError

    for name in ("a", "b"):
        (tmp_path / "songs" / name).mkdir(parents=True)
        soundfile.write(tmp_path / "songs" / name / "1.wav", harmonic_tone(1.0), 22_050)
    prepare(tmp_path / "songs", tmp_path / "pack", jobs=1)
    soundfile.write(tmp_path / "songs" / "b" / "2.wav", harmonic_tone(1.0), 22_050)
    with monkeypatch.context() as patch:
        patch.setattr("train.data.prepare.read_recording", no_memory)
        assert prepare(tmp_path / "songs", tmp_path / "pack", jobs=1).skipped == (
            {"path": "b/2.wav", "reason": "not enough memory"},
        )
    found = prepare(tmp_path / "songs", tmp_path / "pack", jobs=1)
    assert (len(found.clips), found.skipped) == (3, ())


def test_the_command_says_what_it_packed_and_what_it_skipped(songs, tmp_path):
    (tmp_path / "in").symlink_to(songs)
    done = command("train", "prepare", songs, "--out", tmp_path / "pack", "--validation", "0.2", "--jobs", "2")
    assert "9 clips, 3 speakers; validation" in done.stdout
    assert "3 clips, 1 speakers; 0 files skipped" in done.stdout


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda root: (root / MANIFEST).unlink(), "is no pack: manifest.json is missing"),
        (lambda root: (root / MANIFEST).write_text("[]"), "is not a pack's manifest"),
        (lambda root: (root / AUDIO).write_bytes(b"1234"), "has 4 bytes and its manifest speaks of"),
    ],
)
def test_a_damaged_pack_is_refused(tmp_path, damage, reason):
    soundfile.write(tmp_path / "a.wav", harmonic_tone(1.0), 22_050)
    prepare(tmp_path, tmp_path / "pack", jobs=1)
    damage(tmp_path / "pack")
    with pytest.raises(PackError, match=reason):
        open_pack(tmp_path / "pack")
