"""Headers of MPEG audio frames, layers I to III: what tells a whole frame from a cut one, and a promised length from a guess.

Sources: ISO/IEC 11172-3 and 13818-3; for the tags in the first frame, the Xing and VBRI headers as their makers describe them.
"""

from __future__ import annotations

from dataclasses import dataclass

_KBITS = {  # (MPEG-1, layer): by bit-rate index 1 to 14
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}  # by version bits
_TAG_REACH_BYTES = 200  # from the start of a frame within which a Xing, Info or VBRI tag begins


@dataclass(frozen=True)
class FrameHeader:
    """length: bytes of the whole frame, 0 where its header does not say (free format).

    reaches_back: whether its data begin in frames before it, which the first frame of a whole stream cannot.
    """

    layer: int
    length: int
    reaches_back: bool


def frame_header(data: bytes) -> FrameHeader | None:
    """The header that `data` begins with; None where it is none."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return None
    version, layer = data[1] >> 3 & 3, 4 - (data[1] >> 1 & 3)
    kbits_index, rate_index, padding = data[2] >> 4, data[2] >> 2 & 3, data[2] >> 1 & 1
    if version == 1 or layer == 4 or kbits_index == 15 or rate_index == 3:
        return None
    first_generation, rate = version == 3, _RATES[version][rate_index]
    bits = 1000 * _KBITS[first_generation, layer][kbits_index - 1] if kbits_index else 0
    if layer == 1:
        length = 4 * (12 * bits // rate + padding)
    else:
        length = (72 if layer == 3 and not first_generation else 144) * bits // rate + padding
    behind = 4 if data[1] & 1 else 6  # a checksum of two bytes may follow the header
    side = data[behind : behind + 2].ljust(2, b"\0")
    back = (side[0] << 1 | side[1] >> 7) if first_generation else side[0]
    return FrameHeader(layer, length if bits else 0, layer == 3 and back > 0)


def promises_length(frame: bytes) -> bool:
    """Whether the first frame carries a tag that counts the frames behind it."""
    for tag in (b"Xing", b"Info"):
        at = frame.find(tag, 0, _TAG_REACH_BYTES)
        if at >= 0:
            return bool(frame[at + 7 : at + 8] and frame[at + 7] & 1 and any(frame[at + 8 : at + 12]))
    at = frame.find(b"VBRI", 0, _TAG_REACH_BYTES)
    return at >= 0 and any(frame[at + 14 : at + 18])
