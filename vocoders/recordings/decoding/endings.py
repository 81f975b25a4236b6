"""Whether a file ends before it should, by the sizes in it: what has no length in seconds, or one that its reader corrects, is
found to be cut only so.

Sources: ISO/IEC 14496-12, 4.2 (the boxes of MP4); Advanced Systems Format, 3.2 (the file properties of WMA).
"""

from __future__ import annotations

from pathlib import Path

MAX_BOXES = 100_000  # looked at, on the outermost level
_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_HEADER_REACH_BYTES = 65_536  # at the beginning, among which the file properties stand


def ends_early(path: Path, demuxer: str | None) -> bool:
    """False also for containers that are judged otherwise. demuxer: FFmpeg's name for the container."""
    if demuxer == "mov":
        return _inside_a_box(path)
    return demuxer == "asf" and _before_its_size(path)


def _inside_a_box(path: Path) -> bool:
    size, position = path.stat().st_size, 0
    with path.open("rb") as file:
        for _ in range(MAX_BOXES):
            if position == size:
                return False
            file.seek(position)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 0:  # to the end of the file
                return False
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            if length < 8 or position + length > size:
                return True
            position += length
    return False


def _before_its_size(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(_HEADER_REACH_BYTES)
    at = head.find(_FILE_PROPERTIES) + 40  # behind the name of the object, its length, and the file's own name
    return at >= 40 and int.from_bytes(head[at : at + 8], "little") > path.stat().st_size
