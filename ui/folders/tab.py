"""The tab for folders: outputs of many clips by many systems, measured against their recordings, and made into a study."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from eval.compare.intervals import MIN_VALUES
from eval.reports.columns import column_of, views_of
from eval.reports.player.clips import MAX_CLIP_SECONDS
from server.executor import ComputeError, Executor
from server.results import ResultFolder, ResultStore
from ui.compare.inputs import choices, offered
from ui.compare.running import Running, ask_then, unchanged
from ui.folders.chooser import FoldersChooser, folders_chooser
from ui.folders.job import FILES, MAX_CLIPS, MAX_MINUTES, MAX_TOTAL_SECONDS, Compared, FoldersJob, Progress
from ui.folders.layout import MAX_FOLDERS, FoldersError, GivenFolders
from ui.folders.material import material_of
from ui.markup import fill, notice, slot
from ui.vocoders.uploads import Upload, all_systems, chosen_systems
from vocoders.checkpoints.checkpoint import CheckpointError
from vocoders.recordings.reader import Limits
from vocoders.systems import System

_QUEUE: dict[str, Any] = {
    "concurrency_id": "folders",
    "concurrency_limit": 1,
}  # minutes each: not among single recordings


def folders_tab(
    systems: Sequence[System], store: ResultStore, limits: Limits, uploads: gr.State, compute: Executor
) -> tuple[FoldersChooser, gr.Button]:
    """Lays the tab out and wires it. Returns its field, and the button that takes the folders to the making of a study."""
    numbers = {"clips": MAX_CLIPS, "folders": MAX_FOLDERS, "seconds": limits.max_seconds}
    bounds = {"minutes": MAX_TOTAL_SECONDS / 60, "computing": MAX_MINUTES}
    slot("folders-intro", fill("folders/templates/intro.html", **numbers, **bounds))
    chooser = folders_chooser("folders", limits)
    with gr.Accordion("Also through systems of this lab", open=False, elem_id="folders-own"):
        own = gr.CheckboxGroup(choices(systems), label="Resynthesized from the recordings", elem_id="folders-systems")
    with gr.Row():
        start = gr.Button("Compare folders", variant="primary", elem_id="folders-start", scale=3)
        stop = gr.Button("Stop", elem_id="folders-stop", scale=1, min_width=80)
        study = gr.Button("Make a listening test of these", elem_id="folders-study", scale=2, min_width=220)
    message = slot("folders-message")
    found = slot("folders-compared")
    running = Running()

    def run(
        given: GivenFolders | None,
        reference: str | None,
        chosen: list[str],
        uploaded: tuple[Upload, ...],
        request: gr.Request,
        number: float | None = None,
    ) -> Iterator[dict]:
        session = request.session_hash or ""
        if not running.is_wanted(session, number):
            yield unchanged(message)
            return
        try:
            if given is None:
                raise FoldersError("Drop folders, or a zip of them, first.")
            material = material_of(given, reference or None)
            folder = store.new()
            job = FoldersJob(material, chosen_systems(systems, uploaded, chosen), folder, limits, compute)
            yield {message: notice("Starting", "waiting"), found: ""}
            for event in running.follow(session, job.run, number):
                yield shown(event, folder)
        except (FoldersError, CheckpointError, ComputeError) as error:
            yield {message: notice(str(error), "bad")}

    def shown(event: Progress | Compared | None, folder: ResultFolder) -> dict:
        if event is None:
            return unchanged(message)
        if isinstance(event, Compared):
            return {message: "", found: compared_html(event, folder)}
        return {message: _progress(event)}

    def halt(request: gr.Request) -> None:
        running.stop(request.session_hash or "")

    def offer(uploaded: tuple[Upload, ...], now: list[str]) -> dict:
        return offered(all_systems(systems, uploaded), now)

    ticket = gr.Number(visible="hidden")
    fields = [chooser.given, chooser.reference, own, uploads, ticket]
    work = {"fn": run, "inputs": fields, "outputs": [message, found]}
    ask_then(start.click, running, ticket, message, work, **_QUEUE, show_progress="hidden", api_visibility="private")
    stop.click(halt, queue=False, show_progress="hidden", api_visibility="private")
    uploads.change(offer, [uploads, own], own, show_progress="hidden", api_visibility="private")
    return chooser, study


def _progress(event: Progress) -> str:
    return notice(f"Clip {min(event.done + 1, event.clips)} of {event.clips}: {event.text}")


def compared_html(compared: Compared, folder: ResultFolder) -> str:
    """Means, notes, what did not match, every clip, and the downloads."""
    titles = {system.id: system.title for system in compared.systems}
    columns = [column_of(name) for name in compared.summary.metrics]
    noticed = [
        (row.clip, titles[row.system], row.error or "; ".join([*row.notes]))
        for row in compared.rows
        if row.error or row.notes
    ]
    noticed += [(clip, "recording", words) for clip, words in _about_recordings(compared).items()]
    return fill(
        "folders/templates/compared.html",
        summary=compared.summary,
        clips=len({row.clip for row in compared.rows}),
        fewest=MIN_VALUES,
        columns=columns,
        views=views_of(columns),
        titles=titles,
        rows=[row for row in compared.rows if not row.error],
        noticed=noticed,
        material=compared.material,
        stopped=compared.stopped,
        outside=compared.outside,
        played=MAX_CLIP_SECONDS,
        files=[(folder.url(name), name, title) for name, title in FILES.items()],
    )


def _about_recordings(compared: Compared) -> dict[str, str]:
    return {row.clip: "; ".join(row.notices) for row in compared.rows if row.notices}
