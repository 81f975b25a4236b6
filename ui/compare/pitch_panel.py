"""The pitch panel: the recording's F0, and how far every output deviates from it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from eval.metrics.pitch import PitchTrack, pitch_errors, unbroken
from eval.reports.svg import Drawing, Scale, line
from ui.compare.state import REFERENCE
from ui.curve import Curve
from ui.markup import fill

WIDTH, CONTOUR, STRIP = 1000, 150, 54  # SVG units; the width is stretched to the page's, the height is pixels
MAX_DEVIATION_CENTS = 100.0  # full height of a strip is +- this
EDGE_PX = 2  # of a strip that its curve leaves free above and below
_LEVELS = (
    (EDGE_PX + 5, f"+{MAX_DEVIATION_CENTS:.0f}"),
    (STRIP / 2, "0"),
    (STRIP - EDGE_PX - 5, f"−{MAX_DEVIATION_CENTS:.0f}"),
)
LINE_STEPS_SEMITONES = (1, 2, 3, 4, 6, 12, 24)  # between the lines behind the contour


def pitch_panel(seconds: float, reference: PitchTrack, outputs: Mapping[str, tuple[str, PitchTrack]]) -> str:
    """HTML; outputs: {id of the player's track: (title, its pitch)}. Empty where the recording has no pitch."""
    if reference.voiced.sum() < 5:
        return ""
    across = Scale(0, seconds, 0, WIDTH)
    strips = [(key, *_strip(title, across, reference, track)) for key, (title, track) in outputs.items()]
    return fill(
        "compare/templates/pitch.html",
        seconds=seconds,
        reference=REFERENCE,
        range=_range(reference),
        contour=_contour(across, reference),
        strips=strips,
        cents=MAX_DEVIATION_CENTS,
    )


def _range(track: PitchTrack) -> str:
    hertz = track.hertz[track.voiced]
    return f"{hertz.min():.0f} to {hertz.max():.0f} Hz"


def _contour(across: Scale, track: PitchTrack) -> Curve:
    hertz = track.hertz[track.voiced]
    drawing = Drawing(WIDTH, CONTOUR, f"F0 of the recording, {_range(track)}", stretched=True)
    low, high = math.floor(_semitones(hertz.min())) - 1, math.ceil(_semitones(hertz.max())) + 1
    up = Scale(low, high, CONTOUR, 0)
    step = next(step for step in LINE_STEPS_SEMITONES if (high - low) / step <= 6)
    notes = range(-(-low // step) * step, high + 1, step)
    for note in notes:
        drawing.add("line", x1=0, x2=WIDTH, y1=up(note), y2=up(note))
    _draw(drawing, across(track.seconds), up(_semitones(np.maximum(track.hertz, 1))), track.voiced)
    hertz_lines = [(up(note), f"{440 * 2 ** (note / 12):.0f} Hz") for note in notes]
    return Curve(drawing, hertz_lines, ticks=(), timed=True)


def _semitones(hertz):
    """Above 440 Hz."""
    return 12 * np.log2(hertz / 440)


def _strip(title: str, across: Scale, reference: PitchTrack, track: PitchTrack) -> tuple[str, str, Curve]:
    """The title, the errors in words, and the curve."""
    frames = min(len(reference.hertz), len(track.hertz))
    voiced = reference.voiced[:frames] & (track.hertz[:frames] > 0)
    cents = 1200 * np.log2(np.maximum(track.hertz[:frames], 1) / np.maximum(reference.hertz[:frames], 1))
    errors = 100 * pitch_errors(reference, track)
    text = f"{errors.mean():.0f} cents on average, {100 * (errors > 50).mean():.1f} % of frames more than 50 off"
    drawing = Drawing(WIDTH, STRIP, f"Pitch deviation of {title}: {text}", stretched=True)
    drawing.add("line", x1=0, x2=WIDTH, y1=STRIP / 2, y2=STRIP / 2)
    up = Scale(-MAX_DEVIATION_CENTS, MAX_DEVIATION_CENTS, STRIP - EDGE_PX, EDGE_PX)
    _draw(
        drawing,
        across(reference.seconds[:frames]),
        up(np.clip(cents, -MAX_DEVIATION_CENTS, MAX_DEVIATION_CENTS)),
        voiced,
    )
    return title, text, Curve(drawing, _LEVELS, boxed=True, timed=True)


def _draw(drawing: Drawing, x: np.ndarray, y: np.ndarray, shown: np.ndarray) -> None:
    """A path with a gap wherever `shown` has one; a single point is none."""
    runs = [run for run in unbroken(shown) if len(run) > 1]
    drawing.add("path", d="".join(line(zip(x[run], y[run])) for run in runs))
