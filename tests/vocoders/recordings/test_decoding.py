"""Files as programs write them, whole and broken: the samples used are those that were recorded, or a sentence says what is wrong."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile

from common.paths import ROOT
from tests.alignment import lag_and_correlation
from tests.conftest import harmonic_tone
from vocoders.audio import SAMPLE_RATE
from vocoders.recordings.decoding import open_audio
from vocoders.recordings.decoding.containers import container_of
from vocoders.recordings.decoding.ogg import page_checksum, pages_of
from vocoders.recordings.reader import AudioError, read_recording

FILES = ROOT / "tests" / "audio_files"


@pytest.fixture(scope="module")
def phrase() -> np.ndarray:
    """2.00 s at 22 050 Hz, of which all the files here were made."""
    return soundfile.read(FILES / "phrase.flac", dtype="float32")[0]


def ffmpeg(*arguments: object) -> bytes:
    """The output of FFmpeg's own command, another build than the library that decodes."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=True).stdout


# ------------------------------------------------ compressed


@pytest.mark.parametrize(
    ("name", "seconds", "correlation"),
    [
        ("vbr-without-xing.mp3", 2.0, 0.99),  # libsndfile estimates its length from the first frame, and stops at 0.6 s
        ("vbr-from-a-pipe.mp3", 2.0, 0.99),
        ("cbr-without-xing.mp3", 2.0, 0.99),
        ("phone.m4a", 2.0, 0.99),
        ("raw.aac", 2.0, 0.99),
        ("browser.webm", 2.0, 0.99),
        ("flac-in-ogg.oga", 2.0, 0.9999),
    ],
)
def test_a_whole_file_gives_the_whole_recording_in_its_place(phrase, name, seconds, correlation):
    recording = read_recording(FILES / name)
    lag, found = lag_and_correlation(recording.samples, phrase)
    assert (
        abs(recording.seconds - seconds) < 0.05
    )  # where no header says where the sound ends, the last frame is kept whole
    assert abs(lag) <= 2
    assert found > correlation
    assert recording.notices == ()


@pytest.mark.parametrize(
    ("name", "seconds", "notices"),
    [
        ("xing-cut-to-60-percent.mp3", 1.18, ["middle of a frame", "promises 2.00 s, 1.18 s are there"]),
        ("cbr-cut-to-60-percent.mp3", 1.18, ["middle of a frame"]),  # no header says how long it was
        ("cbr-cut-to-20-percent.mp3", 0.76, ["middle of a frame", "promises 4.00 s, 0.76 s are there"]),
    ],
)
def test_of_a_cut_mp3_what_is_there_is_used_and_nothing_else(phrase, name, seconds, notices):
    recording = read_recording(FILES / name)
    lag, found = lag_and_correlation(recording.samples, phrase)
    assert abs(recording.seconds - seconds) < 0.01
    assert abs(lag) <= 2
    assert found > 0.99
    for clause in notices:
        assert any(clause in notice for notice in recording.notices), recording.notices
        assert clause in recording.history


def test_memory_that_is_not_the_files_never_becomes_sound():
    """The file promises five times what it has. A decoder that fills the rest from its buffers gives another recording away."""
    read = [read_recording(FILES / "cbr-cut-to-20-percent.mp3").samples]
    for seed in range(8):
        poison = [np.random.default_rng(seed).uniform(-1, 1, 65_536 * size).astype(np.float32) for size in (1, 1, 2, 4)]
        del poison  # freed, and the next arrays of that size begin with what it held
        read.append(read_recording(FILES / "cbr-cut-to-20-percent.mp3").samples)
    assert all(np.array_equal(samples, read[0]) for samples in read)
    assert 0.7 < len(read[0]) / SAMPLE_RATE < 0.8


