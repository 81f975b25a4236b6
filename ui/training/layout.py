"""The components of the Train tab."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from train.voice.bounds import MAX_SECONDS, MIN_SECONDS, OWN_RECORDINGS
from ui.markup import fill, slot
from ui.player import player_component
from ui.training.handlers import TRIAL, TRIAL_STEPS
from ui.training.runs import KEPT_SECONDS

MINUTES = (5, 10, 15, 30)  # of training, that are offered
DEFAULT_MINUTES = 10
TAKE_SECONDS = 120  # of a recording with the microphone
FOLLOW_SECONDS = 2.0  # between two looks at a run
ADAPT, NEW = "adapt", "new"
# The recorder is stopped by its own button, as Gradio has no bound for it
_END_OF_TAKE = f"""() => {{
  clearTimeout(window.labTake);
  window.labTake = setTimeout(() => document.querySelector('#train-take .stop-button')?.click(), {1000 * TAKE_SECONDS});
}}"""


@dataclass(frozen=True)
class Layout:
    """The components. token: of the run that is shown, which the browser keeps; seen: what of it is shown."""

    files: gr.File
    how: gr.Radio
    length: gr.Radio
    licence: gr.Textbox
    start: gr.Button
    stop: gr.Button
    go_on: gr.Button
    compare: gr.Button
    forget: gr.Button
    message: gr.HTML
    status: gr.HTML
    curves: gr.HTML
    player: gr.HTML
    result: gr.HTML
    token: gr.Textbox
    seen: gr.Textbox
    timer: gr.Timer

    def named(self, update: dict) -> dict:
        """{name: value} -> {component: value}."""
        return {getattr(self, name): value for name, value in update.items()}


SHOWN = (
    *("message", "status", "curves", "player", "result", "token", "seen", "timer"),
    *("start", "stop", "go_on", "compare", "forget"),
)


def lay_out(max_minutes: float) -> Layout:
    """max_minutes: of training, that may be asked for."""
    slot(
        "train-intro",
        fill("training/templates/intro.html", least=MIN_SECONDS, most=MAX_SECONDS / 60, hours=KEPT_SECONDS / 3600),
    )
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=320):
            files = gr.File(
                label="Recordings of one voice",
                file_count="multiple",
                type="filepath",
                elem_id="train-files",
                height=230,
            )
            take = gr.Audio(
                sources=["microphone"],
                type="filepath",
                label=f"Or record some, up to {TAKE_SECONDS / 60:g} minutes a take",
                elem_id="train-take",
                editable=False,
                buttons=[],
            )
        with gr.Column(scale=2, min_width=280):
            how = gr.Radio(
                [("Adapt the shipped model to the voice", ADAPT), ("Train a new model", NEW)],
                value=ADAPT,
                label="What to train",
                info="Adapting begins with a model that sounds good already. A new one takes longer, and its licence is yours to choose.",
                elem_id="train-how",
            )
            length = gr.Radio(
                _lengths(max_minutes), value=_default(max_minutes), label="How long", elem_id="train-length"
            )
            licence = gr.Textbox(
                OWN_RECORDINGS,
                label="Licence of the recordings",
                info="It is written into the model's card.",
                max_length=120,
                elem_id="train-licence",
            )
    with gr.Row(elem_id="train-or-stop"):
        start = gr.Button("Train", variant="primary", elem_id="train", scale=2)
        stop = gr.Button("Stop and keep", elem_id="train-stop", scale=1, min_width=150, interactive=False)
    message = slot("train-message")
    status = slot("train-status")
    result = slot("train-result")
    with gr.Row(elem_id="train-after"):
        compare = gr.Button("Compare with it", variant="primary", visible=False, elem_id="train-compare", min_width=160)
        go_on = gr.Button("Go on", visible=False, elem_id="train-go-on", min_width=110)
        forget = gr.Button("Remove from the server", visible=False, elem_id="train-forget", min_width=190)
    player = player_component("train-player")
    curves = slot("train-curves")
    token, seen = gr.Textbox(visible="hidden"), gr.Textbox(visible="hidden")
    timer = gr.Timer(FOLLOW_SECONDS, active=False)
    quietly = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    take.start_recording(None, js=_END_OF_TAKE, **quietly)
    take.stop_recording(_added, [files, take], [files, take], **quietly)
    return Layout(
        files, how, length, licence, start, stop, go_on, compare, forget, message, status, curves, player, result, token, seen,
        timer,
    )  # fmt: skip


def _lengths(most: float) -> list[tuple[str, str]]:
    minutes: list[float] = [value for value in MINUTES if value <= most]
    minutes = minutes or [most]
    return [*((f"{value:g} min", f"{value:g}") for value in minutes), (f"a trial: {TRIAL_STEPS} steps", TRIAL)]


def _default(most: float) -> str:
    return f"{min(DEFAULT_MINUTES, most):g}" if most >= MINUTES[0] else f"{most:g}"


def _added(files: list[str] | None, take: str | None) -> tuple[object, None]:
    """What was recorded joins the files, and the recorder is free for the next take."""
    return ([*(files or ()), take] if take else gr.skip()), None
