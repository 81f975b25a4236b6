"""The pages of an Ogg file: whether their checksums hold, none is missing, and the last one says that it is the last.

Source: RFC 3533.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

MAX_DAMAGED_PAGES = 1000  # before the rest is not looked at
_HEADER_BYTES = 27  # before the table of segments
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class Pages:
    """missing: gaps in the numbers of a stream's pages. ended: every stream has its last page. chained: streams that begin
    where another has ended."""

    total: int
    damaged: int
    missing: int
    ended: bool
    chained: int


def pages_of(path: Path) -> Pages:
    """Lengths, damage and gaps of the pages of an Ogg file. Errors: `OSError`."""
    content = path.read_bytes()
    at = total = damaged = missing = chained = 0
    expected: dict[bytes, int] = {}
    open_streams: set[bytes] = set()
    while at + _HEADER_BYTES <= len(content) and damaged < MAX_DAMAGED_PAGES:
        end = _end_of_page(content, at)
        if end is None:
            found = content.find(b"OggS", at + 1)
            if found < 0:
                break
            at, damaged = found, damaged + 1
            continue
        flags, serial = content[at + 5], content[at + 14 : at + 18]
        number = int.from_bytes(content[at + 18 : at + 22], "little")
        total += 1
        damaged += page_checksum(content[at:end]) != int.from_bytes(content[at + 22 : at + 26], "little")
        if flags & 2:
            chained += bool(expected) and not open_streams
            open_streams.add(serial)
        elif serial in expected:
            missing += max(0, number - expected[serial])
        expected[serial] = number + 1
        if flags & 4:
            open_streams.discard(serial)
        at = end
    return Pages(total, damaged, missing, not open_streams and at == len(content), chained)


def _end_of_page(content: bytes, at: int) -> int | None:
    """Where the page that begins at `at` ends; None when there is none, or not all of it."""
    if content[at : at + 4] != b"OggS":
        return None
    segments = content[at + 26]
    end = at + _HEADER_BYTES + segments + sum(content[at + _HEADER_BYTES : at + _HEADER_BYTES + segments])
    return end if at + _HEADER_BYTES + segments <= len(content) and end <= len(content) else None


def page_checksum(page: bytes) -> int:
    """The CRC-32 of Ogg, polynomial 0x04C11DB7 with the highest bit first, over a page with the checksum's place zeroed.

    zlib has the same polynomial with the lowest bit first; reversing the bits of every byte, and of the result, turns one
    into the other.
    """
    blank = page[:22] + bytes(4) + page[26:]
    found = zlib.crc32(blank.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{found:032b}"[::-1], 2)
