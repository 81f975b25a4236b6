"""The fields of a study that are off unless somebody wants them."""

from __future__ import annotations

import gradio as gr


def lay_out_options() -> list[gr.components.Component]:
    """The fields of `Form` from `mid_anchor` on."""
    with gr.Row():
        mid_anchor = gr.Checkbox(
            False, label="MUSHRA: also the 7 kHz anchor (ITU-R BS.1534-3)", elem_id="study-mid-anchor"
        )
        comments = gr.Checkbox(False, label="A comment with every trial")
        restart = gr.Checkbox(False, label="Start from the beginning at every switch: for short clips")
        lock = gr.Checkbox(False, label="A slider moves only for the sound that plays (ITU-R BS.1534)")
    with gr.Row():
        between = gr.Textbox(label="Questions between trials, as above", lines=2, max_length=4000)
        every = gr.Number(0, label="After every so many trials", precision=0, minimum=0, maximum=200)
    return [mid_anchor, comments, restart, lock, between, every]
