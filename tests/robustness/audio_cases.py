"""Audio files as they should not be: `audio_case(number)` is the same file every time."""

from __future__ import annotations

import functools
import io
import itertools
import struct
from collections.abc import Iterator

import numpy as np
import soundfile

from tests.robustness.encoded_cases import encoded_file
from tests.robustness.mutation import mutated

FORMATS = {  # name: how soundfile writes it, rate in Hz, channels
    "pcm16": ({"format": "WAV", "subtype": "PCM_16"}, 22_050, 1),
    "pcm24": ({"format": "WAV", "subtype": "PCM_24"}, 44_100, 2),
    "float": ({"format": "WAV", "subtype": "FLOAT"}, 22_050, 1),
    "wavex": ({"format": "WAVEX", "subtype": "PCM_16"}, 48_000, 2),
    "rf64": ({"format": "RF64", "subtype": "PCM_16"}, 22_050, 1),
    "flac": ({"format": "FLAC", "subtype": "PCM_16"}, 22_050, 2),
    "vorbis": ({"format": "OGG", "subtype": "VORBIS"}, 22_050, 1),
    "opus": ({"format": "OGG", "subtype": "OPUS"}, 48_000, 1),
    "mp3": ({"format": "MP3"}, 44_100, 2),
    "aiff": ({"format": "AIFF", "subtype": "PCM_16"}, 22_050, 2),
    "caf": ({"format": "CAF", "subtype": "ALAC_16"}, 44_100, 1),
    "au": ({"format": "AU", "subtype": "PCM_24"}, 22_050, 1),
    "w64": ({"format": "W64", "subtype": "PCM_16"}, 22_050, 1),
    "nist": ({"format": "NIST", "subtype": "PCM_16"}, 16_000, 1),
}
COMPRESSED = (
    "aac.m4a",
    "fragmented.mp4",
    "alac.m4a",
    "adts.aac",
    "opus.webm",
    "vorbis.webm",
    "flac.oga",
    "wma.wma",
    "wavpack.wv",
    "tta.tta",
    "layer2.mp2",
)
KINDS = (*FORMATS, *COMPRESSED)
SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".opus", ".m4a", ".txt", ".py", "")
RATES = (0, 1, 7_999, 8_000, 192_000, 192_001, 655_350, 2**31 - 1, 2**32 - 1)
CHANNELS = (0, 1, 2, 8, 9, 255, 1024, 65_535)


def audio_case(number: int) -> tuple[str, bytes]:
    """(file name, content): the bombs first, then mutants without end."""
    names = list(bombs())
    if number < len(names):
        return f"{number}{SUFFIXES[number % 4]}", bombs()[names[number]]()
    rng = np.random.default_rng(number)
    name = KINDS[number % len(KINDS)]
    content = mutated(_file(name), [_file(other) for other in KINDS], rng)
    if content[:4] == b"OggS" and rng.random() < 0.7:
        content = with_right_checksums(content)  # else nearly every mutant ends at the container and tries no codec
    return f"{name}-{number}{rng.choice(SUFFIXES)}", content


@functools.cache
def _file(name: str) -> bytes:
    if name in COMPRESSED:
        return encoded_file(name, _signal(0.4, 22_050, 1)[:, 0])
    options, rate, channels = FORMATS[name]
    return encoded(_signal(0.4, rate, channels), rate, **options)


def _signal(seconds: float, rate: int, channels: int) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    voice = 0.3 * np.sin(2 * np.pi * 220 * time) + np.random.default_rng(0).normal(0, 0.02, len(time))
    return np.repeat(voice[:, None], channels, axis=1).astype(np.float32)


def encoded(samples: np.ndarray, rate: int, **options) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, **options)
    return buffer.getvalue()


# ------------------------------------------------ bombs


@functools.cache
def bombs() -> dict:
    """{name: makes the file}: headers that claim what cannot be, and files that are small and expand."""
    found = {name: (lambda make=make: make) for name, make in _small_bombs()}
    return found | {
        "flac: ten hours of silence": lambda: _long(36_000, 8_000, 1, "FLAC"),
        "flac: ten hours, header says unknown": lambda: flac_header(_long(36_000, 8_000, 1, "FLAC"), samples=0),
        "flac: ten hours, header says one second": lambda: flac_header(_long(36_000, 8_000, 1, "FLAC"), samples=8_000),
        "flac: as much as is allowed": lambda: _long(60, 192_000, 8, "FLAC"),
        "ogg: an hour of silence": lambda: _long(3_600, 8_000, 1, "OGG"),
        "mp3: 90 MB of silence at 8 kbit/s": lambda: _long_mp3(90_000_000),
        "wav: 99 MB": lambda: encoded(np.zeros(12_300_000), 192_000, format="WAV", subtype="DOUBLE"),
    }


