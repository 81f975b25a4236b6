"""What changes a study: links to its results, revisions, copies, and its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import gradio as gr

from eval.listening.storage.database import StoreError
from eval.listening.storage.results_links import LINK_DAYS
from eval.listening.study import StudyError
from server.executor import ComputeError
from ui.background import Finished
from ui.compare.tab import QUEUE
from ui.listening.desk.access import NO_STUDY, Refused
from ui.listening.desk.desk import Asked, Desk
from ui.listening.desk.handlers import OPTIONS, QUIET, Finder, reported
from ui.listening.desk.panels import link_panel
from ui.markup import fill, notice, slot
from ui.vocoders.uploads import Upload, all_systems
from vocoders.recordings.reader import AudioError
from vocoders.systems import System

NO_END = 0  # as the number of days
LIFETIMES = [("7 days", 7), ("30 days", 30), ("90 days", LINK_DAYS), ("a year", 365), ("until it is revoked", NO_END)]


@dataclass(frozen=True)
class Changes:
    """The fields and buttons of all changes."""

    raters: gr.Number
    more_raters: gr.Button
    clips: gr.File
    more_clips: gr.Button
    duplicate: gr.Button
    days: gr.Dropdown
    link: gr.Button
    revoke: gr.Button
    linked: gr.HTML
    name: gr.Textbox
    delete: gr.Button
    made: gr.HTML


def lay_out_changes() -> Changes:
    """Three boxes, folded up."""
    with gr.Accordion("Send the results", open=False):
        with gr.Row(elem_classes="study-links"):
            days = gr.Dropdown(LIFETIMES, value=LINK_DAYS, label="The link is valid for", elem_id="study-link-days")
            link = gr.Button("Make a link to the results", elem_id="study-link", size="sm")
            revoke = gr.Button("Revoke all links", elem_id="study-revoke", size="sm")
        linked = slot("study-linked")
    with gr.Accordion("Extend or duplicate", open=False):
        gr.Markdown(
            "A revision has a link of its own, and its answers are kept apart; the present one is closed. Results of both can be "
            "shown together, where the questions are the same. To extend a study *because* of its results is one more look at them."
        )
        with gr.Row(equal_height=False):
            with gr.Column(min_width=220):
                raters = gr.Number(
                    12, label="More raters", precision=0, minimum=1, maximum=10_000, elem_id="study-more"
                )
                more_raters = gr.Button("Extend by raters", elem_id="study-extend-raters", size="sm")
            with gr.Column(min_width=220):
                clips = gr.File(
                    label="More clips, 1.5 to 30 s",
                    file_count="multiple",
                    type="filepath",
                    height=150,
                    elem_id="study-more-clips",
                )
                more_clips = gr.Button("Extend by clips", elem_id="study-extend-clips", size="sm")
            with gr.Column(min_width=220):
                duplicate = gr.Button("Duplicate, as a study of its own", elem_id="study-duplicate", size="sm")
        made = slot("study-revised")
    with gr.Accordion("Delete", open=False), gr.Row(equal_height=False):
        name = gr.Textbox(
            label="Name of the study, to delete it with all answers", elem_id="study-delete-name", scale=2
        )
        delete = gr.Button("Delete with all answers", variant="stop", elem_id="study-delete", scale=1)
    return Changes(raters, more_raters, clips, more_clips, duplicate, days, link, revoke, linked, name, delete, made)


def wire_changes(desk: Desk, finder: Finder, parts: Changes, systems: Sequence[System], uploads: gr.State) -> None:
    """systems: of the catalogue; uploads: those of the session."""
    message = finder.message

    def more_raters(public_id: str, key: str, raters: float, request: gr.Request) -> dict:
        made = desk.more_raters(Asked(public_id.strip(), key.strip(), request), int(raters or 0))
        return {message: "", parts.made: _invitation(*made, key.strip())}

    def duplicate(public_id: str, key: str, request: gr.Request) -> dict:
        made = desk.duplicate(Asked(public_id.strip(), key.strip(), request))
        return {message: "", parts.made: _invitation(*made, key.strip())}

    def more_clips(
        public_id: str, key: str, files: list[str] | None, own: tuple[Upload, ...], request: gr.Request
    ) -> Iterator[dict]:
        asked = Asked(public_id.strip(), key.strip(), request)
        try:
            if not files:
                raise StudyError("Add the clips first.")
            uploaded = [system for system in all_systems(systems, own) if system not in systems]
            for event in desk.more_clips(asked, files, uploaded):
                if isinstance(event, Finished):
                    yield {parts.made: _invitation(*event.result, asked.key), message: ""}
                else:
                    yield {parts.made: notice(event), message: ""}
        except (Refused, StudyError, StoreError, AudioError, ComputeError) as error:
            yield {message: notice(str(error), "bad"), parts.made: ""}
        except KeyError:
            yield {message: notice(NO_STUDY, "bad"), parts.made: ""}

    def link(public_id: str, key: str, days: int, request: gr.Request) -> dict:
        asked = Asked(public_id.strip(), key.strip(), request)
        address, ends = desk.link(asked, days or None)
        return {message: "", parts.linked: link_panel(address, ends, desk.links(asked))}

    def revoke(public_id: str, key: str, request: gr.Request) -> dict:
        ended = desk.revoke(Asked(public_id.strip(), key.strip(), request))
        return {message: "", parts.linked: notice(f"Links that were valid until now: {ended}. None is any more.")}

    def delete(public_id: str, key: str, typed: str, request: gr.Request) -> dict:
        name = desk.delete(Asked(public_id.strip(), key.strip(), request), typed)
        return {
            message: notice(f"{name} and all answers to it are deleted."),
            finder.public_id: "",
            finder.timer: gr.Timer(active=False),
            finder.actions: gr.update(visible=False),
            finder.choice: gr.update(visible=False),
            **dict.fromkeys((finder.progress, finder.listed, finder.results, parts.name, parts.made, parts.linked), ""),
        }

    asked, made = finder.asked, [message, parts.made]
    parts.more_raters.click(reported(message, more_raters), [*asked, parts.raters], made, **OPTIONS)
    parts.duplicate.click(reported(message, duplicate), asked, made, **OPTIONS)
    parts.more_clips.click(more_clips, [*asked, parts.clips, uploads], made, **QUEUE, **QUIET)
    parts.link.click(reported(message, link), [*asked, parts.days], [message, parts.linked], **OPTIONS)
    parts.revoke.click(reported(message, revoke), asked, [message, parts.linked], **OPTIONS)
    gone = [
        message, finder.public_id, finder.timer, finder.actions, finder.choice, finder.progress, finder.listed, finder.results,
        parts.name, parts.made, parts.linked,
    ]  # fmt: skip
    parts.delete.click(reported(message, delete), [*asked, parts.name], gone, **OPTIONS)


def _invitation(public_id: str, key: str, given: str) -> str:
    return fill("listening/desk/templates/revised.html", public_id=public_id, key=None if key == given else key)
