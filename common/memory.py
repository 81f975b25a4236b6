"""Resident memory, now and at its peak, where the system tells (Linux), and how to hold less of it (glibc)."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_MAX_FREE_BYTES = 256 << 20  # at the end of the heap
_MAX_HEAP_BLOCK_BYTES = 32 << 20  # as much as glibc allows


def peak_memory(process: int | str = "self") -> int | None:
    """Bytes a process has held at most, everything it has loaded included; None where the system does not tell."""
    return _status(process, "VmHWM")


def memory(process: int | str = "self") -> int | None:
    """Bytes a process holds now, likewise."""
    return _status(process, "VmRSS")


def _status(process: int | str, name: str) -> int | None:
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])
    return None


def reuse_freed_memory() -> None:
    """Call early: what is freed serves what comes next, by mallopt(3). Nothing happens where there is no glibc.

    Threads share two places to get memory from, instead of one each. And it stays with the process (up to a bound; `give_back`
    returns it): otherwise the system hands every larger array out anew, page by page set to 0, which takes a fifth of the time
    of a network whose layers are done one by one.
    """
    with contextlib.suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_ARENA_MAX, 2)
        libc.mallopt(_M_MMAP_THRESHOLD, _MAX_HEAP_BLOCK_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, _MAX_FREE_BYTES)


def give_back() -> None:
    """Memory that is free inside the process goes back to the system: malloc_trim(3)."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def with_peak_memory(work: Callable[[], T]) -> tuple[T, int | None]:
    """The result of `work`, and the most bytes that this process held meanwhile; None where the mark cannot be set back."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # proc(5): the high-water mark becomes what is held now
    except OSError:
        return work(), None
    return work(), peak_memory()
