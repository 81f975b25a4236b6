"""The fields of a study that are off unless somebody wants them."""

from __future__ import annotations

import gradio as gr

from eval.listening.recruiting.plain import Plain
from eval.listening.recruiting.registry import PLATFORMS
from ui.listening.form import LABELS
from ui.markup import notice, slot


def lay_out_options() -> list[gr.components.Component]:
    """The fields of `Form` from `mid_anchor` on."""
    with gr.Row():
        mid_anchor, comments, restart, lock = (
            gr.Checkbox(False, label=label, elem_id=f"study-{name}")
            for name, label in (
                ("mid-anchor", "MUSHRA: also the 7 kHz anchor (ITU-R BS.1534-3)"),
                ("comments", "A comment with every trial"),
                ("restart", "Start from the beginning at every switch: for short clips"),
                ("lock", "A slider moves only for the sound that plays (ITU-R BS.1534)"),
            )
        )
    with gr.Row():
        between = gr.Textbox(label="Questions between trials, as above", lines=2, max_length=4000)
        every = gr.Number(0, label="After every so many trials", precision=0, minimum=0, maximum=200)
    return [mid_anchor, comments, restart, lock, between, every]


def lay_out_people() -> list[gr.components.Component]:
    """The fields of `Form` from `owner` on."""
    with gr.Row():
        owner = gr.Textbox(label="Who runs the study, which listeners see", max_length=200, elem_id="study-owner")
        contact = gr.Textbox(label="E-mail or page for their questions", max_length=200)
        days = gr.Number(0, label="Answers are deleted after so many days (0: kept)", precision=0, minimum=0)
        closes = gr.Textbox(
            label="Closes on, UTC (empty: when you close it)",
            placeholder="2026-12-31, or 2026-12-31 18:00",
            max_length=40,
            elem_id="study-closes",
        )
    sites = [("Nowhere: by the link alone", ""), *((site.title, site.id) for site in PLATFORMS.values())]
    platform = gr.Radio(sites, value="", label="Listeners are recruited on", elem_id="study-platform")
    with gr.Column(visible=False, elem_id="study-recruiting") as recruiting:
        about = slot("study-platform-about")
        with gr.Row():
            codes = [
                gr.Textbox(label=label, max_length=500, elem_id=f"study-{name.replace('_', '-')}")
                for name, label in LABELS.items()
            ]
        parameter = gr.Textbox(
            "participant", label="Parameter of the address with the participant's id", max_length=40, visible=False
        )
        with gr.Row():
            places = gr.Number(0, label="Places in all (0: any number)", precision=0, minimum=0)
            pay = gr.Number(0, label="Pay for a session", minimum=0)
            currency = gr.Textbox("", label="Its currency, such as GBP", max_length=3)
            headphones = gr.Checkbox(False, label="The headphone check has to be passed")
        with gr.Row():
            excluded = gr.Textbox(label="Ids that may not take part, one per line", lines=2, elem_id="study-excluded")
            quotas = gr.Textbox(
                label="Places by answer to a question above",
                placeholder="What did you use? | headphones = 20, loudspeakers = 10",
                lines=2,
                max_length=4000,
                elem_id="study-quotas",
            )
        earlier = gr.Textbox(
            label="Earlier studies whose participants may not take part: id and key, one study per line",
            lines=2,
            max_length=4000,
            elem_id="study-earlier",
        )

    def shown(chosen: str) -> tuple[dict, str, dict]:
        text = PLATFORMS[chosen].about if chosen else ""
        return gr.update(visible=bool(chosen)), text and notice(text), gr.update(visible=chosen == Plain.id)

    hidden = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    platform.change(shown, platform, [recruiting, about, parameter], **hidden)
    terms = [places, pay, currency, headphones, parameter, excluded, quotas, earlier]
    return [owner, contact, days, closes, platform, *codes, *terms]
