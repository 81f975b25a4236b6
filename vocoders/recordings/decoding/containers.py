"""The kind of a file by its first bytes. Its name says nothing.

FFmpeg is told the format and never guesses: among those it could guess are playlists that name other files and addresses.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vocoders.recordings.decoding.id3 import skip_tags
from vocoders.recordings.decoding.mpeg_audio import frame_header

READABLE = "WAV, FLAC, MP3, M4A, AAC, OGG, Opus, WebM, WMA, AIFF, CAF, AU or W64"


@dataclass(frozen=True)
class Container:
    """name: for people. demuxer: FFmpeg's name for it, None where it is not asked. lossless: libsndfile is asked first."""

    name: str
    demuxer: str | None
    lossless: bool = False


def _pcm(name: str, demuxer: str | None = None) -> Container:
    return Container(name, demuxer, lossless=True)


_BY_FIRST_BYTES = (
    (b"fLaC", Container("FLAC", "flac")),
    (b"OggS", Container("OGG", "ogg")),
    (b"\x1a\x45\xdf\xa3", Container("WebM", "matroska")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Container("WMA", "asf")),
    (b"wvpk", Container("WavPack", "wv")),
    (b"TTA1", Container("TTA", "tta")),
    (b"#!AMR", Container("AMR", "amr")),
    (b"caff", _pcm("CAF", "caf")),
    (b"riff\x2e\x91\xcf\x11", _pcm("W64")),
    (b".snd", _pcm("AU")),
    (b"dns.", _pcm("AU")),
    (b"NIST_1A", _pcm("NIST SPHERE")),
    (b"Creative Voice File", _pcm("VOC")),
    (b"PVF1", _pcm("PVF")),
    (b" paf", _pcm("PAF")),
    (b"fap ", _pcm("PAF")),
    (b"2BIT", _pcm("AVR")),
    (b"\x64\xa3", _pcm("IRCAM")),
    (b"\x00\x00\xa3\x64", _pcm("IRCAM")),
)
_RIFF = {
    b"RIFF": _pcm("WAV", "wav"),
    b"RIFX": _pcm("WAV, big-endian"),
    b"RF64": _pcm("RF64"),
    b"BW64": _pcm("BW64"),
}
_FORM = {b"AIFF": _pcm("AIFF", "aiff"), b"AIFC": _pcm("AIFF", "aiff"), b"8SVX": _pcm("SVX"), b"16SV": _pcm("SVX")}
_MP4_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


def container_of(path: Path) -> Container | None:
    """None for what is no recording, or of no kind that can be read here."""
    with path.open("rb") as file:
        skip_tags(file)
        head = file.read(32)
    if head[:4] in _RIFF and head[8:12] == b"WAVE":
        return _RIFF[head[:4]]
    if head[:4] == b"FORM" and head[8:12] in _FORM:
        return _FORM[head[8:12]]
    if head[4:8] in _MP4_ATOMS:
        return Container("MP4", "mov")
    if head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xF6 == 0xF0:  # the layer bits that MPEG audio never has
        return Container("AAC", "aac")
    if frame := frame_header(head):
        return Container("MP3" if frame.layer == 3 else f"MPEG audio layer {'I' * frame.layer}", "mp3")
    return next((container for first, container in _BY_FIRST_BYTES if head.startswith(first)), None)