@pytest.mark.parametrize("picture", [10_000, 8_000_000])
def test_a_picture_before_the_sound_is_no_sound(tmp_path, phrase, picture):
    """libsndfile counts it as frames: 488 s of a file of 4 s."""
    size = bytes((picture + 14) >> shift & 127 for shift in (21, 14, 7, 0))
    frame = b"APIC" + struct.pack(">I", picture + 4) + bytes(2) + b"\0\0\0\0" + np.random.default_rng(0).bytes(picture)
    path = tmp_path / "cover.mp3"
    bare = (FILES / "cbr-without-xing.mp3").read_bytes()
    path.write_bytes(b"ID3\x03\0\0" + size + frame + bare[bare.index(b"\xff\xf3") :])
    recording = read_recording(path)
    assert lag_and_correlation(recording.samples, phrase)[0] == 0
    assert abs(recording.seconds - 2) < 0.05
    assert recording.notices == ()


ENCODINGS = {  # file name: (options of FFmpeg, samples by which its length may differ, lowest correlation)
    "gapless.mp3": (("-c:a", "libmp3lame", "-b:a", "96k"), 2, 0.99),
    "vbr.mp3": (("-c:a", "libmp3lame", "-q:a", "3"), 2, 0.99),
    "stereo.mp3": (("-c:a", "libmp3lame", "-ac", "2", "-ar", "44100"), 2, 0.99),
    "aac.m4a": (("-c:a", "aac"), 2, 0.99),
    "aac.mov": (("-c:a", "aac", "-ar", "44100"), 2, 0.99),
    "alac.m4a": (("-c:a", "alac"), 0, 0.9999),
    "adts.aac": (("-c:a", "aac"), 1024, 0.99),
    "opus.opus": (("-c:a", "libopus"), 2, 0.99),
    "opus.webm": (("-c:a", "libopus"), 400, 0.99),
    "vorbis.ogg": (("-c:a", "libvorbis"), 2, 0.99),
    "vorbis.webm": (("-c:a", "libvorbis"), 1024, 0.99),
    "flac.flac": (("-c:a", "flac"), 0, 0.9999),
    "flac.oga": (("-c:a", "flac"), 0, 0.9999),
    "flac.mka": (("-c:a", "flac"), 0, 0.9999),
    "wma.wma": (("-c:a", "wmav2"), 1024, 0.99),
    "wavpack.wv": (("-c:a", "wavpack"), 0, 0.9999),
    "layer2.mp2": (("-c:a", "mp2", "-b:a", "96k"), 1152, 0.99),
    "mp3.mka": (("-c:a", "libmp3lame"), 1152, 0.99),
    "aiff.aiff": ((), 0, 0.9999),
    "alaw.wav": (("-c:a", "pcm_alaw"), 0, 0.99),
    "adpcm.wav": (("-c:a", "adpcm_ms"), 1024, 0.99),
    "mp3-inside.wav": (("-c:a", "libmp3lame"), 2304, 0.99),
    "caf.caf": ((), 0, 0.9999),
    "w64.w64": ((), 0, 0.9999),
    "au.au": ((), 0, 0.9999),
    "rf64.wav": (("-rf64", "always"), 0, 0.9999),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_codec_and_container_comes_back_in_its_place(tmp_path, phrase, name):
    options, excess, correlation = ENCODINGS[name]
    path = tmp_path / name
    ffmpeg("-i", FILES / "phrase.flac", *options, path)
    recording = read_recording(path)
    lag, found = lag_and_correlation(recording.samples, phrase)
    assert abs(lag) <= 2
    assert -2 <= len(recording.samples) - len(phrase) <= excess
    assert found > correlation
    assert recording.notices == ()


@pytest.mark.parametrize("name", ["eight.opus", "eight.m4a", "eight.flac", "eight.wav"])
def test_eight_channels_are_eight(tmp_path, phrase, name):
    ffmpeg(
        "-i",
        FILES / "phrase.flac",
        "-af",
        "pan=7.1|" + "|".join(f"c{n}={0.9 - 0.1 * n}*c0" for n in range(8)),
        tmp_path / name,
    )
    recording = read_recording(tmp_path / name)
    assert "8 channels averaged" in recording.history
    lag, correlation = lag_and_correlation(recording.samples, phrase)
    assert abs(lag) <= 2
    assert correlation > 0.98


@pytest.mark.parametrize("muxer", ["mp3", "flac", "ogg", "webm", "wav", "adts"])
def test_what_a_program_wrote_to_a_pipe_is_read_whole(tmp_path, phrase, muxer):
    """It could not go back to write the length."""
    path = tmp_path / "streamed"
    path.write_bytes(ffmpeg("-i", FILES / "phrase.flac", "-f", muxer, "-"))
    recording = read_recording(path)
    assert abs(lag_and_correlation(recording.samples, phrase)[0]) <= 2
    assert abs(recording.seconds - 2) < 0.06
    assert recording.notices == ()


def test_a_film_without_sound_is_refused_and_one_with_sound_used(tmp_path, phrase):
    picture = ("-f", "lavfi", "-i", "color=black:size=16x16:rate=5:duration=2")
    ffmpeg(*picture, tmp_path / "mute.mp4")
    with pytest.raises(AudioError, match=r"mute\.mp4: there is no sound in the file"):
        read_recording(tmp_path / "mute.mp4")
    ffmpeg("-i", FILES / "phrase.flac", *picture, tmp_path / "film.mp4")
    assert lag_and_correlation(read_recording(tmp_path / "film.mp4").samples, phrase)[1] > 0.99


def test_an_mp4_without_its_index_says_so(tmp_path):
    whole = (FILES / "phone.m4a").read_bytes()
    (tmp_path / "cut.m4a").write_bytes(whole[: whole.index(b"moov") - 4])
    with pytest.raises(AudioError, match="damaged or cut short"):
        read_recording(tmp_path / "cut.m4a")


def test_damage_in_the_middle_is_counted(tmp_path):
    damaged = bytearray((FILES / "flac-in-ogg.oga").read_bytes())
    damaged[20_000:20_010] = bytes(10)
    (tmp_path / "damaged.oga").write_bytes(damaged)
    try:
        notices = read_recording(tmp_path / "damaged.oga").notices
    except AudioError as error:
        notices = (str(error),)
    assert any("damaged" in notice for notice in notices)


def test_the_checksum_of_ogg_is_that_of_its_writers():
    pages = pages_of(FILES / "flac-in-ogg.oga")
    assert (pages.damaged, pages.missing, pages.ended, pages.chained) == (0, 0, True, 0)
    assert pages.total == 4
    content = (FILES / "flac-in-ogg.oga").read_bytes()
    second = content.index(b"OggS", 4)
    assert page_checksum(content[:second]) == int.from_bytes(content[22:26], "little")


def test_recordings_one_behind_the_other_in_one_file_are_said(tmp_path):
    whole = (FILES / "flac-in-ogg.oga").read_bytes()
    (tmp_path / "chained.oga").write_bytes(whole + whole)
    try:
        notices = read_recording(tmp_path / "chained.oga").notices
    except AudioError as error:
        notices = (str(error),)
    assert any("2 recordings" in notice or "changes" in notice for notice in notices), notices


# ------------------------------------------------ plain samples


def pcm_wav(samples: np.ndarray, length: int | None = None, order: str = "<") -> bytes:
    """A wav of 16-bit samples whose `data` chunk claims `length` bytes."""
    data = (samples * 32767).astype(f"{order}i2").tobytes()
    form = struct.pack(f"{order}HHIIHH", 1, 1, 22_050, 44_100, 2, 16)
    claim = struct.pack(f"{order}I", len(data) if length is None else length)
    body = b"WAVEfmt " + struct.pack(f"{order}I", 16) + form + b"data" + claim + data
    return (b"RIFF" if order == "<" else b"RIFX") + struct.pack(f"{order}I", len(body)) + body


@pytest.mark.parametrize(
    ("claim", "notice"),
    [
        (None, None),
        (0xFFFFFFFF, None),  # what a program leaves that wrote to a pipe
        (0, "the header says that nothing is in it"),
        (88_201, "the header promises 44,101 samples, 44,100 are there"),  # one byte, lost anywhere, is told
        (88_202, "the header promises 44,101 samples, 44,100 are there"),
        (0x7FFFFFFF, "the header promises 48,695.77 s, 2.00 s are there"),
        (176_400, "the header promises 4.00 s, 2.00 s are there"),
        (44_100, "44,100 bytes behind the samples are not in the header and were not read"),
    ],
)
def test_the_length_a_wav_claims_is_compared_and_never_believed(tmp_path, phrase, claim, notice):
    path = tmp_path / "a.wav"
    path.write_bytes(pcm_wav(phrase, claim))
    recording = read_recording(path)
    used = 22_050 if claim == 44_100 else 44_100
    assert np.allclose(recording.samples, phrase[:used], atol=1e-4)
    assert len(recording.samples) == used
    assert recording.notices == ((notice,) if notice else ())
    assert notice is None or notice in recording.history


@pytest.mark.parametrize(
    ("container", "subtype"),
    [("AIFF", "PCM_16"), ("AU", "PCM_24"), ("CAF", "FLOAT"), ("W64", "PCM_16"), ("NIST", "PCM_16"), ("VOC", "PCM_16"),
     ("SVX", "PCM_16"), ("PAF", "PCM_16"), ("PVF", "PCM_16"), ("IRCAM", "PCM_16"), ("AVR", "PCM_16"), ("RF64", "PCM_16"),
     ("CAF", "ALAC_16")],
)  # fmt: skip
def test_every_container_of_plain_samples_is_read(tmp_path, phrase, container, subtype):
    soundfile.write(tmp_path / "a", phrase, SAMPLE_RATE, format=container, subtype=subtype)
    recording = read_recording(tmp_path / "a")
    assert np.allclose(recording.samples, phrase, atol=1e-4)
    assert len(recording.samples) == len(phrase)
    assert recording.notices == ()


def test_big_endian_wav_is_read(tmp_path, phrase):
    (tmp_path / "a.wav").write_bytes(pcm_wav(phrase, order=">"))
    assert np.allclose(read_recording(tmp_path / "a.wav").samples, phrase, atol=1e-4)


@pytest.mark.parametrize("container", ["WAV", "AIFF", "AU", "CAF", "W64", "FLAC", "RF64"])
def test_of_a_cut_file_of_plain_samples_what_is_there_is_used_and_said(tmp_path, phrase, container):
    buffer = io.BytesIO()
    soundfile.write(buffer, phrase, SAMPLE_RATE, format=container, subtype="PCM_16")
    (tmp_path / "cut").write_bytes(buffer.getvalue()[: int(0.6 * len(buffer.getvalue()))])
    recording = read_recording(tmp_path / "cut")
    assert 1.0 < recording.seconds < 1.25
    assert np.allclose(recording.samples, phrase[: len(recording.samples)], atol=1e-4)
    assert any("the header promises" in notice for notice in recording.notices), recording.notices


# ------------------------------------------------ what a file is


def test_a_files_name_says_nothing(tmp_path, phrase):
    disguised = tmp_path / "song.wav"
    disguised.write_bytes((FILES / "phone.m4a").read_bytes())
    assert read_recording(disguised).history.startswith("MP4, mono, 22.05 kHz, 2.00 s")


@pytest.mark.parametrize(
    "head", [b"#EXTM3U\n", b"ffconcat version 1.0\nfile /etc/passwd\n", b"<MPD>", b"v=0\r\n", b"MThd\0\0\0\6"]
)
def test_what_names_other_files_is_never_opened(tmp_path, head):
    (tmp_path / "a.mp3").write_bytes(head + bytes(200))
    assert container_of(tmp_path / "a.mp3") is None


def test_names_that_are_no_text_can_be_opened(tmp_path):
    name = tmp_path / "\udcff.flac"  # how Python writes the byte 0xFF in a name
    name.write_bytes((FILES / "phrase.flac").read_bytes())
    with open_audio(name) as stream:
        assert sum(map(len, stream.blocks())) == 44_100


def test_files_are_closed_once_and_all_of_them(tmp_path):
    """Also those that libsndfile refuses: another file may have the number by then."""
    (tmp_path / "bad.wav").write_bytes(b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x22\x56\0\0\x44\xac\0\0\2\0\x10\0")
    soundfile.write(tmp_path / "good.wav", harmonic_tone(0.5), 22_050)
    read_recording(tmp_path / "good.wav")
    before = sorted(os.listdir("/proc/self/fd"))
    for name in ("bad.wav", "good.wav"):
        for _ in range(3):
            with contextlib.suppress(AudioError):
                read_recording(tmp_path / name)
    assert sorted(os.listdir("/proc/self/fd")) == before
