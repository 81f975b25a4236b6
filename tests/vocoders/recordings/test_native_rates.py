"""A recording at two rates: 22 050 Hz exactly as before there was another, and the file's own, up to 48 kHz."""

import hashlib

import numpy as np
import pytest
import soundfile

from vocoders.audio import MAX_NATIVE_RATE, SAMPLE_RATE, Recording, resample
from vocoders.mel import HW2, mel_of
from vocoders.recordings.contained import read_recording_contained
from vocoders.recordings.passage import Passage
from vocoders.recordings.reader import Limits, read_recording

# MD5 of `samples` and of their hw2 mel, as read before recordings kept their own rate; the resampler and the FFT are deterministic
GOLDEN = {
    8_000: ("e94d99a1ef1a8e8a4b96f7034d379bb8", "aeeb50c3cc7dc9727c505af041d495d8"),
    16_000: ("c7a9d1b58c1f097fe76f1820fec3c596", "755f63939c967b93e6a5bb249044c9e3"),
    22_050: ("0371a744da60ca8e4ba3bfae0a2d235e", "b4ff1b9cad7ca32977efe5e24066643b"),
    24_000: ("e0caacbb01c12dcc436f0ea90fdced8c", "1439e2672f1a87b7cab2a3312ad30945"),
    32_000: ("da98f7b81c1712c4ea42666b840f7f35", "59da2fd0c9074928e56094ead51a1a3d"),
    44_100: ("a6e44978971a77e2125c415a1c139648", "75fea62cbeaa6d3d70b60e93219e3cf4"),
    48_000: ("80e6a6741bb7057795020cd7ecedfc5d", "39e2afb47efb26c3ab0ba5d8b25d7173"),
    96_000: ("94bf7c21050c209ece6d09ceda0b021a", "7a3490dd7f88d8e723d3d0ffadb9e003"),
    192_000: ("02b5b5bc85a5e07936dba55b2859078f", "f8bfaecfa113258ee4922cbab00ce800"),
}


def sound(rate: int, seconds: float = 1.0) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    return 0.2 * np.sin(2 * np.pi * 330 * time) + 0.05 * np.random.default_rng(rate).standard_normal(len(time))


def written(tmp_path, rate: int, seconds: float = 1.0):
    soundfile.write(tmp_path / "a.wav", sound(rate, seconds), rate, subtype="PCM_16")
    return tmp_path / "a.wav"


def md5(values: np.ndarray) -> str:
    return hashlib.md5(values.tobytes()).hexdigest()


@pytest.mark.parametrize("rate", GOLDEN)
def test_samples_and_mel_are_to_the_bit_what_they_were(tmp_path, rate):
    samples = read_recording(written(tmp_path, rate)).samples
    assert (md5(samples), md5(mel_of(samples, HW2))) == GOLDEN[rate]


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_the_native_samples_are_the_files(tmp_path, rate):
    path = written(tmp_path, rate)
    recording = read_recording(path)
    assert recording.native.rate == recording.rate == rate
    assert np.array_equal(recording.native.samples, soundfile.read(path, dtype="float32")[0])
    assert recording.native.seconds == 1.0
    assert f"kept at {rate / 1000:g} kHz for listening and pictures" in recording.history


@pytest.mark.parametrize("rate", [88_200, 96_000, 192_000])
def test_a_higher_rate_is_lowered_to_48_khz_and_that_is_told(tmp_path, rate):
    path = written(tmp_path, rate)
    recording = read_recording(path)
    assert (recording.rate, recording.native.rate) == (rate, MAX_NATIVE_RATE)
    assert np.array_equal(recording.native.samples, resample(soundfile.read(path, dtype="float32")[0], rate, 48_000))
    assert "resampled to 48 kHz for listening" in recording.history


def test_at_22_050_hz_there_is_one_copy(tmp_path):
    recording = read_recording(written(tmp_path, SAMPLE_RATE))
    assert recording.own is None
    assert recording.native.samples is recording.samples
    assert recording.at(SAMPLE_RATE) is recording.samples
    assert "used as it is" in recording.history


def test_both_are_of_the_same_channels_passage_and_level(tmp_path):
    """The dead channel left out, the offset removed, the passage cut, once for both."""
    samples = np.stack([sound(44_100, 2.0) + 0.1, np.zeros(88_200)], axis=1)
    soundfile.write(tmp_path / "a.wav", samples, 44_100, subtype="FLOAT")
    recording = read_recording(tmp_path / "a.wav", passage=Passage(0.5, 1.5))
    wanted = samples[22_050:66_150, 0] - 0.1
    assert np.abs(recording.native.samples - wanted).max() < 0.002  # the offset of a part is estimated
    assert np.array_equal(recording.samples, resample(recording.native.samples, 44_100))


def test_the_contained_reader_gives_both(tmp_path):
    path = written(tmp_path, 44_100)
    inside, outside = read_recording_contained(path), read_recording(path)
    assert np.array_equal(inside.samples, outside.samples)
    assert np.array_equal(inside.native.samples, outside.native.samples)


def test_memory_is_bounded_by_the_limit_of_seconds(tmp_path):
    """A minute at most: 22 050 + 48 000 samples a second, 4 bytes each, whatever the rate and the channels of the file."""
    rate = 192_000
    soundfile.write(tmp_path / "a.wav", np.tile(sound(rate, 0.5)[:, None], (1, 4)), rate)
    recording = read_recording_contained(tmp_path / "a.wav", Limits())
    assert recording.samples.nbytes + recording.native.samples.nbytes == 0.5 * 4 * (SAMPLE_RATE + MAX_NATIVE_RATE)


def test_a_recording_made_of_samples_is_its_own_native():
    samples = np.zeros(10, np.float32)
    assert Recording("x", samples).native.samples is samples
