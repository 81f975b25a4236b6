"""The lower half of the Compare page: what a recording became, the player, the numbers, the pictures, the files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import numpy as np

from eval.compare.mel import GivenMel
from eval.metrics.pitch import cached_track, tracker_missing
from eval.reports.spectrogram import mel_png
from ui.compare.metric_table import level_table, mel_error_table, metric_table
from ui.compare.pitch_panel import pitch_panel
from ui.compare.refinement_panel import refinement_panel
from ui.compare.view import View
from ui.markup import fill, slot
from ui.player import player_component
from vocoders.audio import Recording
from vocoders.features import hw2_mel, log_hw2


@dataclass(frozen=True)
class Outputs:
    """Components from top to bottom. The methods give updates by component, as a Gradio handler yields them."""

    message: gr.HTML
    intake: gr.HTML
    player: gr.HTML
    metrics: gr.HTML
    pitch: gr.HTML
    refinement: gr.HTML
    downloads: gr.HTML
    levels: gr.HTML
    levels_box: gr.Accordion

    @property
    def components(self) -> list[gr.components.Component]:
        return list(vars(self).values())

    def begin(self, source: Recording | GivenMel) -> dict:
        empty = dict.fromkeys((self.message, self.pitch, self.refinement, self.downloads), "")
        return {**empty, self.intake: intake_note(source) if isinstance(source, Recording) else mel_note(source)}

    def progress(self, view: View) -> dict:
        return {self.player: view.player}

    def numbers(self, view: View) -> dict:
        """What changes when a take was added or measured."""
        return {
            self.metrics: metric_table(view.outputs) if view.has_reference else mel_error_table(view.outputs),
            self.levels: levels_of(view),
            self.levels_box: gr.update(visible=True),
        }

    def pictures(self, source: Recording | GivenMel, view: View) -> dict:
        """What takes a while to draw: once for every new take, after it was measured."""
        if not isinstance(source, Recording):
            return {}
        return {self.pitch: pitch_of(source, view), self.refinement: refinement_panel(view.outputs)}

    def files(self, view: View) -> dict:
        return {self.downloads: download_links(view)}


def lay_out_outputs() -> Outputs:
    above = [slot("message"), slot("intake", fill("compare/templates/hint.html")), player_component()]
    below = [slot(id) for id in ("metrics", "pitch", "refinement", "downloads")]
    with gr.Accordion(
        "Level and alignment: what loudness matching does, and how the takes lie in time", open=False, visible=False
    ) as levels_box:
        levels = slot("levels")
    return Outputs(*above, *below, levels, levels_box)


def intake_note(recording: Recording) -> str:
    """What the file was, what was done to it, and the mel it became, which is all a mel vocoder gets."""
    mel = log_hw2(hw2_mel(recording.samples)).values
    said = f"Its mel: 80 bands × {mel.shape[1]} frames. No phase, nothing above 8 kHz: this is all a mel vocoder gets."
    return _mel_figure(mel, "hw2 mel-spectrogram of the recording", recording.name, f"{recording.history} {said}")


def mel_note(mel: GivenMel) -> str:
    """What the mel was taken for, and what there is not without a recording."""
    said = (
        f"A mel of 80 bands × {mel.log_values.shape[1]} frames, {mel.seconds:.2f} s, taken for {mel.taken_for}. Without a recording there is no reference to "
        "hear, no difference from it, and no metric against it: the takes are compared with this mel."
    )
    return _mel_figure(mel.log_values, "mel-spectrogram that was given", mel.name, said)


def _mel_figure(log_mel: np.ndarray, what: str, name: str, text: str) -> str:
    png, frames = mel_png(log_mel), log_mel.shape[1]
    return fill("compare/templates/mel.html", png=png, frames=frames, what=what, name=name, text=text)


def pitch_of(recording: Recording, view: View) -> str:
    if tracker_missing():
        return ""
    tracks = {take.system.title: take.pitch for take in view.outputs if take.pitch}
    return pitch_panel(recording.seconds, cached_track(recording.samples), tracks)


def levels_of(view: View) -> str:
    titles = {"reference": "Recording", **{take.system.id: take.system.title for take in view.outputs}}
    return level_table(titles, view.levels, view.clipped, {take.system.id: take.alignment for take in view.outputs})


def download_links(view: View) -> str:
    if not view.archive:
        return ""
    folder = Path(view.archive).parent
    titles = {"everything.zip": "Everything (zip)", "comparison.png": "Figure (PNG)", "results.json": "Results (JSON)"}
    if not view.has_reference:
        del titles["comparison.png"]
    return fill("templates/downloads.html", files=[(folder / name, name, title) for name, title in titles.items()])