def _small_bombs() -> Iterator[tuple[str, bytes]]:
    for rate, channels, bits in itertools.product(RATES, CHANNELS, (0, 1, 8, 16, 24, 32, 64, 65_535)):
        yield f"wav: {rate} Hz, {channels} channels, {bits} bits", wav(rate, channels, bits)
    for tag, length in itertools.product(
        (0, 1, 2, 3, 6, 7, 0x11, 0x31, 0x55, 0xFFFE, 0xFFFF), (0, 1, 2**31, 2**32 - 1)
    ):
        yield f"wav: format {tag}, {length} bytes of data", wav(22_050, 1, 16, tag=tag, length=length)
    for value in (np.nan, np.inf, -np.inf, 3e38, 1e-40):
        samples = np.full(8000, value, np.float32)
        yield f"wav: floats of {value}", encoded(samples, 8000, format="WAV", subtype="FLOAT")
    data = wav(22_050, 1, 16)[12:]
    for count in (2, 50, 5_000):
        yield (
            f"wav: {count} times every chunk",
            b"RIFF" + struct.pack("<I", len(data) * count + 4) + b"WAVE" + data * count,
        )
        nested = b"WAVE" + data
        for _ in range(count):
            nested = b"RIFF" + struct.pack("<I", len(nested)) + nested[:200_000]
        yield f"wav: {count} files in each other", nested
        empty = b"junk" + bytes(4)
        yield f"wav: {count * 100} empty chunks", b"RIFF\xff\xff\xff\xffWAVE" + empty * count * 100
    for rate, samples, block in itertools.product(
        (0, 1, 8_000, 655_350, 2**20 - 1), (0, 1, 2**36 - 1), (0, 16, 65_535)
    ):
        yield f"flac: {rate} Hz, {samples} samples", flac_header(_file("flac"), rate, samples, block)
    for kind, length in itertools.product(range(1, 127, 7), (0, 1, 2**24 - 1)):
        block = bytes([kind]) + length.to_bytes(3, "big")
        yield f"flac: block {kind} of {length} bytes", _file("flac")[:42] + block + _file("flac")[42:]
    for name, rate, channels in itertools.product(("vorbis", "opus"), RATES, CHANNELS):
        yield f"{name}: {rate} Hz, {channels} channels", _ogg_header(name, rate, channels)
    for name, granule in itertools.product(("vorbis", "opus"), (0, 1, 2**31, 2**63 - 1, 2**64 - 1)):
        yield f"{name}: ends at {granule}", _ogg_end(_file(name), granule)
    for size in (0, 10, 2**21, 2**28 - 1):
        packed = bytes(size >> shift & 127 for shift in (21, 14, 7, 0))
        yield f"mp3: a tag of {size} bytes", b"ID3\x04\x00\x00" + packed + _file("mp3")
    for head in (b"RIFF", b"RF64", b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"RIFF0000WAVE", b"FORM0000AIFF", b"MThd"):
        for tail in (b"", bytes(4000), b"\xff" * 4000, np.random.default_rng(1).bytes(4000), head * 1000):
            yield f"{head!r} and {len(tail)} bytes", head + tail
    yield "nothing", b""
    yield "a program", b"#!/bin/sh\nrm -rf /\n"


def wav(rate: int, channels: int, bits: int, tag: int = 1, length: int | None = None) -> bytes:
    sound = (_signal(0.3, 22_050, 1)[:, 0] * 32767).astype("<i2").tobytes()
    align = channels * bits // 8 % 65_536
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * align % 2**32, align, bits)
    data = struct.pack("<I", len(sound) if length is None else length) + sound
    chunks = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + data
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def flac_header(content: bytes, rate: int | None = None, samples: int | None = None, block: int | None = None) -> bytes:
    """STREAMINFO with other numbers: 16 bits twice, then at byte 18 rate (20 bits), channels and depth (8), samples (36)."""
    packed = int.from_bytes(content[18:26], "big")
    if rate is not None:
        packed = packed & (1 << 44) - 1 | rate << 44
    if samples is not None:
        packed = packed >> 36 << 36 | samples
    blocks = content[8:12] if block is None else struct.pack(">HH", block, block)
    return content[:8] + blocks + content[12:18] + packed.to_bytes(8, "big") + content[26:]


@functools.cache
def _long(seconds: int, rate: int, channels: int, container: str) -> bytes:
    """Small, because little changes in it; loud enough not to be refused as silence."""
    square = np.where(np.arange(rate) * 100 // rate % 2, 0.25, -0.25).astype(np.float32)
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", rate, channels, format=container) as file:
        for _ in range(seconds):
            file.write(np.repeat(square[:, None], channels, axis=1))
    return buffer.getvalue()


def _long_mp3(size: int) -> bytes:
    """Frames of MPEG 2.5 layer III at 8 kbit/s and 8 kHz, 72 bytes for 72 ms, without the end."""
    frame = b"\xff\xe3\x18\xc4" + bytes(68)
    return frame * (size // len(frame))


def _ogg_header(name: str, rate: int, channels: int) -> bytes:
    content = bytearray(_file(name))
    start = content.index(b"OpusHead" if name == "opus" else b"\x01vorbis")
    content[start + (9 if name == "opus" else 11)] = channels % 256
    content[start + 12 : start + 16] = struct.pack("<I", rate)
    return with_right_checksums(bytes(content))


def _ogg_end(content: bytes, granule: int) -> bytes:
    at = content.rindex(b"OggS")
    return with_right_checksums(content[: at + 6] + struct.pack("<Q", granule) + content[at + 14 :])


# ------------------------------------------------ Ogg's checksum


def with_right_checksums(content: bytes) -> bytes:
    """Every page's CRC recomputed, as far as there are pages."""
    out, at = bytearray(content), 0
    while (at := content.find(b"OggS", at)) >= 0 and at + 27 <= len(content):
        segments = content[at + 26]
        stop = at + 27 + segments + sum(content[at + 27 : at + 27 + segments])
        page = content[at : at + 22] + bytes(4) + content[at + 26 : stop]
        out[at + 22 : at + 26] = struct.pack("<I", _crc(page))
        at += 27
    return bytes(out[: len(content)])


@functools.cache
def _crc_table() -> list[int]:
    table = []
    for value in range(256):
        crc = value << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
        table.append(crc)
    return table


def _crc(page: bytes) -> int:
    crc, table = 0, _crc_table()
    for byte in page:
        crc = crc << 8 & 0xFFFFFFFF ^ table[crc >> 24 ^ byte]
    return crc
