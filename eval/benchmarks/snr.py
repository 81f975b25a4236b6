"""How far an output is from another of the same network or system."""

from __future__ import annotations

import math

import numpy as np


def snr(wanted: np.ndarray, found: np.ndarray) -> float:
    """dB, of `wanted` to its difference from `found`, arrays of one shape; infinite where they are equal. What is nan in either does not
    count."""
    difference = float(np.nansum(np.square(np.subtract(wanted, found, dtype=np.float64))))
    level = float(np.nansum(np.square(wanted, dtype=np.float64)))
    if not difference:
        return math.inf
    return 10 * math.log10(level / difference) if level else -math.inf
