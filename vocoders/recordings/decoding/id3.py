"""ID3v2 tags, which stand before the audio and may hold a picture of any size."""

from __future__ import annotations

from typing import BinaryIO

MAX_TAGS = 8  # in a row


def skip_tags(file: BinaryIO) -> None:
    """Move `file`, which stands at its beginning, behind its tags."""
    for _ in range(MAX_TAGS):
        start = file.tell()
        head = file.read(10)
        if head[:3] != b"ID3" or len(head) < 10:
            file.seek(start)
            return
        size = 0
        for byte in head[6:10]:
            size = size << 7 | byte & 127
        file.seek(start + 10 + size + (10 if head[5] & 0x10 else 0))  # the flag says that a footer follows
