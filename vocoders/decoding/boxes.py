"""Whether an MP4 file ends where its last box ends: one that was recorded in fragments has no length that could be compared.

Source: ISO/IEC 14496-12, 4.2.
"""

from __future__ import annotations

from pathlib import Path

MAX_BOXES = 100_000  # looked at, on the outermost level


def ends_inside_a_box(path: Path) -> bool:
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
