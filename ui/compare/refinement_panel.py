"""The changes by refinement: a signed picture of the refined output against the same vocoder's output before."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np

from eval.compare.recording import Output
from eval.reports.spectrogram import MAX_DIFFERENCE_DB, MAX_FREQUENCY_HZ, difference, difference_png
from ui.markup import escape
from vocoders.mel import F_MAX, N_BINS
from vocoders.systems import System

PICTURE_ROWS = 256  # of the picture, evenly spaced in mel
_MAX_MEL = 2595 * np.log10(1 + MAX_FREQUENCY_HZ / 700)


def refinement_panel(outputs: Sequence[Output]) -> str:
    """A figure for every refined output whose unrefined one is there as well; empty without such a pair."""
    pairs = (
        (output, plain)
        for output in outputs
        if output.system.refinement
        for plain in outputs
        if _is_plain(plain, output.system)
    )
    return "".join(_figure(refined, plain) for refined, plain in pairs)


def _is_plain(output: Output, refined: System) -> bool:
    same = output.system.steps == refined.steps and output.system.load == refined.load
    return same and output.system.refinement is None


def _figure(refined: Output, plain: Output) -> str:
    changed = on_mel_axis(difference(plain.samples, refined.samples))
    picture = base64.b64encode(difference_png(changed)).decode()
    assert refined.system.refinement is not None
    crossover = refined.system.refinement.crossover
    marks = "".join(
        f'<span class="page-mark" style="top:{100 * (1 - _height(hertz)):.1f}%"><b>{text}</b></span>'
        for hertz, text in (
            (F_MAX, "8 kHz: the mel ends, all above is the network’s"),
            (crossover, f"{crossover:.0f} Hz: below, the mel’s own inversion"),
        )
    )
    title = escape(refined.system.title)
    return (
        f'<figure class="page-refinement"><h3>What refinement changed</h3><div class="page-marked"><img alt="Level of '
        f'{title} minus level of {escape(plain.system.title)}, 0 to 11 kHz on a mel axis" '
        f'src="data:image/png;base64,{picture}">{marks}</div><figcaption><b>{title}</b> minus <b>'
        f"{escape(plain.system.title)}</b>, ±{MAX_DIFFERENCE_DB:.0f} dB, blue where energy was taken away, red where it was "
        "added. Striped partials are pitch being put right: energy moves from where the network sang to where the mel "
        "says.</figcaption></figure>"
    )


def on_mel_axis(picture: np.ndarray) -> np.ndarray:
    """(513, frames) on a linear axis -> (256, frames) on an HTK mel axis of the same range, nearest bins."""
    hertz = 700 * (10 ** (np.linspace(0, _MAX_MEL, PICTURE_ROWS) / 2595) - 1)
    return picture[np.rint(hertz / MAX_FREQUENCY_HZ * (N_BINS - 1)).astype(int)]


def _height(hertz: float) -> float:
    """Where a frequency lies on the mel axis, 0 at the bottom, 1 at the top."""
    return 2595 * np.log10(1 + hertz / 700) / _MAX_MEL
