"""Measurement of what vocoders make: metrics, comparisons, reports, benchmarks and listening tests.

For other programs: `from eval import score`, which imports what it needs when it is called. Import names from the package and
its modules; `import eval` would shadow a builtin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

__all__ = ["score"]


def score(
    reference: np.ndarray, estimate: np.ndarray, rate: int, metrics: str | Sequence[str] | None = None
) -> dict[str, float | None]:
    """Metrics of one mono signal against another: {name: value, None where undefined}, as `python -m eval score` gives them.

    reference, estimate: (n,) and (m,) floats at `rate` Hz, full scale 1; they are resampled to 22 050 Hz. An estimate that is
    late by up to a second is aligned first, see `eval.compare.overlap`. metrics: names, as a sequence or as one text with
    commas; "all"; None: the fast ones. Of the latter two, those whose package is missing are left out.
    Errors: ValueError for other arrays, silence, a rate that is not accepted, and unknown names; `LengthError` (a ValueError)
    for lengths more than 2 % apart; `Unavailable` for a named metric whose package is missing.
    """
    from eval.compare.score import score_pair

    names = metrics if metrics is None or isinstance(metrics, str) else ",".join(metrics)
    return score_pair(reference, estimate, names, rate)
