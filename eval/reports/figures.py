"""Publication figures with axes and units. `Figure` objects, never pyplot: they are drawn in worker threads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from eval.reports import spectrogram

WIDTH, ROW, EDGE = 12.0, 1.7, 0.55  # inches: the figure, a row, and what its labels need above and below


def save_comparison(path: Path, reference: np.ndarray, estimates: Mapping[str, np.ndarray]) -> None:
    """One row per output: its spectrogram, and its signed difference from the reference, all with the same limits.

    estimates: {title: samples (n,)}, each as long as the reference.
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
    wanted = spectrogram.level(reference)
    levels = {"vmin": spectrogram.MIN_DB, "vmax": spectrogram.MAX_DB, "cmap": spectrogram.LEVEL_MAP}
    limit = spectrogram.MAX_DIFFERENCE_DB
    signed = {"vmin": -limit, "vmax": limit, "cmap": spectrogram.DIFFERENCE_MAP}
    extent = (0, len(reference) / spectrogram.SAMPLE_RATE, 0, spectrogram.MAX_FREQUENCY_HZ / 1000)

    def draw(place, title: str, values: np.ndarray, style: dict):
        axes = figure.add_subplot(place)
        axes.set_title(title, loc="left", fontsize=9, pad=3, parse_math=False)  # a title is text, "$" too
        axes.set(ylabel="kHz", yticks=(0, 2, 4, 6, 8, 10))
        if place.rowspan.stop == rows:
            axes.set_xlabel("seconds")
        else:
            axes.tick_params(labelbottom=False)
        return axes.imshow(values, origin="lower", aspect="auto", extent=extent, interpolation="nearest", **style)

    shown, mapped = draw(left[0, 0], "Recording", wanted, levels), None
    for row, (title, samples) in enumerate(estimates.items(), start=1):
        found = spectrogram.level(samples)
        draw(left[row, 0], title, found, levels)
        mapped = draw(right[row, 0], f"{title} − recording", found - wanted, signed)
    figure.colorbar(shown, cax=figure.add_subplot(left[:, 1]), label="level (dB, full-scale sine = 0)")
    if mapped is not None:
        figure.colorbar(mapped, cax=figure.add_subplot(right[1:, 1]), label="difference (dB)")
    figure.savefig(path, pil_kwargs={"compress_level": 3})
