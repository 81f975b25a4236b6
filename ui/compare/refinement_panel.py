"""What refinement changed: a signed picture of the refined take against the same vocoder's take before."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np

from eval.compare.recording import Output
from eval.reports.spectrogram import DIFFERENCE_DB, FREQUENCY_MAX, difference, difference_png
from ui.markup import escape
from vocoders.mel import F_MAX, N_BINS
from vocoders.systems import System

ROWS = 256  # of the picture, evenly spaced in mel
_TOP = 2595 * np.log10(1 + FREQUENCY_MAX / 700)


def refinement_panel(takes: Sequence[Output]) -> str:
    """A figure for every refined take whose plain sister is there as well; empty without such a pair."""
    pairs = (
        (take, plain) for take in takes if take.system.refinement for plain in takes if _is_plain(plain, take.system)
    )
    return "".join(_figure(refined, plain) for refined, plain in pairs)


def _is_plain(take: Output, refined: System) -> bool:
    same = take.system.steps == refined.steps and take.system.load == refined.load
    return same and take.system.refinement is None


def _figure(refined: Output, plain: Output) -> str:
    changed = on_mel_axis(difference(plain.samples, refined.samples))
    picture = base64.b64encode(difference_png(changed)).decode()
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
        f"{escape(plain.system.title)}</b>, ±{DIFFERENCE_DB:.0f} dB, blue where energy was taken away, red where it was "
        "added. Striped partials are pitch being put right: energy moves from where the network sang to where the mel "
        "says.</figcaption></figure>"
    )


def on_mel_axis(picture: np.ndarray) -> np.ndarray:
    """(513, frames) on a linear axis -> (256, frames) on an HTK mel axis of the same range, nearest bins."""
    hertz = 700 * (10 ** (np.linspace(0, _TOP, ROWS) / 2595) - 1)
    return picture[np.rint(hertz / FREQUENCY_MAX * (N_BINS - 1)).astype(int)]


def _height(hertz: float) -> float:
    """Where a frequency lies on the mel axis, 0 at the bottom, 1 at the top."""
    return 2595 * np.log10(1 + hertz / 700) / _TOP
