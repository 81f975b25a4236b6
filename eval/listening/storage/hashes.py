"""The trace that a deleted rater leaves."""

from __future__ import annotations

import hashlib


def hash_of(rater: str) -> str:
    """SHA-256 of a rater's id, hexadecimal. The id is 96 random bits: nobody finds it from the hash."""
    return hashlib.sha256(rater.encode()).hexdigest()
