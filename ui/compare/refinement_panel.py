"""What refinement changed: a signed picture of the refined take against the same vocoder's take before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eval.compare.recording import Output
from eval.reports.spectrogram import DIFFERENCE_DB, FREQUENCY_MAX, difference, difference_png
from ui.markup import fill
from vocoders.mel import F_MAX, N_BINS
from vocoders.systems import System

ROWS = 256  # of the picture, evenly spaced in mel
_TOP = 2595 * np.log10(1 + FREQUENCY_MAX / 700)


def refinement_panel(takes: Sequence[Output]) -> str:
    """HTML: a figure for every refined take whose plain sister is there as well; empty without such a pair."""
    pairs = [
        _pair(take, plain)
        for take in takes
        if take.system.refinement
        for plain in takes
        if _is_plain(plain, take.system)
    ]
    return fill("compare/templates/refinement.html", pairs=pairs, range_db=DIFFERENCE_DB)


def _is_plain(take: Output, refined: System) -> bool:
    same = take.system.steps == refined.steps and take.system.load == refined.load
    return same and take.system.refinement is None


def _pair(refined: Output, plain: Output) -> dict[str, object]:
    """Titles, the picture, and marks as (percent from the top, text)."""
    crossover = refined.system.refinement.crossover
    marks = (
        (F_MAX, "8 kHz: the mel ends, all above is the network’s"),
        (crossover, f"{crossover:.0f} Hz: below, the mel’s own inversion"),
    )
    return {
        "refined": refined.system.title,
        "plain": plain.system.title,
        "png": difference_png(on_mel_axis(difference(plain.samples, refined.samples))),
        "marks": [(100 * (1 - _height(hertz)), text) for hertz, text in marks],
    }


def on_mel_axis(picture: np.ndarray) -> np.ndarray:
    """(513, frames) on a linear axis -> (256, frames) on an HTK mel axis of the same range, nearest bins."""
    hertz = 700 * (10 ** (np.linspace(0, _TOP, ROWS) / 2595) - 1)
    return picture[np.rint(hertz / FREQUENCY_MAX * (N_BINS - 1)).astype(int)]


def _height(hertz: float) -> float:
    """Where a frequency lies on the mel axis, 0 at the bottom, 1 at the top."""
    return 2595 * np.log10(1 + hertz / 700) / _TOP
