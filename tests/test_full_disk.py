"""A disk that is full leaves whole files only, and is named with the file that had no room."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from common.durable import DiskFull, write_text_durably
from tests import warm_python
from tests.conftest import harmonic_tone
from tests.waiting import TIMEOUT_SECONDS
from vocoders.mel import HW2, mel_of

MAX_FILE_BYTES = 20_000  # of one file


LIMITED = f"""
import resource, runpy
resource.setrlimit(resource.RLIMIT_FSIZE, ({MAX_FILE_BYTES}, resource.RLIM_INFINITY))
runpy.run_module("vocoders", run_name="__main__", alter_sys=True)
"""


def with_little_room(log: Path, *arguments: object) -> str:
    """What a command of `vocoders` says that fails, in a process whose files may not grow beyond `MAX_FILE_BYTES`."""
    process = warm_python.start(["-c", LIMITED, *map(str, arguments)], log)
    assert process.wait(TIMEOUT_SECONDS) == 1, log.read_text()
    return log.read_text()


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
    said = with_little_room(tmp_path / "log.txt", *arguments)
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
