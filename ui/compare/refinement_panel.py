"""The changes by refinement: a signed picture of the refined output against the same vocoder's output before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eval.compare.recording import Output
from eval.reports.spectrogram import MAX_DIFFERENCE_DB, MAX_FREQUENCY_HZ, difference, difference_png
from ui.markup import fill
from vocoders.mel import F_MAX, N_BINS
from vocoders.systems import System

PICTURE_ROWS = 256  # of the picture, evenly spaced in mel
_MAX_MEL = 2595 * np.log10(1 + MAX_FREQUENCY_HZ / 700)


def refinement_panel(outputs: Sequence[Output]) -> str:
    """HTML: a figure for every refined output that is there without refinement as well; empty without such a pair."""
    pairs = [
        _pair(output, plain)
        for output in outputs
        if isinstance(output.system, System) and output.system.refinement
        for plain in outputs
        if _is_plain(plain, output.system)
    ]
    return fill("compare/templates/refinement.html", pairs=pairs, range_db=MAX_DIFFERENCE_DB)


def _is_plain(output: Output, refined: System) -> bool:
    system = output.system
    if not isinstance(system, System) or system.refinement is not None:
        return False
    return system.steps == refined.steps and system.load == refined.load


def _pair(refined: Output, plain: Output) -> dict[str, object]:
    """Titles, the picture, and marks as (percent from the top, text)."""
    assert refined.system.refinement is not None, "only refined outputs have a panel"
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
    hertz = 700 * (10 ** (np.linspace(0, _MAX_MEL, PICTURE_ROWS) / 2595) - 1)
    return picture[np.rint(hertz / MAX_FREQUENCY_HZ * (N_BINS - 1)).astype(int)]


def _height(hertz: float) -> float:
    """Where a frequency lies on the mel axis, 0 at the bottom, 1 at the top."""
    return 2595 * np.log10(1 + hertz / 700) / _MAX_MEL
