"""How well a decoded signal is the one that was encoded."""

from __future__ import annotations

import numpy as np


def lag_and_correlation(found: np.ndarray, truth: np.ndarray) -> tuple[int, float]:
    """Samples that `found` is late, and the correlation of what both have at that lag."""
    size = 1 << (len(found) + len(truth)).bit_length()
    spectra = [np.fft.rfft(x.astype(np.float64), size) for x in (found, truth)]
    correlation = np.fft.irfft(spectra[0] * np.conj(spectra[1]), size)
    lag = int(np.argmax(correlation))
    lag = lag - size if lag > size // 2 else lag
    late, early = found[max(lag, 0) :], truth[max(-lag, 0) :]
    common = min(len(late), len(early))
    return lag, float(np.corrcoef(late[:common], early[:common])[0, 1])


def correlation_in_place(found: np.ndarray, truth: np.ndarray, reach: int) -> float:
    """The highest correlation of what both have, with `found` at most `reach` samples late or early."""
    both = min(len(found), len(truth)) - reach
    found_at, truth_at = (
        [max(lag, 0) for lag in lags] for lags in (range(-reach, reach + 1), range(reach, -reach - 1, -1))
    )
    return max(
        float(np.corrcoef(found[late : late + both], truth[early : early + both])[0, 1])
        for late, early in zip(found_at, truth_at)
    )
