"""Publication figures with axes and units. `Figure` objects, never pyplot: they are drawn in worker threads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from eval.compare.native.placing import at_common_rate
from eval.reports import spectrogram
from vocoders.audio import AtAnyRate

NOT_IN_IT = "not in it"  # above the highest frequency that a signal's rate allows
PLATE = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # behind that text
WIDTH, ROW, EDGE = 12.0, 1.7, 0.55  # inches: the figure, a row, and what its labels need above and below


def save_comparison(path: Path, reference: AtAnyRate, estimates: Mapping[str, AtAnyRate]) -> None:
    """One row per output: its spectrogram, and its signed difference from the reference, all with the same limits.

    estimates: by title, each as long as the reference. The axes reach to the highest frequency that any of them can have; above its
    own, a spectrogram is hatched.
    """
    from matplotlib.figure import Figure

    rows = 1 + len(estimates)
    height = ROW * rows + 2 * EDGE
    figure = Figure(figsize=(WIDTH, height), dpi=110)
    # Places are fixed, since finding them by measuring every label takes longer than drawing.
    place = {
        "bottom": EDGE / height,
        "top": 1 - EDGE / height,
        "hspace": 0.25,
        "wspace": 0.03,
        "width_ratios": (1, 0.02),
    }
    left = figure.add_gridspec(rows, 2, left=0.05, right=0.455, **place)
    right = figure.add_gridspec(rows, 2, left=0.55, right=0.94, **place)
    highest = max(waveform.native.rate for waveform in (reference, *estimates.values())) / 2000  # kHz
    seconds = reference.native.seconds
    levels = {"vmin": spectrogram.MIN_DB, "vmax": spectrogram.MAX_DB, "cmap": spectrogram.LEVEL_MAP}
    limit = spectrogram.MAX_DIFFERENCE_DB
    signed = {"vmin": -limit, "vmax": limit, "cmap": spectrogram.DIFFERENCE_MAP}

    def draw(place, title: str, values: np.ndarray, rate: int, style: dict):
        axes = figure.add_subplot(place)
        axes.set_title(title, loc="left", fontsize=9, pad=3, parse_math=False)  # a title is text, "$" too
        axes.set(ylabel="kHz", yticks=np.arange(0, highest, 2 if highest < 12 else 5))
        extent = (0, seconds, 0, rate / 2000)
        if place.rowspan.stop == rows:
            axes.set_xlabel("seconds")
        else:
            axes.tick_params(labelbottom=False)
        image = axes.imshow(values, origin="lower", aspect="auto", extent=extent, interpolation="nearest", **style)
        if rate < 2000 * highest:
            axes.axhspan(rate / 2000, highest, facecolor="none", edgecolor="0.6", hatch="///", linewidth=0)
            axes.text(
                seconds / 2, (rate / 2000 + highest) / 2, NOT_IN_IT, ha="center", va="center", fontsize=8, bbox=PLATE
            )
            axes.set_ylim(0, highest)
        return image

    own = reference.native
    shown, mapped = draw(left[0, 0], "Recording", spectrogram.level(own.samples, own.rate), own.rate, levels), None
    for row, (title, estimate) in enumerate(estimates.items(), start=1):
        own = estimate.native
        draw(left[row, 0], title, spectrogram.level(own.samples, own.rate), own.rate, levels)
        wanted, found, rate = at_common_rate(reference, estimate)
        change = spectrogram.difference(wanted, found, rate)
        mapped = draw(right[row, 0], f"{title} − recording", change, rate, signed)
    figure.colorbar(shown, cax=figure.add_subplot(left[:, 1]), label="level (dB, full-scale sine = 0)")
    if mapped is not None:
        figure.colorbar(mapped, cax=figure.add_subplot(right[1:, 1]), label="difference (dB)")
    figure.savefig(path, pil_kwargs={"compress_level": 3})
