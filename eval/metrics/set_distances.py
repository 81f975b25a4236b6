"""Which embeddings sets of recordings are compared in, and the distances that are made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from eval.metrics.distill_mos import distillmos_embeddings, model_missing
from eval.metrics.distributions import frechet_distance, kernel_distance
from eval.metrics.vggish import vggish_embeddings, vggish_missing


@dataclass(frozen=True)
class Embedding:
    compute: Callable[[np.ndarray], np.ndarray]  # (n,) at 22 050 Hz -> (windows, d)
    why_not: Callable[[], str | None]


EMBEDDINGS = {
    "VGGish": Embedding(vggish_embeddings, vggish_missing),
    "distillmos": Embedding(distillmos_embeddings, model_missing),
}


@dataclass(frozen=True)
class SetDistance:
    """Between all recordings and all takes of a system; lower is better."""

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
        "The same by Distill-MOS's embedding: another scale, and one that hears vocoders",
    ),
    "KAD-distillmos": SetDistance(
        "distillmos",
        kernel_distance,
        "Kernel distance of the same embeddings, x 100; unbiased, so their number does not matter",
    ),
}


def available() -> dict[str, Embedding]:
    return {name: embedding for name, embedding in EMBEDDINGS.items() if not embedding.why_not()}
