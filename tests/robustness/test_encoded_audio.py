"""Samples used are samples encoded, or a sentence says what is wrong: every codec and container, whole, cut and damaged.

python -m pytest tests/robustness/test_encoded_audio.py --proof -s
"""

from pathlib import Path

import numpy as np

from tests.alignment import correlation_in_place, lag_and_correlation
from tests.robustness.encoded_cases import ENCODINGS, encoded_case
from tests.robustness.pool import run_cases
from vocoders.audio import SAMPLE_RATE
from vocoders.recordings.reader import AudioError, read_recording

MAX_DELAY_SAMPLES = 3  # samples at 22 050 Hz that a decoded signal may be late or early
LAST_FRAME_SECONDS = 0.06  # where no header says where the sound ends, the encoder's last frame is kept whole

# Nothing in them says how long they are: cut between two frames, they are whole
ENDLESS = {"adts.aac", "no-xing.mp3", "layer2.mp2", "live.webm"}


def read_one(number: int, folder: Path) -> str:
    case = encoded_case(number)
    path = folder / case.name
    path.write_bytes(case.content)
    try:
        recording = read_recording(path)
    except AudioError:
        assert case.kind != "whole", "a whole file was refused"
        return "refused"
    if case.kind == "cut" or not recording.notices:
        whole = not recording.notices and case.name not in ENDLESS
        assert_is(case.truth, recording.samples, whole)
    assert case.kind != "whole" or not recording.notices, recording.notices
    return "used"


def assert_is(truth: np.ndarray, found: np.ndarray, whole: bool) -> None:
    """Nothing is invented, nothing out of its place; and where nothing was said, nothing is lost."""
    correlation = correlation_in_place(found, truth, MAX_DELAY_SAMPLES)
    assert correlation > 0.99, (
        f"correlation {correlation:.3f}; (samples late, correlation there): {lag_and_correlation(found, truth)}"
    )
    excess = (len(found) - len(truth)) / SAMPLE_RATE
    assert excess < LAST_FRAME_SECONDS, f"{excess:.3f} s too long"
    assert not whole or excess > -LAST_FRAME_SECONDS, f"{-excess:.3f} s are missing, and nothing was said"


def test_samples_used_are_samples_encoded(scale):
    count = scale(4 * len(ENCODINGS), 4_000)
    tally = run_cases(read_one, range(count))
    print(f"\n{tally.line('encoded files')}")
    assert tally.crashes == {}
    assert tally.used > tally.cases / 3
