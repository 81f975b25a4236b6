"""Known signals through every codec and container, cut and damaged: `encoded_case(number)` is the same file every time.

They are written by FFmpeg's own command, which is another build than the library that reads them.
"""

from __future__ import annotations

import functools
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import soundfile

from common.paths import ROOT
from tests.conftest import harmonic_tone
from vocoders.audio import SAMPLE_RATE
from vocoders.recordings.passage import Passage
from vocoders.recordings.reader import read_recording

ENCODINGS = {  # file name: options of FFmpeg
    "cbr.mp3": ("-c:a", "libmp3lame", "-b:a", "96k"),
    "vbr.mp3": ("-c:a", "libmp3lame", "-q:a", "3", "-ar", "44100"),
    "no-xing.mp3": ("-c:a", "libmp3lame", "-q:a", "2", "-write_xing", "0"),
    "layer2.mp2": ("-c:a", "mp2", "-b:a", "128k", "-ar", "44100"),
    "aac.m4a": ("-c:a", "aac", "-b:a", "96k"),
    "fast-start.m4a": ("-c:a", "aac", "-b:a", "96k", "-ar", "44100", "-movflags", "+faststart"),
    "fragmented.mp4": ("-c:a", "aac", "-b:a", "96k", "-movflags", "+frag_keyframe+empty_moov", "-frag_duration", "300000"),
    "alac.m4a": ("-c:a", "alac"),
    "adts.aac": ("-c:a", "aac", "-b:a", "96k"),
    "opus.opus": ("-c:a", "libopus", "-b:a", "96k"),
    "opus.webm": ("-c:a", "libopus", "-b:a", "96k"),
    "live.webm": ("-c:a", "libopus", "-b:a", "96k", "-live", "1"),
    "vorbis.ogg": ("-c:a", "libvorbis", "-q:a", "6"),
    "vorbis.webm": ("-c:a", "libvorbis", "-q:a", "6"),
    "flac.flac": ("-c:a", "flac"),
    "flac.oga": ("-c:a", "flac"),
    "flac.mka": ("-c:a", "flac"),
    "wma.wma": ("-c:a", "wmav2", "-b:a", "128k"),
    "wavpack.wv": ("-c:a", "wavpack"),
    "tta.tta": ("-c:a", "tta"),
    "pcm.wav": ("-c:a", "pcm_s16le"),
    "pcm24.wav": ("-c:a", "pcm_s24le", "-ar", "48000"),
    "float.wav": ("-c:a", "pcm_f32le"),
    "rf64.wav": ("-rf64", "always"),
    "aiff.aiff": (),
    "caf.caf": (),
    "w64.w64": (),
    "au.au": (),
}  # fmt: skip
# In their headers no byte is said twice or checked: with another rate it is another recording. Or they have only frames
UNCHECKED = {"aiff.aiff", "au.au", "caf.caf", "layer2.mp2", "adts.aac"}
HEADER_BYTES = 120  # bytes at the beginning, in which a part of the cases is damaged
# Where sound without a checksum begins earlier, or the tag of an MP3, in whose place a damaged one is silence
SHORTER_HEADERS = {
    "aac.m4a": 40,
    "alac.m4a": 40,
    "cbr.mp3": 44,
    "vbr.mp3": 44,
    "no-xing.mp3": 44,
    "tta.tta": 22,
}
EXTREMES = (
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\0\0\1\0",
    b"\0\0\0",
    b"",
)  # the last two lack bytes


@dataclass(frozen=True)
class Case:
    """truth: (n,) at 22 050 Hz, what was encoded. kind: whole, cut or header."""

    name: str
    kind: str
    content: bytes
    truth: np.ndarray


def encoded_case(number: int) -> Case:
    """Every encoding once whole, then cut or damaged ones without end."""
    names = list(ENCODINGS)
    name = names[number % len(names)]
    rng = np.random.default_rng(number)
    truth, content = _encoded(name, int(rng.integers(4)))
    kind = "whole" if number < len(names) else ("cut", "header")[number // len(names) % 2]
    kind = "cut" if kind == "header" and name in UNCHECKED else kind
    if kind == "cut":
        content = content[: int(len(content) * rng.uniform(0.02, 0.995))]
    elif kind == "header":
        damaged = bytearray(content)
        at = int(rng.integers(4, SHORTER_HEADERS.get(name, HEADER_BYTES)))
        if rng.random() < 0.5:
            damaged[at : at + 4] = EXTREMES[rng.integers(len(EXTREMES))]
        else:
            damaged[at] ^= 1 << int(rng.integers(8))
        content = bytes(damaged)
    return Case(name, kind, content, truth)


@functools.cache
def _encoded(name: str, signal: int) -> tuple[np.ndarray, bytes]:
    truth = _signal(signal)
    return truth, encoded_file(name, truth)


def encoded_file(name: str, samples: np.ndarray) -> bytes:
    """samples: (n,) at 22 050 Hz; name: of `ENCODINGS`."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "source.wav"), Path(folder, name)
        soundfile.write(source, samples, SAMPLE_RATE, subtype="PCM_16")
        options = ("-i", source, *ENCODINGS[name], out)
        subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, options)], check=True)
        return out.read_bytes()


@functools.cache
def _signal(number: int) -> np.ndarray:
    """Two sung phrases and two tones, of which no part is like another. (n,) float32, as 16 bits hold it."""
    if number < 2:
        path = ROOT / "assets" / "examples" / f"sung_phrase_{('low', 'high')[number]}.flac"
        return _as_16_bits(read_recording(path, passage=Passage(1.0, 3.0)).samples)
    glide = [harmonic_tone(0.4, f0, seed=number) for f0 in np.random.default_rng(number).uniform(90, 400, 5)]
    return _as_16_bits(np.concatenate(glide))


def _as_16_bits(samples: np.ndarray) -> np.ndarray:
    """Without an offset, whose removal would be said."""
    return (np.rint((samples - samples.mean()) * 32767) / 32768).astype(np.float32)
