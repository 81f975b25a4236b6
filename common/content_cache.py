"""What was computed of a signal, kept under the signal's digest: ten minutes of samples are large, what is learned of
them is small."""

from __future__ import annotations

import functools
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

import numpy as np

Result = TypeVar("Result")


def remembered(most: int) -> Callable[[Callable[[np.ndarray], Result]], Callable[[np.ndarray], Result]]:
    """A function of samples, (n,), that gets them as float32 and computes once per content, for the `most` used last."""

    def decorate(function: Callable[[np.ndarray], Result]) -> Callable[[np.ndarray], Result]:
        # Each of its operations is atomic; two threads may both compute
        known: OrderedDict[bytes, Result] = OrderedDict()

        @functools.wraps(function)
        def once(samples: np.ndarray) -> Result:
            samples = np.ascontiguousarray(samples, dtype=np.float32)
            key = hashlib.sha256(samples).digest()
            result = known.pop(key, known)  # `known` stands for nothing found
            if result is known:
                result = function(samples)
            known[key] = result
            while len(known) > most:
                known.popitem(last=False)
            return result

        return once

    return decorate
