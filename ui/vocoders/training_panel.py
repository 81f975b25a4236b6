"""A checkpoint's training, from its metadata: a few facts, and its curves.

The metadata is not trusted: text is cut, and curves that are not numbers are left out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

from eval.reports.svg import Drawing, Scale, line
from ui.curve import Curve
from ui.markup import fill
from vocoders.checkpoints.checkpoint import training_history

WIDTH, HEIGHT = 320, 72  # SVG units; the width is stretched to the card's, the height is pixels
EDGE_PX = 3  # that a curve leaves free above and below
MAX_FACT_CHARS = 240  # a longer one is cut
MAX_CURVE_POINTS = 2000  # a curve with more is left out
MAX_EARLIER_RUNS = 4  # of a checkpoint's training, that are shown
_STARTS = {
    "universal": "fine-tuned from UNIVERSAL_V1",
    "scratch": "trained from scratch",
    "checkpoint": "from the run before",
}
_CURVES = {
    "total": "total generator loss",
    "mel": "mel loss",
    "validation mel": "validation mel loss",
    "validation M-STFT": "validation M-STFT",
}

Points = Sequence[tuple[float, float]]


def training_panel(about: Mapping[str, str]) -> str:
    """HTML; empty for metadata without training facts and curves."""
    facts = [(name, value[:MAX_FACT_CHARS]) for name, value in _facts(about) if value]
    curves = [_curve(title, points) for title, points in _curves(about.get("curves", "")).items()]
    return fill("vocoders/templates/training.html", facts=facts, curves=curves)


def _facts(about: Mapping[str, str]) -> list[tuple[str, str]]:
    hours = about.get("audio_hours_heard")
    latest, *before = training_history(about) or [{}]
    return [
        ("Recipe", _recipe(latest)),
        ("Length", _length(latest)),
        *(("Before that", f"{_recipe(run)}; {_length(run)}") for run in before[:MAX_EARLIER_RUNS]),
        ("Audio", f"{hours} h" if hours else ""),
        ("Data", about.get("data", "")),
        ("Its licences", ", ".join(_parsed(about.get("data_licences", "")))),
        ("Validation mel L1", about.get("validation_mel_l1", "")),
        ("Validation M-STFT", about.get("validation_m_stft", "")),
        ("Held-out clips", _metrics(about.get("metrics", ""))),
        ("Code", about.get("revision", "")),
    ]


def _recipe(run: Mapping[str, str]) -> str:
    return ", ".join(filter(None, (run.get("preset"), _STARTS.get(run.get("start", "")))))


def _length(run: Mapping[str, str]) -> str:
    steps = run.get("steps")
    return f"{steps} steps, {run.get('minutes', '?')} min on {run.get('hardware', '?')}" if steps else ""


def _parsed(text: str) -> dict:
    """A JSON object from the metadata; {} for any other content."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _metrics(text: str) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in _parsed(text).items() if _is_number(value))


def _curves(text: str) -> dict[str, Points]:
    """The known curves in the metadata's JSON, by title; malformed ones are left out."""
    found = _parsed(text)
    curves = {title: _points(found.get(name)) for name, title in _CURVES.items()}
    return {title: points for title, points in curves.items() if len(points) > 1}


def _points(value: object) -> Points:
    if not isinstance(value, list) or len(value) > MAX_CURVE_POINTS:
        return ()
    pairs = [pair for pair in value if isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair))]
    return tuple((float(step), float(height)) for step, height in pairs)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e12  # no nan, no 10^400


def _curve(title: str, points: Points) -> dict[str, object]:
    """The curve, with its ends in words."""
    steps, heights = zip(*points)
    low, high = min(heights), max(heights)
    ends = [_short(heights[0]), _short(heights[-1])]
    across = Scale(min(steps), max(steps) if max(steps) > min(steps) else min(steps) + 1.0, 0, WIDTH)
    down = Scale(high, low if high > low else high - 1.0, EDGE_PX, HEIGHT - EDGE_PX)
    drawing = Drawing(WIDTH, HEIGHT, f"{title}, from {ends[0]} to {ends[1]}", stretched=True)
    drawing.add("path", d=line((across(step), down(height)) for step, height in points))
    levels = [(8, _short(high)), (HEIGHT - 8, _short(low))]
    return {
        "title": title,
        "ends": ends,
        "curve": Curve(drawing, levels, boxed=True),
        "steps": [f"{min(steps):,.0f}", f"{max(steps):,.0f}"],
    }


def _short(value: float) -> str:
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:.{min(digits, 4)}f}"
