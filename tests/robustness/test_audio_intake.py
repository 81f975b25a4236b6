"""Every file becomes a recording or one sentence: mutants of all accepted formats, and bombs.

python -m pytest tests/robustness/test_audio_intake.py --proof -s

Libraries in C decode these files. Their effect on a process is counted: see `tests/robustness/pool.py`.
"""

from pathlib import Path

import numpy as np

from tests.robustness.audio_cases import audio_case, bombs
from tests.robustness.pool import run_cases
from vocoders.recordings.reader import AudioError, Limits, read_recording

LIMITS = Limits()
MAX_CPU_SECONDS = 30.0  # that a file may cost; one that is refused or read as it should be costs a tenth of it
MAX_MEGABYTES = 450.0  # of memory that a file may cost; 60 s at 192 kHz are 46 MB a copy


def read_one(number: int, folder: Path) -> str:
    name, content = audio_case(number)
    path = folder / name
    path.write_bytes(content)
    try:
        recording = read_recording(path, LIMITS)
    except AudioError as error:
        message = str(error)
        a_sentence = message.startswith(f"{name}: ") and message.endswith(".") and "\n" not in message
        assert a_sentence, message
        assert len(message) < 400, message
        assert str(folder) not in message, message
        return "refused"
    assert recording.samples.dtype == np.float32
    assert np.isfinite(recording.samples).all()
    assert LIMITS.min_seconds - 0.01 <= recording.seconds <= LIMITS.max_seconds + 0.1
    return "used"


def test_a_hostile_audio_file_is_used_or_refused_in_a_sentence(scale):
    """Every bomb, and mutants: in short ten of every kind of file. A fault of one mutant in 80 is found with 95 %
    (1 - (1 - 1/80)^250), of one in 13,000 in full."""
    bombed = len(bombs())
    tally = run_cases(read_one, range(scale(bombed + 250, bombed + 40_000)))
    print(f"\n{tally.line('audio files')} ({bombed} of them bombs)")
    assert tally.crashes == {}
    assert tally.used > tally.cases / 10, "mutants that are all refused at the door prove little"
    assert tally.refused > tally.cases / 10
    assert tally.slowest < MAX_CPU_SECONDS
    assert tally.hungriest < MAX_MEGABYTES
    assert tally.growth < 100, "memory that is not given back"
