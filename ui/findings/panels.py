"""The four findings of the homework, each explained with the listener's own recording, as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from eval.compare.recording import ComparedSystem, Output
from eval.homework.ladder import RUNGS
from eval.homework.loss_scales import loss_scales
from eval.homework.mel_steps import steps
from eval.metrics.note_stability import EDGE_SECONDS, JITTER_BAND_HZ, MAX_SHOWN_RATE_HZ, modulation_spectrum, sustained
from eval.metrics.pitch import cached_track, tracker_missing
from eval.reports.spectrogram import mel_png
from eval.reports.svg import PALETTE, Drawing, Scale, line
from ui.compare.metric_table import metric_table
from ui.curve import Curve
from ui.markup import fill
from vocoders.audio import SAMPLE_RATE, Recording, fit_length
from vocoders.systems import System

VIBRATO_BAND_HZ = (3.0, 8.0)  # Hz
WIDTH, HEIGHT = 1000, 190  # of the spectrum, SVG units
RATES = (0, 5, 10, 20, 30, 40)  # Hz, marked below the spectrum


def ladder_panel(systems: Sequence[System], outputs: Sequence[Output]) -> str:
    """The change at every rung, and its metrics."""
    return fill("findings/templates/ladder.html", systems=systems, table=metric_table(outputs, explained=False))


def mels_panel(recording: Recording) -> str:
    """HTML: the steps from the hw2 mel to HiFi-GAN's, each with its picture and its share of the difference."""
    found = [(step, mel_png(step.log_mel)) for step in steps(recording.samples)]
    return fill("findings/templates/mels.html", steps=found, total=sum(step.moved for step, _ in found))


def losses_panel(recording: Recording, outputs: Sequence[Output]) -> str:
    """HTML: the mel loss of each output on both log scales; "" without outputs."""
    if not outputs:
        return ""
    losses = [(output.system.title, loss_scales(recording.samples, output.samples)) for output in outputs]
    return fill("findings/templates/losses.html", losses=losses, floored=losses[-1][1])


def stability_panel(recording: Recording, outputs: Sequence[Output]) -> str:
    """Modulation spectra of the longest held note."""
    stretches = [] if tracker_missing() else sustained(cached_track(recording.samples))
    if not stretches:
        return fill("findings/templates/stability.html", note=None)
    held = max(stretches, key=lambda stretch: stretch.stop - stretch.start)
    curves = {"Recording": modulation_spectrum(recording.samples, held)}
    curves |= {
        output.system.title: modulation_spectrum(fit_length(output.samples, len(recording.samples)), held)
        for output in outputs
    }
    colours = ["currentColor", *(PALETTE[index % len(PALETTE)] for index in range(len(curves) - 1))]
    seconds = {"start": held.start / SAMPLE_RATE, "stop": held.stop / SAMPLE_RATE}
    return fill(
        "findings/templates/stability.html",
        note={**seconds, "hertz": float(np.median(held.hertz))},
        tracks={"reference": "Recording", **{output.system.id: output.system.title for output in outputs}},
        legend=[*zip(curves, colours)],
        spectra=_spectra(curves, colours),
        edge=f"{EDGE_SECONDS:g}",
    )


def _spectra(curves: Mapping[str, tuple[np.ndarray, np.ndarray]], colours: Sequence[str]) -> Curve:
    low = np.floor(min(level.min() for _, level in curves.values()) / 10) * 10
    high = np.ceil(max(level.max() for _, level in curves.values()) / 10) * 10
    across, up = Scale(0, MAX_SHOWN_RATE_HZ, 0, WIDTH), Scale(low, high, HEIGHT, 0)
    label = "Modulation spectrum of the held note's F0, in dB re 1 cent, from 1 to 40 Hz"
    drawing = Drawing(WIDTH, HEIGHT, label, stretched=True)
    for name, (start, stop) in (("vibrato", VIBRATO_BAND_HZ), ("jitter", JITTER_BAND_HZ)):
        band = {"x": across(start), "width": across(stop) - across(start), "y": 0, "height": HEIGHT}
        drawing.add("rect", kind=f"page-band-{name}", **band)
    for index, (colour, (rate, level)) in enumerate(zip(colours, curves.values())):
        style = f"stroke:{colour};stroke-width:{2.6 if index == 0 else 1.6}"
        drawing.add("path", d=line(zip(across(rate), up(level))), style=style)
    levels = [(up(level), f"{level:.0f} dB") for level in np.arange(low, high + 1, 10)]
    ticks = [(100 * rate / MAX_SHOWN_RATE_HZ, f"{rate}{' Hz' if rate == RATES[-1] else ''}") for rate in RATES]
    return Curve(drawing, levels, ticks)


def is_rung(system: ComparedSystem) -> bool:
    """Whether the system is a rung of the ladder, which is no vocoder."""
    return system in RUNGS
