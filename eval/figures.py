"""Publication figures with axes and units. `Figure` objects, never pyplot: they are drawn in worker threads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from eval import spectrogram


def save_comparison(path: Path, reference: np.ndarray, estimates: Mapping[str, np.ndarray]) -> None:
    """One row per take: its spectrogram, and its signed difference from the reference, all with the same limits.

    estimates: {title: samples (n,)}, each as long as the reference.
    """
    from matplotlib.figure import Figure

    rows = 1 + len(estimates)
    figure = Figure(figsize=(12, 1.2 + 1.7 * rows), layout="constrained", dpi=110)
    axes = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False)
    wanted = spectrogram.level(reference)
    extent = (0, len(reference) / spectrogram.SAMPLE_RATE, 0, spectrogram.FREQUENCY_MAX / 1000)
    levels = {"vmin": spectrogram.DB_MIN, "vmax": spectrogram.DB_MAX, "cmap": spectrogram.LEVEL_MAP}
    signed = {
        "vmin": -spectrogram.DIFFERENCE_DB,
        "vmax": spectrogram.DIFFERENCE_DB,
        "cmap": spectrogram.DIFFERENCE_MAP,
    }
    picture = {"origin": "lower", "aspect": "auto", "extent": extent, "interpolation": "antialiased"}
    shown = axes[0, 0].imshow(wanted, **levels, **picture)
    axes[0, 0].set_title("Recording", loc="left", fontsize=10)
    axes[0, 1].axis("off")
    mapped = None
    for row, (title, samples) in enumerate(estimates.items(), start=1):
        found = spectrogram.level(samples)
        axes[row, 0].imshow(found, **levels, **picture)
        axes[row, 0].set_title(title, loc="left", fontsize=10)
        mapped = axes[row, 1].imshow(found - wanted, **signed, **picture)
        axes[row, 1].set_title(f"{title} − recording", loc="left", fontsize=10)
    for row in range(rows):
        axes[row, 0].set_ylabel("kHz")
    for column in range(2):
        axes[-1, column].set_xlabel("seconds")
    figure.colorbar(shown, ax=axes[:, 0], label="level (dB, full-scale sine = 0)", shrink=0.9)
    if mapped is not None:
        figure.colorbar(mapped, ax=axes[:, 1], label="difference (dB)", shrink=0.9)
    figure.savefig(path)
