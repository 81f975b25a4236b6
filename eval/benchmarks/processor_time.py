"""Processor time of processes, where the system tells (Linux)."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def processor_seconds(process: int) -> float | None:
    """User and system time of a process, of all that descend from it, and of those of them that have ended and were waited for;
    None where the system does not tell."""
    children: dict[int, list[int]] = {}
    spent: dict[int, float] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            fields = (
                path.read_text(errors="replace").rpartition(")")[2].split()
            )  # behind the name, which may hold anything
            number = int(path.parent.name)
            children.setdefault(int(fields[1]), []).append(number)
            spent[number] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    if process not in spent:
        return None
    family = [process]
    for member in family:  # grows on the way
        family += children.get(member, [])
    return sum(spent[member] for member in family)
