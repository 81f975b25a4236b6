"""The upper half of the Compare page: a recording, a choice of systems, and the buttons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import gradio as gr

from ui.compare.examples import FROM_LIBROSA, SHIPPED, Example, ExampleUnreachable
from ui.compare.made_elsewhere import outputs_chooser
from ui.compare.mel_input import MelInput, mel_chooser
from ui.markup import fill, notice, slot
from ui.passage import passage_chooser
from vocoders.catalogue import COMPARED
from vocoders.recordings.reader import Limits
from vocoders.systems import System

INPUTS = "Recording and systems"


@dataclass(frozen=True)
class Inputs:
    """The components in which a comparison is asked for."""

    box: gr.Accordion  # around recording and systems; folded once they are compared
    audio: gr.Audio
    look: gr.HTML  # says that a file is being read, or why it cannot be
    passage: gr.HTML
    mel: MelInput
    choice: gr.CheckboxGroup
    residuals: gr.Checkbox
    given: gr.File  # outputs made elsewhere
    start: gr.Button
    stop: gr.Button
    examples: tuple[tuple[gr.Button, Callable[[], Iterator[tuple]]], ...]  # with what loads them: -> audio, message
    compare_after: Callable[[Callable], object] = lambda event: (
        None
    )  # compares whatever stands here, without a mel, after an event


def lay_out_inputs(systems: Sequence[System], limits: Limits) -> Inputs:
    """Lays out recording, passage, mel file, choice of systems and buttons in the current Gradio context."""
    with gr.Accordion(INPUTS, open=True, elem_id="inputs") as box, gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            audio = gr.Audio(
                sources=["upload", "microphone"],
                type="filepath",
                label=f"Recording: {limits.max_seconds:g} s, or a part of {limits.max_file_seconds / 60:g} min",
                elem_id="recording",
                editable=False,
                buttons=["download"],
            )
            look = slot("look")
            passage = passage_chooser()
            with gr.Row():
                shipped = [gr.Button(example.title, size="sm") for example in SHIPPED]
            with gr.Accordion("More examples, fetched on demand from librosa", open=False), gr.Row():
                fetched = [gr.Button(example.title, size="sm") for example in FROM_LIBROSA]
            mel = mel_chooser()
        with gr.Column(scale=4, min_width=300):
            choice = gr.CheckboxGroup(choices(systems), value=defaults(systems), label="Systems", elem_id="systems")
            residuals = gr.Checkbox(False, label="Also play residuals (output minus recording)", elem_id="residuals")
            slot("missing", missing_note(systems))
            given = outputs_chooser()
    with gr.Row(elem_id="compare-or-stop"):
        start = gr.Button("Compare", variant="primary", elem_id="compare", scale=3)
        stop = gr.Button("Stop", elem_id="stop", scale=1, min_width=80)
    examples = zip([*shipped, *fetched], map(loader, [*SHIPPED, *FROM_LIBROSA]))
    return Inputs(box, audio, look, passage, mel, choice, residuals, given, start, stop, tuple(examples))


def loader(example: Example) -> Callable[[], Iterator[tuple]]:
    """The handler of an example's button: yields (path of the audio, message). Errors: `gr.Error` where it cannot be fetched."""

    def load() -> Iterator[tuple]:
        yield gr.skip(), notice(f"Fetching “{example.title}”", "waiting")
        try:
            yield str(example.fetch()), ""
        except ExampleUnreachable as error:  # nothing follows: what was compared before is not this example
            raise gr.Error(str(error), print_exception=False) from error

    return load


def choices(systems: Sequence[System]) -> list[tuple[str, str]]:
    """(title, id) of every system that can run here."""
    return [(system.title, system.id) for system in systems if not system.why_not()]


def offered(systems: Sequence[System], chosen: Sequence[str]) -> dict:
    """For a list of systems that has changed: what is still there stays chosen."""
    known = choices(systems)
    return gr.update(choices=known, value=[system_id for _, system_id in known if system_id in chosen])


def defaults(systems: Sequence[System]) -> list[str]:
    """Ids of the systems that every comparison starts with, as far as they can run here."""
    return [system.id for system in systems if system.id in COMPARED and not system.why_not()]


def missing_note(systems: Sequence[System]) -> str:
    """HTML: which systems cannot run and why, one sentence per reason."""
    titles: dict[str, list[str]] = {}
    for system in systems:
        if reason := system.why_not():
            titles.setdefault(reason, []).append(system.title)
    return fill("compare/templates/missing.html", missing=titles)
