"""Bounded plain values of whatever JSON a page sends, as both databases can store them."""

from __future__ import annotations

import sys
from collections.abc import Mapping

MAX_ENTRIES, MAX_NAME_CHARS, MAX_TEXT_CHARS = 20, 40, 200
_PLAIN = (bool, int, float, str)


def plain_mapping(data: Mapping[str, object]) -> dict[str, bool | int | float | str | None]:
    """The plain values among the first MAX_ENTRIES, with names and texts cut to their bounds."""
    plain = {
        text(name)[:MAX_NAME_CHARS]: value
        for name, value in list(data.items())[:MAX_ENTRIES]
        if isinstance(value, _PLAIN)
    }
    return {
        name: text(value)[:MAX_TEXT_CHARS] if isinstance(value, str) else _number(value)
        for name, value in plain.items()
    }


def text(value: object) -> str:
    """Without zero characters, which PostgreSQL does not store."""
    return str(value).replace("\0", "")


def _number(value: float) -> float | None:
    """None for NaN, infinities, and whole numbers beyond the range of a float: JSON or a database cannot store them."""
    return value if abs(value) <= sys.float_info.max else None
