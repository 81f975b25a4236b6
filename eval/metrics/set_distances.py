"""Distances between two sets of embeddings, (n, d) and (m, d), of two collections of recordings, and the embeddings they use.

Both depend on the embedding, so their names carry it, and FAD also on how many embeddings there are: compare numbers only
at equal n, from the same clips.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from eval.metrics.distill_mos import distillmos_embeddings, model_missing
from eval.metrics.vggish import vggish_embeddings, vggish_missing

KAD_SCALE = 100.0  # only for readability
MAX_KAD_EMBEDDINGS = 4000  # embeddings of a set, evenly spread, whose distances are all held at once: 128 MB a table


def frechet_distance(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Fréchet distance of the two normal distributions with the sets' means and covariances (Kilgour et al. 2019, FAD).

    The trace of the square root of the product of covariances A'A B'B is the nuclear norm of A B', which is exact, real
    and never negative, unlike the usual matrix square root.
    Errors: ValueError for fewer than 2 embeddings or sizes that differ.
    """
    a, b = _checked(reference, estimate)
    shift = a.mean(0) - b.mean(0)
    a, b = ((x - x.mean(0)) / np.sqrt(len(x) - 1) for x in (a, b))
    # a and b have at most d interesting rows; their triangular factors have the same products
    a, b = (np.asarray(np.linalg.qr(x, mode="r")) if len(x) > x.shape[1] else x for x in (a, b))
    overlap = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return float(max(0.0, shift @ shift + (a**2).sum() + (b**2).sum() - 2 * overlap))


def kernel_distance(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Unbiased squared maximum mean discrepancy with a Gaussian kernel, times 100 (Chung et al. 2025, KAD).

    The kernel's width is the median distance within the reference. Unlike FAD it assumes no normal distribution and does not
    shrink as n grows; it can be slightly negative where the sets are alike. Of larger sets, every k-th embedding counts.
    Errors: ValueError for fewer than 2 embeddings or sizes that differ.
    """
    a, b = (x[:: -(-len(x) // MAX_KAD_EMBEDDINGS)] for x in _checked(reference, estimate))
    within = _squared_distances(a, a)
    width = np.median(within[np.triu_indices(len(a), 1)])
    if width == 0:
        raise ValueError("all reference embeddings are the same")

    def kernel(squared: np.ndarray) -> np.ndarray:
        return np.exp(-squared / (2 * width))

    def mean_of_others(k: np.ndarray) -> float:
        n = len(k)
        return (k.sum() - np.trace(k)) / (n * (n - 1))

    total = mean_of_others(kernel(within)) + mean_of_others(kernel(_squared_distances(b, b)))
    return float(KAD_SCALE * (total - 2 * kernel(_squared_distances(a, b)).mean()))


def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T, 0)


def _checked(reference: np.ndarray, estimate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    reference, estimate = (np.asarray(x, dtype=np.float64) for x in (reference, estimate))
    for x in (reference, estimate):
        if x.ndim != 2 or len(x) < 2:
            raise ValueError(f"a set of embeddings is (n, d) with n >= 2, not {x.shape}")
    if reference.shape[1] != estimate.shape[1]:
        raise ValueError(f"embeddings of {reference.shape[1]} and of {estimate.shape[1]} numbers cannot be compared")
    return reference, estimate


@dataclass(frozen=True)
class Embedding:
    """A network's description of audio in windows, between whose distributions a distance is measured."""

    compute: Callable[[Sequence[np.ndarray]], list[np.ndarray]]  # each (n,) at 22 050 Hz -> (windows, d)
    why_not: Callable[[], str | None]
    gains_from_batches: bool  # whether several signals at once take less processor time than one after the other


def _distillmos_one_by_one(signals: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Each was looked at for its score just before."""
    return [distillmos_embeddings(samples) for samples in signals]


EMBEDDINGS = {
    "VGGish": Embedding(vggish_embeddings, vggish_missing, True),
    "distillmos": Embedding(_distillmos_one_by_one, model_missing, False),
}


@dataclass(frozen=True)
class SetDistance:
    """Between all recordings and all outputs of a system; lower is better."""

    embedding: str
    compute: Callable[[np.ndarray, np.ndarray], float]
    about: str


SET_DISTANCES = {
    "FAD": SetDistance(
        "VGGish",
        frechet_distance,
        "The homework's Fréchet audio distance, by VGGish; shrinks as the number of embeddings grows",
    ),
    "FAD-distillmos": SetDistance(
        "distillmos",
        frechet_distance,
        "The same by Distill-MOS's embedding: on another scale; it separates vocoders",
    ),
    "KAD-distillmos": SetDistance(
        "distillmos",
        kernel_distance,
        "Kernel distance of the same embeddings, x 100; unbiased, so their number does not matter",
    ),
}


def available() -> dict[str, Embedding]:
    """The embeddings whose packages and weights are here, by name."""
    return {name: embedding for name, embedding in EMBEDDINGS.items() if not embedding.why_not()}
