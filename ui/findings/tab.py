"""The Findings page: what the homework saw, and why, on the recording of the Compare page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import gradio as gr

from eval.homework.ladder import LADDER, RUNGS
from server.executor import Executor
from server.results import ResultStore
from ui.compare.inputs import Inputs
from ui.compare.job import CompareJob
from ui.compare.running import Running, ask_then, unchanged
from ui.compare.tab import QUEUE
from ui.compare.view import View
from ui.findings.panels import is_rung, ladder_panel, losses_panel, mels_panel, stability_panel
from ui.markup import fill, notice, slot
from ui.passage import chosen_passage
from ui.player import player_component
from vocoders.audio import Recording
from vocoders.recordings.contained import read_recording_contained
from vocoders.recordings.reader import AudioError, Limits
from vocoders.systems import System


def findings_tab(
    systems: Sequence[System], store: ResultStore, limits: Limits, inputs: Inputs, compute: Executor
) -> None:
    """Lays out the tab and wires its buttons. inputs: of the Compare tab, whose recording is explained."""
    by_id = {system.id: system for system in systems}
    ladder = (*RUNGS, *(by_id[name] for name in LADDER if name in by_id and not by_id[name].why_not()))
    slot("findings-intro", fill("findings/templates/intro.html"))
    with gr.Row():
        start = gr.Button("Explain with my recording", variant="primary", elem_id="explain", scale=3)
        stop = gr.Button("Stop", elem_id="explain-stop", scale=1, min_width=80)
    message = slot("findings-message")
    player = player_component("findings-player")
    panels = [slot(f"finding-{name}") for name in ("ladder", "stability", "losses", "mels")]
    ladder_slot, stability, losses, mels = panels
    running = Running()

    def run(path: str | None, passage: dict | None, request: gr.Request, number: float | None = None) -> Iterator[dict]:
        session = request.session_hash or ""
        try:
            if not path:
                raise AudioError(
                    "Give a recording first, on the Compare page: upload a file, or press an example there."
                )
            recording = read_recording_contained(path, limits, passage=chosen_passage(passage, path))
        except AudioError as error:
            yield {message: notice(str(error), "bad")}
            return
        if not running.is_wanted(session, number):
            yield unchanged(message)
            return
        yield {message: "", mels: mels_panel(recording), **dict.fromkeys((ladder_slot, stability, losses), "")}
        job = CompareJob(recording, ladder, store.new(), compute)
        shown = None
        for view in running.follow(session, job.run, number):
            if view is None:
                yield unchanged(message)
                return
            update = {player: view.player}
            if view.outputs != shown:
                update |= explain(recording, view)
            shown = view.outputs
            yield update

    def explain(recording: Recording, view: View) -> dict:
        vocoders = [output for output in view.outputs if not is_rung(output.system)]
        return {
            ladder_slot: ladder_panel(ladder, view.outputs),
            stability: stability_panel(recording, vocoders) if vocoders else "",
            losses: losses_panel(recording, vocoders),
        }

    def halt(request: gr.Request) -> str:
        running.stop(request.session_hash or "")
        return ""

    ticket = gr.Number(visible="hidden")
    work = {"fn": run, "inputs": [inputs.audio, inputs.passage, ticket], "outputs": [message, player, *panels]}
    options = {**QUEUE, "show_progress": "hidden", "api_visibility": "private"}
    ask_then(start.click, running, ticket, message, work, **options)
    stop.click(halt, outputs=message, queue=False, show_progress="hidden", api_visibility="private")
