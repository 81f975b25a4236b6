"""Every kind of file people (and attackers) bring. Each bad one gets one sentence."""

import io

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vocoders.audio import SAMPLE_RATE
from vocoders.recordings.decoding import Stream
from vocoders.recordings.reader import AudioError, Limits, read_recording


def write(path, samples, rate=22_050, **options):
    soundfile.write(path, samples, rate, **options)
    return path


def encoded(samples, rate, **options) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "options", "tolerance"),
    [
        ("a.wav", {"subtype": "PCM_16"}, 1e-4),
        ("a.wav", {"subtype": "PCM_24"}, 1e-6),
        ("a.wav", {"subtype": "FLOAT"}, 1e-7),
        ("a.wav", {"subtype": "PCM_16", "format": "WAVEX"}, 1e-4),
        ("a.flac", {}, 1e-4),
        ("a.ogg", {}, 0.05),
        ("a.mp3", {}, 0.1),
    ],
)
def test_every_format_arrives_as_it_was(tmp_path, tone, name, options, tolerance):
    recording = read_recording(write(tmp_path / name, tone, **options))
    assert recording.name == "a"
    assert abs(recording.seconds - len(tone) / SAMPLE_RATE) < 0.06  # MP3 pads
    start = int(np.argmax(np.correlate(recording.samples[:12000], tone[:8000], "valid")))
    found = recording.samples[start : start + len(tone) - 2000]
    assert np.sqrt(np.mean((found - tone[: len(found)]) ** 2)) < tolerance


def test_channels_are_averaged_and_the_history_says_so(tmp_path, tone):
    stereo = np.stack([tone, 0.5 * tone], axis=1)
    recording = read_recording(write(tmp_path / "two.wav", stereo, subtype="FLOAT"))
    assert np.allclose(recording.samples, 0.75 * tone, atol=1e-6)
    assert recording.history == "WAV, stereo, 22.05 kHz, 1.50 s: the 2 channels averaged to mono."
    assert recording.notices == ()


def test_192_khz_with_8_channels_is_fine(tmp_path, rng):
    samples = rng.normal(0, 0.1, (96_000, 8))  # independent: no two of them cancel
    recording = read_recording(write(tmp_path / "wide.wav", samples, 192_000))
    assert len(recording.samples) == SAMPLE_RATE // 2
    assert "8 channels averaged to mono; resampled to 22.05 kHz" in recording.history


def test_clipping_is_mentioned(tmp_path, tone):
    loud = read_recording(write(tmp_path / "loud.wav", np.clip(tone * 4, -1, 1)))
    assert "looks clipped" in loud.history
    over = read_recording(write(tmp_path / "over.wav", tone * 4, subtype="FLOAT"))
    assert "+6.0 dB above full scale" in over.history


