"""Balanced incomplete blocks: sets of three to five of many systems, in which every system comes equally often, and every two of them
together equally often (Bose 1939; Colbourn & Dinitz 2007)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

_LAST = None  # the point that the shifts of a base block leave where it is

# {systems: (modulus, base blocks and how many shifts of each are different)}
_CYCLIC: dict[int, tuple[int, tuple[tuple[tuple[int | None, ...], int], ...]]] = {
    6: (5, (((_LAST, 0, 1), 5), ((0, 2, 3), 5))),
    7: (7, (((0, 3, 5, 6), 7),)),
    8: (7, (((_LAST, 1, 2, 4), 7), ((0, 3, 5, 6), 7))),
    9: (8, (((_LAST, 0, 4), 4), ((0, 1, 3), 8))),
    10: (9, (((_LAST, 0, 1, 2, 4), 9), ((0, 1, 3, 5, 6), 9))),
    11: (11, (((1, 3, 4, 5, 9), 11),)),
    12: (11, (((_LAST, 0, 1, 2), 11), ((0, 1, 4, 7), 11), ((0, 2, 5, 7), 11))),
}
MIN_SYSTEMS, MAX_SYSTEMS = 3, max(_CYCLIC)


def balanced_sets(systems: Sequence[str]) -> list[tuple[str, ...]]:
    """All sets, in each the systems in their order. Fewer than three systems give none.

    Errors: ValueError for more than `MAX_SYSTEMS`.
    """
    count = len(systems)
    if count < MIN_SYSTEMS:
        return []
    if count > MAX_SYSTEMS:
        raise ValueError(f"sets of {count} systems are not balanced here; at most {MAX_SYSTEMS}")
    if count not in _CYCLIC:
        return [tuple(chosen) for chosen in combinations(systems, min(count, 4))]
    modulus, bases = _CYCLIC[count]
    places = [
        sorted(count - 1 if point is _LAST else (point + shift) % modulus for point in base)
        for base, shifts in bases
        for shift in range(shifts)
    ]
    return [tuple(systems[place] for place in chosen) for chosen in places]
