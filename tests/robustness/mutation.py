"""Mutations of a file: by an attacker, a bad cable or a half-finished download."""

from __future__ import annotations

import numpy as np

LENGTHS = (0, 1, 2, 3, 7, 127, 128, 255, 32767, 32768, 65535, 2**24, 2**31 - 1, 2**31, 2**32 - 8, 2**32 - 1)
HEAD_BYTES = 256  # bytes at the start, which hold most of what can lie


def mutated(content: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    """One to three changes of one to many bytes. others: files to splice with."""
    for _ in range(rng.integers(1, 4)):
        if not content:
            return content
        content = _CHANGES[rng.integers(len(_CHANGES))](content, others, rng)
    return content


def _place(content: bytes, rng: np.random.Generator) -> int:
    """Every other time in the head."""
    return int(rng.integers(min(len(content), HEAD_BYTES) if rng.random() < 0.5 else len(content)))


def _flip(content: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    out = bytearray(content)
    for _ in range(rng.integers(1, 33)):
        out[_place(content, rng)] ^= 1 << int(rng.integers(8))
    return bytes(out)


def _overwrite(content: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    at, noise = _place(content, rng), rng.bytes(int(rng.integers(1, 64)))
    return content[:at] + noise + content[at + len(noise) :]


def _lie(content: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    """A number nobody expects, in either byte order, where a length, rate or count may be."""
    at, size = _place(content, rng), int(rng.choice([1, 2, 4, 8]))
    value = int(rng.choice(LENGTHS)) % 256**size
    return content[:at] + value.to_bytes(size, str(rng.choice(["little", "big"]))) + content[at + size :]


def _cut(content: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(len(content)))]


def _drop(content: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    at = _place(content, rng)
    return content[:at] + content[at + int(rng.integers(1, 400)) :]


def _repeat(content: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    """The same chunk, page or frame again."""
    at, size = _place(content, rng), int(rng.integers(1, 2000))
    return content[: at + size] + content[at : at + size] * int(rng.integers(1, 5)) + content[at + size :]


def _splice(content: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    other = others[rng.integers(len(others))]
    return content[: _place(content, rng)] + other[_place(other, rng) :]


_CHANGES = (_flip, _flip, _overwrite, _lie, _lie, _cut, _drop, _repeat, _splice)
