"""The Compare page: a recording in, every system side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import gradio as gr

from eval.comparison import quick_first
from ui.compare_inputs import lay_out_inputs
from ui.compare_job import CompareJob
from ui.compare_outputs import lay_out_outputs
from ui.markup import notice
from ui.results import ResultStore
from ui.running import Running
from ui.uploads import Upload
from vocoders.analysis import RecentAnalyses
from vocoders.checkpoint import CheckpointError
from vocoders.intake import AudioError, Limits, read_recording
from vocoders.systems import System

QUEUE = {"concurrency_id": "compute", "concurrency_limit": 2}  # everything heavy shares one queue


def compare_tab(systems: Sequence[System], store: ResultStore, limits: Limits, uploads: gr.State) -> gr.CheckboxGroup:
    """Lays the tab out and wires it. Returns the choice of systems, so that other tabs can add to it."""
    inputs = lay_out_inputs(systems, limits)
    outputs = lay_out_outputs()
    running, analyses = Running(), RecentAnalyses()

    def run(path: str | None, chosen: list[str], own: tuple[Upload, ...], request: gr.Request) -> Iterator[dict]:
        try:
            selected = [s for s in [*systems, *(upload.system() for upload in own)] if s.id in set(chosen)]
            require_both(path, selected)
            recording = read_recording(path, limits)
        except (AudioError, CheckpointError) as error:
            yield {outputs.message: notice(str(error), "bad")}
            return
        yield outputs.begin(recording)
        session = request.session_hash or ""
        flag = running.start(session)
        shown = None
        try:
            job = CompareJob(recording, quick_first(selected), store.new(), analyses.of(recording.samples))
            for view in job.run(flag):
                if not running.is_newest(session, flag):
                    return  # the page belongs to the next comparison now
                changed = view.takes != shown or view.archive
                shown = view.takes
                yield outputs.progress(view) | (outputs.results(recording, view) if changed else {})
        finally:
            running.end(session, flag)

    def halt(request: gr.Request) -> None:
        running.stop(request.session_hash or "")

    wiring = {"fn": run, "inputs": [inputs.audio, inputs.choice, uploads], "outputs": outputs.components}
    options = {**QUEUE, "show_progress": "hidden"}
    inputs.start.click(**wiring, **options, api_name="compare")
    inputs.stop.click(halt, queue=False, api_visibility="private")
    for button, load in inputs.examples:
        loaded = button.click(load, outputs=[inputs.audio, outputs.message, button], api_visibility="private")
        loaded.success(**wiring, **options, api_visibility="private")
    return inputs.choice


def require_both(path: str | None, selected: Sequence[System]) -> None:
    """Errors: `AudioError` when there is no recording, or nothing to compare it with."""
    if not path:
        raise AudioError("Give a recording first: upload a file, use the microphone, or press an example.")
    if not selected:
        raise AudioError("Choose at least one system to compare with the recording.")
