"""The four findings of the homework, each explained with the listener's own recording, as HTML."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np

from eval.compare.recording import Output
from eval.homework.ladder import RUNGS
from eval.homework.loss_scales import loss_scales
from eval.homework.mel_steps import steps
from eval.metrics.note_stability import EDGE, JITTER_BAND, TOP_RATE, modulation_spectrum, sustained
from eval.metrics.pitch import cached_track, tracker_missing
from eval.reports.charts import PALETTE
from eval.reports.spectrogram import mel_png
from ui.compare.metric_table import metric_table
from ui.markup import escape
from vocoders.audio import SAMPLE_RATE, Recording, fit_length
from vocoders.systems import System

VIBRATO = (3.0, 8.0)  # Hz
WIDTH, HEIGHT = 1000, 190  # of the spectrum, SVG units


def ladder_panel(systems: Sequence[System], takes: Sequence[Output]) -> str:
    """What every rung takes away, and the numbers at it."""
    items = "".join(f"<li><b>{escape(system.title)}.</b> {escape(system.about)}</li>" for system in systems)
    return (
        '<section class="page-finding"><h3>Why did Griffin-Lim win?</h3><p>It was given the recording’s own spectrum and had only '
        "the phase to find. Go down the ladder: every rung takes one thing away, and the numbers say what it cost. The "
        "homework compared the third rung with the last ones.</p>"
        f"<ol>{items}</ol></section>{metric_table(takes)}"
    )


def mels_panel(recording: Recording) -> str:
    found = steps(recording.samples)
    total = sum(step.moved for step in found)
    rows = "".join(
        f"<figure><figcaption><b>{escape(step.title)}</b> {escape(step.why)}"
        + _moved(step.moved, total)
        + f'</figcaption><img alt="Log mel: {escape(step.title)}" src="data:image/png;base64,'
        f'{base64.b64encode(mel_png(step.log_mel)).decode()}"></figure>'
        for step in found
    )
    return (
        '<section class="page-finding"><h3>Why do the two mels differ?</h3><p>“All parameters are equal”, and yet they are two '
        "different features. One step at a time, from the hw2 mel to HiFi-GAN’s, all drawn with the same colours:</p>"
        f'<div class="page-steps">{rows}</div></section>'
    )


def _moved(nepers: float, total: float) -> str:
    if nepers == 0:
        return ""
    if nepers < 0.01 * total:
        return " <em>Moves the log mel by less than 1 % of all that is moved.</em>"
    share = f"{100 * nepers / total:.0f} % of all that is moved"
    return f" <em>Moves the log mel by {nepers:.2f} Np on average, {share}.</em>"


def losses_panel(recording: Recording, takes: Sequence[Output]) -> str:
    rows = ""
    for take in takes:
        scales = loss_scales(recording.samples, take.samples)
        rows += (
            f'<tr><th scope="row">{escape(take.system.title)}</th><td>{scales.hw2:.3f}</td><td>{scales.hw2_halved:.3f}</td>'
            f"<td>{scales.hifigan:.3f}</td></tr>"
        )
        floors = (
            f"{100 * scales.hw2_floored:.0f} % of the hw2 mel and {100 * scales.hifigan_floored:.0f} % of HiFi-GAN’s"
        )
    if not rows:
        return ""
    return (
        '<section class="page-finding"><h3>Why is HiFi-GAN’s loss smaller?</h3><p>The hw2 loss is in log <i>power</i>, HiFi-GAN’s in '
        "log <i>magnitude</i>: the same error is exactly twice as large on the first scale. What is left after halving comes from "
        f"other bands and from the logarithm’s floor, at which {floors} of this recording lie and every error counts as none.</p>"
        '<div class="page-table-scroll" tabindex="0" role="region" aria-label="Losses"><table class="page-table"><thead><tr>'
        '<th scope="col">Take</th><th scope="col">hw2 loss<span class="page-unit">Np of power</span></th><th scope="col">halved'
        '<span class="page-unit">Np of magnitude</span></th><th scope="col">HiFi-GAN’s loss<span class="page-unit">Np of magnitude'
        f"</span></th></tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def trembling_panel(recording: Recording, takes: Sequence[Output]) -> str:
    """Modulation spectra of the longest held note."""
    head = '<section class="page-finding"><h3>What is the trembling?</h3>'
    stretches = [] if tracker_missing() else sustained(cached_track(recording.samples))
    if not stretches:
        return f"{head}<p>No note is held for long enough in this recording to look at; a slow sung phrase shows it.</p></section>"
    note = max(stretches, key=lambda stretch: stretch.stop - stretch.start)
    curves = {"Recording": modulation_spectrum(recording.samples, note)}
    curves |= {
        take.system.title: modulation_spectrum(fit_length(take.samples, len(recording.samples)), note) for take in takes
    }
    start, stop = note.start / SAMPLE_RATE, note.stop / SAMPLE_RATE
    hertz = float(np.median(note.hertz))
    buttons = "".join(
        f'<button type="button" class="page-button" data-lab-track="{escape(id)}" data-lab-loop="{start:.3f} {stop:.3f}">{escape(title)}</button>'
        for id, title in [("reference", "Recording"), *((take.system.id, take.system.title) for take in takes)]
    )
    return (
        f"{head}<p>The longest held note, {stop - start:.1f} s at {hertz:.0f} Hz. How much its F0 moves, by how fast: vibrato lies at 3 to "
        "8 Hz and should be the recording’s; what a vocoder adds above 8 Hz is heard as trembling. The original HiFi-GAN does: it sees no "
        "phase, and where a note is held and the mel stands still it could only repeat itself every 256 samples. Refinement, and the "
        "guide that this project’s own model hears, give it phases that Griffin-Lim computes from the mel. Loop the note:</p>"
        f'<p class="page-downloads">{buttons}</p>{_spectra(curves)}</section>'
    )


def _spectra(curves: dict[str, tuple[np.ndarray, np.ndarray]]) -> str:
    low = np.floor(min(level.min() for _, level in curves.values()) / 10) * 10
    high = np.ceil(max(level.max() for _, level in curves.values()) / 10) * 10

    def x(rate):
        return np.asarray(rate) / TOP_RATE * WIDTH

    def y(level):
        return HEIGHT * (1 - (np.asarray(level) - low) / (high - low))

    def shade(band: tuple[float, float], name: str) -> str:
        left, right = x(band)
        return f'<rect class="page-band page-band-{name}" x="{left:.0f}" width="{right - left:.0f}" y="0" height="{HEIGHT}"/>'

    lines = legend = ""
    for index, (title, (rate, level)) in enumerate(curves.items()):
        colour = "currentColor" if index == 0 else PALETTE[(index - 1) % len(PALETTE)]
        points = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x(rate), y(level)))
        lines += f'<path d="M{points}" style="stroke:{colour};stroke-width:{2.6 if index == 0 else 1.6}"/>'
        legend += f'<span><i style="background:{colour}"></i>{escape(title)}</span>'
    ticks = "".join(
        f'<span style="left:{100 * hertz / TOP_RATE:.1f}%">{hertz} Hz</span>' for hertz in (0, 5, 10, 20, 30, 40)
    )
    levels = "".join(
        f'<span style="top:{y(level):.0f}px">{level:.0f} dB</span>' for level in np.arange(low, high + 1, 10)
    )
    label = "Modulation spectrum of the held note's F0, in dB re 1 cent, from 1 to 40 Hz"
    return (
        f'<p class="page-legend">{legend}</p><div class="page-curve"><div class="page-axis" aria-hidden="true">{levels}</div>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{label}" style="height:{HEIGHT}px">'
        f'{shade(VIBRATO, "vibrato")}{shade(JITTER_BAND, "tremble")}{lines}</svg><div class="page-ticks" aria-hidden="true">{ticks}</div></div>'
        f'<p class="page-note">Level of F0’s movement in dB re 1 cent. Shaded: vibrato (3 to 8 Hz) and trembling (8 to 40 Hz). {EDGE:g} s at '
        "both ends of the note are left out.</p>"
    )


def is_rung(system: System) -> bool:
    return system in RUNGS
