"""What is stored of keys and tokens, and the trace that a deleted rater leaves."""

from __future__ import annotations

import hashlib


def hash_of(secret: str) -> str:
    """SHA-256, hexadecimal, of a key, a token or a rater's id, which are 96 random bits or more: nobody finds them from the hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
