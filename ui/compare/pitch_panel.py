"""The pitch panel: the recording's F0, and how far every output deviates from it, as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from eval.metrics.pitch import PitchTrack, pitch_errors, unbroken
from ui.markup import escape

WIDTH, CONTOUR, STRIP = 1000, 150, 54  # SVG units; the width is stretched to the page's, the height is pixels
MAX_DEVIATION_CENTS = 100.0  # full height of a strip is +- this


def pitch_panel(seconds: float, reference: PitchTrack, outputs: Mapping[str, PitchTrack]) -> str:
    """`outputs` by title. Empty where the recording has no pitch."""
    if reference.voiced.sum() < 5:
        return ""
    strips = "".join(_strip(title, seconds, reference, track) for title, track in outputs.items())
    return (
        '<section class="page-pitch"><h3>Pitch</h3><p class="page-note">The recording’s F0, and below it how far each '
        f"output deviates from it, ±{MAX_DEVIATION_CENTS:.0f} cents. A fast wobble is what listeners call trembling. Frames of 16 ms, "
        f"tracked by swift-f0 where it is confident.</p>{_contour(seconds, reference)}{strips}</section>"
    )


def _x(seconds: np.ndarray, length: float) -> np.ndarray:
    return seconds / length * WIDTH


def _path(x: np.ndarray, y: np.ndarray, mask: np.ndarray) -> str:
    lines = ("M" + "L".join(f"{x[i]:.1f} {y[i]:.1f}" for i in run) for run in unbroken(mask) if len(run) > 1)
    return f'<path d="{"".join(lines)}"/>'


def _contour(length: float, track: PitchTrack) -> str:
    hertz = track.hertz[track.voiced]
    low = math.floor(12 * math.log2(hertz.min() / 440)) - 1
    high = math.ceil(12 * math.log2(hertz.max() / 440)) + 1
    semitones = 12 * np.log2(np.maximum(track.hertz, 1) / 440)
    y = CONTOUR * (1 - (semitones - low) / (high - low))
    step = next(step for step in (1, 2, 3, 4, 6, 12, 24) if (high - low) / step <= 6)
    notes = range(-(-low // step) * step, high + 1, step)
    heights = {note: CONTOUR * (1 - (note - low) / (high - low)) for note in notes}
    grid = "".join(f'<line x1="0" x2="{WIDTH}" y1="{v:.1f}" y2="{v:.1f}"/>' for v in heights.values())
    labels = "".join(
        f'<span style="top:{v:.0f}px">{440 * 2 ** (note / 12):.0f} Hz</span>' for note, v in heights.items()
    )
    picture = f'<g class="page-grid">{grid}</g>{_path(_x(track.seconds, length), y, track.voiced)}'
    svg = _svg(CONTOUR, f"F0 of the recording, {hertz.min():.0f} to {hertz.max():.0f} Hz", picture)
    return f'<div class="page-curve"><div class="page-axis" aria-hidden="true">{labels}</div>{svg}</div>'


def _strip(title: str, length: float, reference: PitchTrack, track: PitchTrack) -> str:
    frames = min(len(reference.hertz), len(track.hertz))
    voiced = reference.voiced[:frames] & (track.hertz[:frames] > 0)
    cents = 1200 * np.log2(np.maximum(track.hertz[:frames], 1) / np.maximum(reference.hertz[:frames], 1))
    middle = STRIP / 2
    y = middle - np.clip(cents / MAX_DEVIATION_CENTS, -1, 1) * (middle - 2)
    errors = 100 * pitch_errors(reference, track)
    label = f"{errors.mean():.0f} cents on average, {100 * (errors > 50).mean():.1f} % of frames more than 50 off"
    picture = (
        f'<g class="page-grid"><line x1="0" x2="{WIDTH}" y1="{middle}" y2="{middle}"/></g>'
        f"{_path(_x(reference.seconds[:frames], length), y, voiced)}"
    )
    svg = _svg(STRIP, f"Pitch deviation of {title}: {label}", picture)
    axis = f'<div class="page-axis" aria-hidden="true"><span style="top:{middle:.0f}px">0</span></div>'
    return (
        f'<p class="page-strip"><b>{escape(title)}</b> <span>{label}</span></p>'
        f'<div class="page-curve page-box">{axis}{svg}</div>'
    )


def _svg(height: int, label: str, content: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" preserveAspectRatio="none" role="img" aria-label="{escape(label)}" '
        f'style="height:{height}px">{content}</svg>'
    )
