"""The part of the page that finds a study again, shows how far it is, changes it and shows its results."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from ui.listening.desk.alarms import lay_out_alarms, wire_alarms
from ui.listening.desk.changing import lay_out_changes, wire_changes
from ui.listening.desk.desk import Desk
from ui.listening.desk.handlers import Finder
from ui.listening.desk.looking import wire_looking
from ui.markup import slot
from vocoders.systems import System

REFRESH_SECONDS = 10  # between two looks at the progress of an open study


def lay_out_desk(desk: Desk, systems: Sequence[System], uploads: gr.State) -> None:
    """Lays the desk out and wires it."""
    with gr.Row(equal_height=False):
        public_id = gr.Textbox(
            label="Id of the study; empty: all that the key opens",
            max_length=64,
            elem_id="results-study",
            min_width=240,  # px, in which an id fits
        )
        key = gr.Textbox(
            label="Key to its results, or the administrator's",
            type="password",
            max_length=200,
            elem_id="results-key",
            min_width=240,
        )
        with gr.Column(min_width=160):
            find = gr.Button("Find", elem_id="studies-find")
            show = gr.Button("Show the results", variant="primary", elem_id="results-show")
    message = slot("results-message")
    listed = slot("studies-listed")
    choice = gr.Dropdown([], label="Open one of them", visible=False, interactive=True, elem_id="studies-choice")
    progress = slot("study-progress")
    timer = gr.Timer(REFRESH_SECONDS, active=False)
    with gr.Column(visible=False, elem_id="study-actions") as actions:
        toggle = gr.Button("Close to new raters", elem_id="results-toggle", size="sm")
        together = gr.Checkbox(
            False, label="Results of all revisions together", visible=False, elem_id="results-together"
        )
        answers = lay_out_alarms()
        parts = lay_out_changes()
    results = slot("results-found")
    finder = Finder(public_id, key, message, listed, choice, progress, timer, actions, toggle, together, results)
    wire_looking(desk, finder, answers, find, show)
    wire_alarms(desk, finder, answers)
    wire_changes(desk, finder, parts, systems, uploads)
