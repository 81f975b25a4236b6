"""Channels, offsets and clipping: closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from tests.conftest import harmonic_tone
from vocoders.audio import SAMPLE_RATE
from vocoders.recordings.channels import ChannelSums, Clipping, offset_of
from vocoders.recordings.passage import Passage, clock, seconds_of
from vocoders.recordings.reader import AudioError, read_recording


def weights_of(*channels: np.ndarray) -> list[float]:
    sums = ChannelSums(len(channels))
    for block in np.array_split(np.stack(channels, axis=1).astype(np.float32), 3):
        sums.add(block)
    return sums.mix().weights.tolist()


def test_which_channels_are_used(rng):
    a, b = rng.normal(0, 0.1, (2, 20_000))
    assert weights_of(a, a) == weights_of(a, b) == weights_of(a, 0.3 * a) == [0.5, 0.5]
    assert weights_of(a, 0 * a) == [1, 0]
    assert weights_of(1e-4 * b, a) == [0, 1]
    assert weights_of(a, -a) == [1, 0]
    assert weights_of(0.8 * a, -a) == [0, 1]
    assert weights_of(a, 0.02 * b - 0.9 * a) == [1, 0]
    assert weights_of(a, a, 0 * a, b) == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3])
    assert weights_of(a + 0.25, -a + 0.25) == [1, 0]  # a common offset is no common sound
    assert weights_of(a + 0.25, 0 * a + 0.25) == [1, 0]


def test_the_average_of_a_wide_stereo_image_stays_an_average(rng):
    """Half of the sound in phase and half not: the correlation is 0."""
    middle, side = rng.normal(0, 0.1, (2, 20_000))
    assert weights_of(middle + side, middle - side) == [0.5, 0.5]


def test_of_channels_that_cancel_one_is_used_at_its_level(tmp_path, tone):
    soundfile.write(tmp_path / "a.wav", np.stack([tone, -tone], axis=1), SAMPLE_RATE, subtype="FLOAT")
    recording = read_recording(tmp_path / "a.wav")
    assert np.allclose(recording.samples, tone, atol=1e-6)
    assert recording.notices == ("its channels cancel each other, and only channel 1 was used",)


def test_a_dead_channel_takes_nothing_from_the_live_one(tmp_path, tone):
    soundfile.write(tmp_path / "a.wav", np.stack([0 * tone, tone], axis=1), SAMPLE_RATE, subtype="FLOAT")
    recording = read_recording(tmp_path / "a.wav")
    assert np.allclose(recording.samples, tone, atol=1e-6)
    assert recording.notices == ("channel 1 holds nothing, and only channel 2 was used",)


@pytest.mark.parametrize("offset", [0.2, -0.002, 0.0])
def test_an_offset_is_removed_and_said(tmp_path, offset):
    tone = harmonic_tone(1.0) * 0.5
    tone -= np.float32(offset_of(tone))
    soundfile.write(tmp_path / "a.wav", tone + np.float32(offset), SAMPLE_RATE, subtype="FLOAT")
    recording = read_recording(tmp_path / "a.wav")
    assert np.allclose(recording.samples, tone, atol=5e-4)  # a tone of no whole number of periods has a mean of its own
    assert recording.notices == ((f"a constant offset of {offset:+.3f} removed",) if offset else ())


def test_what_is_left_of_a_low_tones_last_period_is_no_offset():
    """0.1 s of 45 Hz: four and a half periods, whose plain mean is 2 / (9 pi) of the amplitude."""
    time = (np.arange(2205) + 0.5) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * 45 * time)
    assert np.mean(tone) == pytest.approx(2 / (9 * np.pi), rel=1e-3)
    assert abs(offset_of(tone)) < 1e-4
    assert offset_of(tone + 0.01) == pytest.approx(0.01, abs=1e-4)


def clipping_of(samples: np.ndarray) -> str:
    block = samples.astype(np.float32)[:, None]
    found = Clipping(block.max(axis=0), block.min(axis=0))
    for part in np.array_split(block, 5):
        found.add(part)
    return found.clause()


def test_clipping_is_recognised_at_any_level(tone):
    clipped = np.clip(tone * 3, -1, 1)
    for gain, level in ((1.0, "0.0"), (0.5, "-6.0"), (0.02, "-34.0")):
        assert f"samples sit at {level} dBFS" in clipping_of(gain * clipped)
        assert "it looks clipped" in clipping_of(np.rint(gain * clipped * 32767) / 32767)
    assert "it looks clipped" in clipping_of(np.maximum(tone, -0.2))  # one side only


@pytest.mark.parametrize("bits", [7, 15, 23])
def test_what_was_not_clipped_is_not_called_so(tone, rng, bits):
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    for samples in (
        tone,
        0.9 * np.sin(2 * np.pi * 50 * time),
        rng.normal(0, 0.1, 40_000),
        0.5 * np.sin(2 * np.pi * 441 * time),
    ):
        assert clipping_of(np.rint(samples * 2**bits) / 2**bits) == ""


def test_integers_stored_as_floats_are_scaled_and_said(tmp_path, tone):
    whole = np.rint(tone * 32767).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", whole, SAMPLE_RATE, subtype="FLOAT")
    recording = read_recording(tmp_path / "a.wav")
    assert np.array_equal(recording.samples, whole / 32768)
    assert recording.notices == ("its floats are 16-bit integers, and were divided by 32768",)


# ------------------------------------------------ passages


@pytest.mark.parametrize(
    ("text", "seconds"), [("75", 75), ("75.5", 75.5), ("1:15", 75), ("1:02:03.5", 3723.5), ("0:00", 0)]
)
def test_times_are_read_as_people_write_them(text, seconds):
    assert seconds_of(text) == seconds
    assert seconds_of(clock(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "a", "-1", "1:2:3:4", "1e3", "1:"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match=r"minutes:seconds"):
        seconds_of(text)


@pytest.mark.parametrize("container", ["WAV", "FLAC", "OGG", "MP3"])
def test_a_passage_is_that_part_of_the_whole(tmp_path, container):
    song = np.concatenate([harmonic_tone(1.0, f0, seed=n) for n, f0 in enumerate(np.linspace(100, 400, 70))])
    soundfile.write(tmp_path / "song", song, SAMPLE_RATE, format=container)
    with pytest.raises(AudioError, match="lasts more than 60 s, which is the limit; choose a passage of it"):
        read_recording(tmp_path / "song")
    found = read_recording(tmp_path / "song", passage=Passage(61.25, 64.5))
    assert abs(len(found.samples) - 3.25 * SAMPLE_RATE) < 1
    assert " from 1:01.25 on" in found.history
    error = found.samples - song[round(61.25 * SAMPLE_RATE) :][: len(found.samples)]
    assert np.sqrt(np.mean(error**2)) < (1e-4 if container in ("WAV", "FLAC") else 0.03)


def test_a_passage_that_reaches_beyond_the_end_is_said_or_refused(tmp_path, tone):
    soundfile.write(tmp_path / "a.wav", tone, SAMPLE_RATE)
    found = read_recording(tmp_path / "a.wav", passage=Passage(1.0, 9.0))
    assert found.seconds == pytest.approx(0.5)
    assert found.notices == ("the passage ends with the recording, at 0:01.5",)
    with pytest.raises(AudioError, match=r"the recording ends at 0:01\.5, before the passage begins"):
        read_recording(tmp_path / "a.wav", passage=Passage(2.0))
    with pytest.raises(ValueError, match="ends after it begins"):
        Passage(2.0, 2.0)
