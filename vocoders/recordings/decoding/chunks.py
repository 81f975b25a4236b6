"""How many bytes of samples a header promises, and how many the file has: libsndfile plays what is left of a cut file without a word."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

MAX_CHUNKS = 4096  # looked at in search of the samples; real files have a dozen
_UNKNOWN = {4: 0xFFFFFFFF, 8: 0xFFFFFFFFFFFFFFFF}  # what a writer that could not go back leaves, by bytes of the length


@dataclass(frozen=True)
class SampleBytes:
    """promised: by the header, None where it leaves the length open. present: from there to the end of the promise or of
    the file. unclaimed: bytes behind the samples that belong to no chunk."""

    promised: int | None
    present: int
    unclaimed: int = 0
    contradicts_itself: bool = False  # a wav's rate, channels and bits, which its header says twice

    @property
    def missing(self) -> int:
        """Bytes that are promised and not there."""
        return max(0, (self.promised or 0) - self.present)


@dataclass(frozen=True)
class _Layout:
    """Of a file of chunks: where the first one is, what the one with the samples is called, bytes of a name and of a length,
    whether the length counts name and length too, and to how many bytes a chunk is padded."""

    start: int
    samples: bytes
    name: int
    length: int
    order: Literal["little", "big"]
    inclusive: bool = False
    align: int = 2


_LAYOUTS = {
    "WAV": _Layout(12, b"data", 4, 4, "little"),
    "WAV, big-endian": _Layout(12, b"data", 4, 4, "big"),
    "RF64": _Layout(12, b"data", 4, 4, "little"),
    "BW64": _Layout(12, b"data", 4, 4, "little"),
    "AIFF": _Layout(12, b"SSND", 4, 4, "big"),
    "SVX": _Layout(12, b"BODY", 4, 4, "big"),
    "CAF": _Layout(8, b"data", 4, 8, "big", align=1),
    "W64": _Layout(40, b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a", 16, 8, "little", True, align=8),
}


def sample_bytes(path: Path, container: str) -> SampleBytes | None:
    """None where the container is not one of chunks, or has none with samples among its first `MAX_CHUNKS`."""
    layout, size = _LAYOUTS.get(container), path.stat().st_size
    with path.open("rb") as file:
        if container == "AU":
            return _of_au(file, size)
        if layout is None:
            return None
        return _of_chunks(file, size, layout)


def _of_chunks(file: BinaryIO, size: int, layout: _Layout) -> SampleBytes | None:
    position, wide, contradiction = layout.start, None, False
    for _ in range(MAX_CHUNKS):
        if position + layout.name + layout.length > size:
            return None
        file.seek(position)
        name, length = file.read(layout.name), int.from_bytes(file.read(layout.length), layout.order)
        begin = file.tell()
        if name == b"ds64":  # of RF64: the lengths that do not fit into four bytes
            file.seek(begin + 8)
            wide = int.from_bytes(file.read(8), "little")
        if name[:4] == b"fmt ":
            contradiction = _contradiction(file, begin, layout.order)
        unknown = length == _UNKNOWN[layout.length]
        if name == layout.samples and unknown:
            unknown, length = wide is None, wide or 0
        content = max(0, length - (begin - position) if layout.inclusive else length)
        end = begin + content
        if name == layout.samples:
            if unknown or not content:  # whatever is behind the header, if anything
                return SampleBytes(None if unknown else 0, size - begin, 0, contradiction)
            return SampleBytes(content, min(end, size) - begin, _unclaimed(file, end, size), contradiction)
        position = end + -end % layout.align
    return None


def _contradiction(file: BinaryIO, begin: int, order: Literal["little", "big"]) -> bool:
    """Whether bytes per second and per frame are not what rate, channels and bits come to. Only plain samples have that rule."""
    file.seek(begin)
    kind, channels, rate, per_second, per_frame, bits = struct.unpack(
        f"{'<' if order == 'little' else '>'}HHIIHH", file.read(16).ljust(16, b"\0")
    )
    return kind in (1, 3, 0xFFFE) and (per_frame != channels * -(-bits // 8) or per_second != rate * per_frame)


def _of_au(file: BinaryIO, size: int) -> SampleBytes:
    head = file.read(12)
    order: Literal["little", "big"] = "big" if head[:4] == b".snd" else "little"
    begin, promised = (int.from_bytes(head[at : at + 4], order) for at in (4, 8))
    return SampleBytes(None if promised == _UNKNOWN[4] else promised, min(promised, max(0, size - begin)))


def _unclaimed(file: BinaryIO, end: int, size: int) -> int:
    """Bytes from `end` on, where what stands there is no chunk: a recorder that stopped before it wrote its length leaves such."""
    file.seek(min(end + end % 2, size))
    name = file.read(4)
    looks_like_a_chunk = all(32 <= byte < 127 for byte in name)
    return 0 if looks_like_a_chunk or not any(name) else size - end
