"""The four findings of the homework, each explained with the listener's own recording, as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from eval.compare.recording import Output
from eval.homework.ladder import RUNGS
from eval.homework.loss_scales import loss_scales
from eval.homework.mel_steps import steps
from eval.metrics.note_stability import EDGE, JITTER_BAND, TOP_RATE, modulation_spectrum, sustained
from eval.metrics.pitch import cached_track, tracker_missing
from eval.reports.spectrogram import mel_png
from eval.reports.svg import PALETTE, Drawing, Scale, line
from ui.compare.metric_table import metric_table
from ui.curve import Curve
from ui.markup import fill
from vocoders.audio import SAMPLE_RATE, Recording, fit_length
from vocoders.systems import System

VIBRATO = (3.0, 8.0)  # Hz
WIDTH, HEIGHT = 1000, 190  # of the spectrum, SVG units
RATES = (0, 5, 10, 20, 30, 40)  # Hz, marked below the spectrum


def ladder_panel(systems: Sequence[System], takes: Sequence[Output]) -> str:
    """What every rung takes away, and the numbers at it."""
    return fill("findings/templates/ladder.html", systems=systems, table=metric_table(takes))


def mels_panel(recording: Recording) -> str:
    found = [(step, mel_png(step.log_mel)) for step in steps(recording.samples)]
    return fill("findings/templates/mels.html", steps=found, total=sum(step.moved for step, _ in found))


def losses_panel(recording: Recording, takes: Sequence[Output]) -> str:
    if not takes:
        return ""
    losses = [(take.system.title, loss_scales(recording.samples, take.samples)) for take in takes]
    return fill("findings/templates/losses.html", losses=losses, floored=losses[-1][1])


def trembling_panel(recording: Recording, takes: Sequence[Output]) -> str:
    """Modulation spectra of the longest held note."""
    stretches = [] if tracker_missing() else sustained(cached_track(recording.samples))
    if not stretches:
        return fill("findings/templates/trembling.html", note=None)
    held = max(stretches, key=lambda stretch: stretch.stop - stretch.start)
    curves = {"Recording": modulation_spectrum(recording.samples, held)}
    curves |= {
        take.system.title: modulation_spectrum(fit_length(take.samples, len(recording.samples)), held) for take in takes
    }
    colours = ["currentColor", *(PALETTE[index % len(PALETTE)] for index in range(len(curves) - 1))]
    seconds = {"start": held.start / SAMPLE_RATE, "stop": held.stop / SAMPLE_RATE}
    return fill(
        "findings/templates/trembling.html",
        note={**seconds, "hertz": float(np.median(held.hertz))},
        tracks={"reference": "Recording", **{take.system.id: take.system.title for take in takes}},
        legend=[*zip(curves, colours)],
        spectra=_spectra(curves, colours),
        edge=f"{EDGE:g}",
    )


def _spectra(curves: Mapping[str, tuple[np.ndarray, np.ndarray]], colours: Sequence[str]) -> Curve:
    low = np.floor(min(level.min() for _, level in curves.values()) / 10) * 10
    high = np.ceil(max(level.max() for _, level in curves.values()) / 10) * 10
    across, up = Scale(0, TOP_RATE, 0, WIDTH), Scale(low, high, HEIGHT, 0)
    label = "Modulation spectrum of the held note's F0, in dB re 1 cent, from 1 to 40 Hz"
    drawing = Drawing(WIDTH, HEIGHT, label, stretched=True)
    for name, (start, stop) in (("vibrato", VIBRATO), ("tremble", JITTER_BAND)):
        band = {"x": across(start), "width": across(stop) - across(start), "y": 0, "height": HEIGHT}
        drawing.add("rect", kind=f"page-band-{name}", **band)
    for index, (colour, (rate, level)) in enumerate(zip(colours, curves.values())):
        style = f"stroke:{colour};stroke-width:{2.6 if index == 0 else 1.6}"
        drawing.add("path", d=line(zip(across(rate), up(level))), style=style)
    levels = [(up(level), f"{level:.0f} dB") for level in np.arange(low, high + 1, 10)]
    return Curve(drawing, levels, [(100 * rate / TOP_RATE, f"{rate} Hz") for rate in RATES])


def is_rung(system: System) -> bool:
    return system in RUNGS
