"""Orders that are balanced over raters: of conditions within a session or a trial, and of the two sides of a pair.

Order effects are balanced by Williams' Latin squares (Williams 1949): over the rows of one square every condition stands at
every place equally often, and follows every other one equally often.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def williams(n: int) -> np.ndarray:
    """(rows, n) of 0 to n - 1: n rows for an even n, 2 n for an odd one, which is balanced only with its mirror image."""
    first = [0]
    for step in range(1, n):
        first.append((first[-1] + (step if step % 2 else -step)) % n)
    square = (np.asarray(first) + np.arange(n)[:, None]) % n
    return square if n % 2 == 0 else np.concatenate([square, square[:, ::-1]])


def slot_order(conditions: Sequence[str], seed: int, row: int) -> tuple[str, ...]:
    """The conditions of one trial in the order of their slots: a row of a Williams square. seed: the study's."""
    square = williams(len(conditions))
    symbols = np.random.default_rng([seed, len(conditions)]).permutation(len(conditions))
    return tuple(conditions[symbols[place]] for place in square[row % len(square)])


def side_order(seed: int, row: int, item: int, unit: int) -> tuple[bool, int]:
    """Whether a pair is turned round, and which of the two X is: drawn anew for every four raters, among whom every question
    comes in all four forms once (in both sides among every two)."""
    swap, x = np.random.default_rng([seed, row // 4, item, unit]).integers(2, size=2)
    turn = ((0, 0), (1, 1), (0, 1), (1, 0))[row % 4]
    return bool(swap ^ turn[0]), int(x ^ turn[1])