def test_an_ogg_file_that_ends_early_is_used_and_said_to(tmp_path, tone):
    content = encoded(np.tile(tone, 4), 22_050, format="OGG")
    (tmp_path / "whole.ogg").write_bytes(content)
    (tmp_path / "cut.ogg").write_bytes(content[: len(content) // 2])
    assert "abruptly" not in read_recording(tmp_path / "whole.ogg").history
    cut = read_recording(tmp_path / "cut.ogg")
    assert "ends abruptly" in cut.history
    assert 1 < cut.seconds < 5


def bad_files(tone) -> dict[str, tuple[bytes, str]]:
    wav = encoded(tone, 22_050, format="WAV")
    flac = encoded(tone, 22_050, format="FLAC")
    with_nan = tone.copy()
    with_nan[100] = np.nan
    return {
        "empty.wav": (b"", "the file is empty"),
        "text.wav": (b"This is a shopping list, not a recording.", "not a WAV, FLAC, MP3"),
        "playlist.mp3": (b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "not a WAV, FLAC, MP3"),
        "picture.mp3": (b"\x89PNG\r\n\x1a\n" + bytes(500), "not a WAV, FLAC, MP3"),
        "tiny.flac": (b"f", "not a WAV, FLAC, MP3"),
        "no-audio.wav": (encoded(np.zeros(0), 22_050, format="WAV"), "0 ms|no audio in it"),
        "silent.wav": (encoded(np.zeros(22_050), 22_050, format="WAV"), "is silent"),
        "constant.wav": (encoded(np.full(22_050, 0.25), 22_050, format="WAV"), "is silent"),
        "nan.wav": (encoded(with_nan, 22_050, format="WAV", subtype="FLOAT"), "not numbers"),
        "huge.wav": (
            encoded(tone * 2e38, 22_050, format="WAV", subtype="FLOAT"),
            "impossible values: a peak of 1e\\+38",
        ),
        "unscaled.wav": (
            encoded(tone * 32768.5, 22_050, format="WAV", subtype="FLOAT"),
            "impossible values: a peak of 2e\\+04, where full scale is 1",
        ),
        "header-only.flac": (flac[:60], "damaged or cut short"),
        "header-only.wav": (wav[:44], "no audio|cut short"),
        "noise.mp3": (b"\xff\xfb\x90\x64" + np.random.default_rng(0).bytes(3000), "damaged|cut short"),
        "click.wav": (encoded(tone[:100], 22_050, format="WAV"), "at least 100 ms"),
        "slow.wav": (encoded(tone, 4_000, format="WAV"), "sampling rate is 4,000 Hz"),
        "fast.wav": (encoded(tone, 384_000, format="WAV"), "sampling rate is 384,000 Hz"),
        "choir.wav": (encoded(np.zeros((4000, 12)), 22_050, format="WAV"), "12 channels; at most 8"),
    }


@pytest.mark.parametrize("name", sorted(bad_files(np.ones(4000, dtype=np.float32))))
def test_a_bad_file_gets_one_sentence(tmp_path, tone, name):
    content, reason = bad_files(tone)[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AudioError, match=reason) as caught:
        read_recording(path)
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert "\n" not in message
    assert str(tmp_path) not in message


def test_a_long_file_is_decoded_only_as_far_as_is_allowed(tmp_path, monkeypatch):
    path = write(tmp_path / "long.flac", np.random.default_rng(0).normal(0, 0.1, 600 * 8000), 8000)
    decoded = []
    whole = Stream.compare_with_promise
    monkeypatch.setattr(Stream, "compare_with_promise", lambda *a: (decoded.append("to its end"), whole(*a)))
    with pytest.raises(AudioError, match="lasts more than 60 s, which is the limit; choose a passage"):
        read_recording(path)
    assert decoded == []


def test_limits_are_configurable(tmp_path, tone):
    path = write(tmp_path / "a.wav", tone)
    with pytest.raises(AudioError, match="more than 1 s"):
        read_recording(path, Limits(max_seconds=1))
    with pytest.raises(AudioError, match=r"at most 0\.01 MB"):
        read_recording(path, Limits(max_megabytes=0.01))


def test_a_missing_file_is_named():
    with pytest.raises(AudioError, match=r"nothing-here\.wav: there is no such file"):
        read_recording("nothing-here.wav")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    container=st.sampled_from(["WAV", "FLAC", "OGG", "MP3"]),
    edits=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=12),
    cut=st.integers(0, 4000),
)
def test_a_mutated_file_is_read_or_refused_but_never_anything_else(tmp_path, container, edits, cut):
    samples = np.sin(np.arange(6000) / 9).astype(np.float32) * 0.3
    content = bytearray(encoded(samples, 22_050, format=container))
    for position, value in edits:
        content[position % len(content)] = value
    path = tmp_path / "mutant"
    path.write_bytes(content[: len(content) - cut % len(content)])
    try:
        recording = read_recording(path)
    except AudioError as error:
        assert "\n" not in str(error)  # noqa: PT017 - most mutants are read
    else:
        assert np.isfinite(recording.samples).all()
        assert 0.1 <= recording.seconds <= 60.1
