"""The lower half of the Compare page: what a recording became, the player, the numbers, the pictures, the files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from eval.compare.mel import GivenMel
from eval.metrics.pitch import cached_track, tracker_missing
from eval.reports.spectrogram import mel_png
from server.results import ResultStore
from server.shared.links import SharedLinks
from ui.compare.inputs import INPUTS
from ui.compare.metric_table import level_table, mel_error_table, metric_table
from ui.compare.pitch_panel import pitch_panel
from ui.compare.refinement_panel import refinement_panel
from ui.compare.sharing.panel import lay_out_links, share_files
from ui.compare.state import REFERENCE
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
    share: gr.HTML
    share_box: gr.Accordion
    inputs_box: gr.Accordion  # the inputs', which gives way to the outputs

    @property
    def components(self) -> list[gr.components.Component]:
        """All of them, as Gradio's outputs of a comparison."""
        return list(vars(self).values())

    def by_component(self, shown: Mapping[str, Any]) -> dict:
        """Updates of components from what `by_name` made."""
        return {getattr(self, name): value for name, value in shown.items()}

    def by_name(self, updates: dict) -> dict[str, Any]:
        """Updates as they are kept, by the names of the components."""
        names = {component: name for name, component in vars(self).items()}
        return {names[component]: value for component, value in updates.items()}

    def begin(self, source: Recording | GivenMel) -> dict:
        """Updates at the start: empties what is old, and describes the recording or mel."""
        empty = dict.fromkeys((self.message, self.pitch, self.refinement, self.downloads), "")
        return {
            **empty,
            self.share_box: gr.update(visible=False),
            self.inputs_box: gr.update(open=False, label=f"{INPUTS}: {source.name}"),
            self.intake: intake_note(source) if isinstance(source, Recording) else mel_note(source),
        }

    def progress(self, view: View) -> dict:
        """Updates while systems are computed: the player only."""
        return {self.player: view.player}

    def numbers(self, view: View) -> dict:
        """Updates after an output was added or measured."""
        return {
            self.metrics: metric_table(view.outputs) if view.has_reference else mel_error_table(view.outputs),
            self.levels: levels_of(view),
            self.levels_box: gr.update(visible=True),
        }

    def pictures(self, source: Recording | GivenMel, view: View) -> dict:
        """Updates of the pictures, which take a while to draw: once for every new output, after it was measured."""
        if not isinstance(source, Recording):
            return {}
        return {self.pitch: pitch_of(source, view), self.refinement: refinement_panel(view.outputs)}

    def files(self, view: View) -> dict:
        """Updates once the files are written: the downloads, and what can be sent."""
        share = share_files(str(Path(view.archive).parent)) if view.archive else ""
        return {
            self.downloads: download_links(view),
            self.share: share,
            self.share_box: gr.update(visible=bool(view.archive)),
        }


def lay_out_outputs(store: ResultStore, links: SharedLinks, inputs_box: gr.Accordion) -> Outputs:
    """Lays out message, player, tables, panels, downloads and what can be sent in the current Gradio context.

    inputs_box: the part of the page with the inputs, which is folded when a comparison begins.
    """
    message, player = slot("message"), player_component(remembers=True)
    intake = slot("intake", fill("compare/templates/hint.html"))
    metrics, pitch, refinement, downloads = (slot(name) for name in ("metrics", "pitch", "refinement", "downloads"))
    with gr.Accordion("Share this comparison", open=False, visible=False, elem_id="share") as share_box:
        share = slot("share-files")
        lay_out_links(store, links)
    with gr.Accordion(
        "Level and alignment: what loudness matching does, and how the outputs lie in time", open=False, visible=False
    ) as levels_box:
        levels = slot("levels")
    return Outputs(
        message, intake, player, metrics, pitch, refinement, downloads, levels, levels_box, share, share_box, inputs_box
    )


def intake_note(recording: Recording) -> str:
    """The file, its processing, and its mel, which is all that a mel vocoder gets."""
    mel = log_hw2(hw2_mel(recording.samples)).values
    said = f"Its mel: 80 bands × {mel.shape[1]} frames. No phase, nothing above 8 kHz: this is all a mel vocoder gets."
    return _mel_figure(mel, "hw2 mel-spectrogram of the recording", recording.name, f"{recording.history} {said}")


def mel_note(mel: GivenMel) -> str:
    """The format that the mel was read in, and the parts that need a recording."""
    said = (
        f"A mel of 80 bands × {mel.log_values.shape[1]} frames, {mel.seconds:.2f} s, taken for {mel.taken_for}. Without a recording there is no reference to "
        "hear, no difference from it, and no metric against it: the outputs are compared with this mel."
    )
    return _mel_figure(mel.log_values, "mel-spectrogram that was given", mel.name, said)


def _mel_figure(log_mel: np.ndarray, what: str, name: str, text: str) -> str:
    png, frames = mel_png(log_mel), log_mel.shape[1]
    return fill("compare/templates/mel.html", png=png, frames=frames, what=what, name=name, text=text)


def pitch_of(recording: Recording, view: View) -> str:
    """HTML of the F0 panel; "" where no tracker is installed."""
    if tracker_missing():
        return ""
    tracks = {output.system.id: (output.system.title, output.pitch) for output in view.outputs if output.pitch}
    return pitch_panel(recording.seconds, cached_track(recording.samples), tracks)


def levels_of(view: View) -> str:
    """HTML of the table of levels and alignments."""
    titles = {REFERENCE: "Recording", **{output.system.id: output.system.title for output in view.outputs}}
    return level_table(
        titles, view.levels, view.clipped, {output.system.id: output.alignment for output in view.outputs}
    )


def download_links(view: View) -> str:
    """HTML links to the archive and its parts; "" while there is no archive."""
    if not view.archive:
        return ""
    folder = Path(view.archive).parent
    titles = {"everything.zip": "Everything (zip)", "comparison.png": "Figure (PNG)", "results.json": "Results (JSON)"}
    if not view.has_reference:
        del titles["comparison.png"]
    files = [(folder / name, f"{view.stem}-{name}", title) for name, title in titles.items()]
    return fill("templates/downloads.html", files=files)
