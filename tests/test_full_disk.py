"""A disk that is full leaves whole files only, and is named with the file that had no room."""

import os
import resource
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from common.durable import DiskFull, write_text_durably
from common.paths import ROOT
from tests.conftest import harmonic_tone
from vocoders.mel import HW2, mel_of

MAX_FILE_BYTES = 20_000  # of one file


def with_little_room(*arguments: object) -> str:
    """stderr of a command that fails, in a process whose files may not grow beyond `MAX_FILE_BYTES`."""
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, resource.RLIM_INFINITY)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize("what", ["mel", "synth", "resynth"])
def test_no_truncated_file_is_left_and_the_one_that_has_no_room_is_named(tmp_path, what):
    soundfile.write(tmp_path / "a.wav", harmonic_tone(2.0), 22_050)
    np.save(tmp_path / "a.npy", mel_of(harmonic_tone(2.0), HW2))
    out = tmp_path / "out"
    arguments, written = {
        "mel": (["mel", tmp_path / "a.wav", out / "a.npy"], "a.npy"),
        "synth": (["synth", tmp_path / "a.npy", "--vocoder", "griffin-lim", "--out", out], "a.wav"),
        "resynth": (["resynth", tmp_path / "a.wav", "--vocoders", "griffin-lim", "--out", out], "a.wav"),
    }[what]
    said = with_little_room("vocoders", *arguments)
    assert [path for path in out.rglob("*") if path.is_file()] == []
    assert "error: the disk is full: " in said
    assert f"{written} needs " in said
    assert " kB; nothing was saved there yet" in said


def test_a_text_that_has_no_room_leaves_the_one_before(tmp_path):
    """/dev/full refuses every byte as a full disk does."""
    path = tmp_path / "scores.json"
    write_text_durably(path, "{}")
    (tmp_path / "scores.json.part").symlink_to("/dev/full")
    with pytest.raises(DiskFull, match=r"the disk is full: .*scores.json needs 5 kB; the one before is intact"):
        write_text_durably(path, "x" * 5000)
    assert path.read_text() == "{}"
    assert os.listdir(tmp_path) == ["scores.json"]
