"""The Compare page: a recording in, every system side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import gradio as gr

from eval.compare.mel import GivenMel
from eval.compare.recording import quick_first
from server.executor import ComputeError, Executor
from server.results import ResultStore
from ui.compare.inputs import Inputs, lay_out_inputs
from ui.compare.job import CompareJob
from ui.compare.mel_input import chosen_mel, mel_looker
from ui.compare.outputs import lay_out_outputs
from ui.compare.running import Running, ask_then
from ui.markup import notice
from ui.passage import chosen_passage, looker
from ui.vocoders.uploads import Upload, chosen_systems
from vocoders.audio import Recording
from vocoders.checkpoints.checkpoint import CheckpointError
from vocoders.mel_files.file import MelFileError
from vocoders.recordings.contained import read_recording_contained
from vocoders.recordings.reader import AudioError, Limits
from vocoders.systems import System

QUEUE = {"concurrency_id": "compute", "concurrency_limit": 2}  # everything heavy shares one queue


def compare_tab(
    systems: Sequence[System], store: ResultStore, limits: Limits, uploads: gr.State, compute: Executor
) -> Inputs:
    """Lays the tab out and wires it. Returns its inputs, so that other tabs can add systems and use the recording."""
    inputs = lay_out_inputs(systems, limits)
    outputs = lay_out_outputs()
    running = Running()

    def run(
        path: str | None,
        chosen: list[str],
        own: tuple[Upload, ...],
        residuals: bool,
        passage: dict | None,
        mel_path: str | None,
        recipe: str | None,
        scale: str | None,
        log: str | None,
        number: float,
        request: gr.Request,
    ) -> Iterator[dict]:
        def read() -> Recording | GivenMel:
            mel = chosen_mel(mel_path, recipe, scale, log, limits, compute)
            return mel or read_recording_contained(path, limits, passage=chosen_passage(passage, path))

        yield from show(read, mel_path or path, chosen, own, residuals, request, number)

    def show(
        read: Callable[[], Recording | GivenMel],
        path: str | None,
        chosen: list[str],
        own: tuple[Upload, ...],
        residuals: bool,
        request: gr.Request,
        number: float | None = None,
    ) -> Iterator[dict]:
        try:
            selected = chosen_systems(systems, own, chosen)
            require_both(path, selected)
            source = read()
        except (AudioError, CheckpointError, MelFileError, ComputeError) as error:
            yield {outputs.message: notice(str(error), "bad")}
            return
        session = request.session_hash or ""
        if not running.is_wanted(session, number):
            yield {outputs.message: gr.skip()}
            return
        yield outputs.begin(source)
        job = CompareJob(source, quick_first(selected), store.new(), compute, residuals)
        shown, drawn = None, 0
        for view in running.follow(session, job.run, number):
            update = outputs.progress(view)
            if view.outputs != shown:
                update |= outputs.numbers(view)
            if len(view.outputs) > drawn and view.outputs[-1].metrics:
                update |= outputs.pictures(source, view)
                drawn = len(view.outputs)
            if view.archive:
                update |= outputs.files(view)
            shown = view.outputs
            yield update

    def run_for_program(
        path: str | None, chosen: list[str], own: tuple[Upload, ...], residuals: bool, request: gr.Request
    ) -> Iterator[dict]:
        """Of the whole recording: a program that wants a passage asks `compare_json`."""
        yield from show(lambda: read_recording_contained(path, limits), path, chosen, own, residuals, request)

    def halt(request: gr.Request) -> str:
        running.stop(request.session_hash or "")
        return ""

    ticket = gr.Number(visible="hidden")
    fields = [inputs.audio, inputs.choice, uploads, inputs.residuals]
    work = {"fn": run, "inputs": [*fields, inputs.passage, *inputs.mel.fields, ticket], "outputs": outputs.components}
    wiring = (running, ticket, outputs.message, work)
    options = {**QUEUE, "show_progress": "hidden"}
    ask_then(inputs.start.click, *wiring, **options, api_visibility="private")
    gr.Button(visible=False).click(
        run_for_program, fields, outputs.components, **options, api_name="compare"
    )  # by programs
    _look_at_files(inputs, limits, compute)
    inputs.stop.click(halt, outputs=outputs.message, queue=False, show_progress="hidden", api_visibility="private")
    _start_with_examples(
        inputs, outputs.message, lambda event: ask_then(event, *wiring, **options, api_visibility="private")
    )
    return inputs


def _look_at_files(inputs: Inputs, limits: Limits, compute: Executor) -> None:
    """A recording's waveform and a mel's diagnosis appear as soon as the file is there."""
    options = {"concurrency_id": "look", "concurrency_limit": 4, "show_progress": "hidden", "api_visibility": "private"}
    inputs.audio.change(looker(limits), inputs.audio, [inputs.look, inputs.passage], **options)
    inputs.mel.file.change(mel_looker(limits, compute), inputs.mel.file, inputs.mel.told, **options)


def _start_with_examples(inputs: Inputs, message: gr.HTML, start_after: Callable[[Callable], object]) -> None:
    """An example takes the place of the recording and of the mel, and is compared at once."""
    quietly = {"show_progress": "hidden", "api_visibility": "private"}
    for button, load in inputs.examples:
        loaded = button.click(load, outputs=[inputs.audio, message], trigger_mode="multiple", **quietly)
        loaded.failure(lambda: "", outputs=message, queue=False, **quietly)
        without_mel = loaded.success(lambda: None, outputs=inputs.mel.file, queue=False, **quietly)
        start_after(without_mel.success)


def require_both(path: str | None, selected: Sequence[System]) -> None:
    """Errors: `AudioError` when there is no recording, or nothing to compare it with."""
    if not path:
        raise AudioError("Give a recording first: upload a file, use the microphone, or press an example.")
    if not selected:
        raise AudioError("Choose at least one system to compare with the recording.")
