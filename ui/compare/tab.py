"""The Compare page: a recording in, every system side by side."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from common.durable import DiskFull
from eval.compare.mel import GivenMel
from eval.compare.recording import quick_first
from server.executor import ComputeError, Executor
from server.results import ResultStore
from server.shared.links import SharedLinks
from ui.compare.inputs import Inputs, lay_out_inputs
from ui.compare.job import CompareJob
from ui.compare.keeping.again import show_again
from ui.compare.keeping.kept import keep
from ui.compare.keeping.live import LiveComparisons
from ui.compare.made_elsewhere import read_outputs
from ui.compare.mel_input import chosen_mel, mel_looker
from ui.compare.outputs import lay_out_outputs
from ui.compare.running import Running, ask_then, unchanged
from ui.compare.view import View
from ui.markup import notice
from ui.passage import chosen_passage, looker
from ui.player import SHOWN
from ui.vocoders.kept_uploads import bring_back
from ui.vocoders.uploads import Upload, chosen_systems
from vocoders.audio import Recording
from vocoders.checkpoints.checkpoint import CheckpointError
from vocoders.hifigan.precision import PrecisionChoice
from vocoders.mel_files.file import MelFileError
from vocoders.mel_files.options import Bands, Log, Scale
from vocoders.recordings.contained import read_recording_contained
from vocoders.recordings.reader import AudioError, Limits
from vocoders.systems import System

_log = logging.getLogger(__name__)
OLD_OUTPUTS = "What stands below belongs to the recording before. Press Compare for the new one."
QUEUE = {"concurrency_id": "compute", "concurrency_limit": 2}  # everything heavy shares one queue


def compare_tab(
    page: gr.Blocks,
    systems: Sequence[System],
    store: ResultStore,
    links: SharedLinks,
    limits: Limits,
    uploads: gr.State,
    compute: Executor,
    precision: PrecisionChoice = "exact",
) -> Inputs:
    """Lays the tab out and wires it. Returns its inputs, so that other tabs can add systems and use the recording."""
    inputs = lay_out_inputs(systems, limits)
    outputs = lay_out_outputs(store, links, inputs.box)
    running, live = Running(), LiveComparisons()
    show_again(page, outputs, store, live, running)
    bring_back(page, systems, store, uploads, inputs.choice)

    def run(
        path: str | None,
        chosen: list[str],
        own: tuple[Upload, ...],
        residuals: bool,
        passage: dict | None,
        mel_path: str | None,
        recipe: Bands | None,
        scale: Scale | None,
        log: Log | None,
        files: list[str] | None,
        number: float,
        request: gr.Request,
    ) -> Iterator[dict]:
        def read(given: str) -> Recording | GivenMel:
            mel = chosen_mel(mel_path, recipe, scale, log, limits, compute)
            return mel or read_recording_contained(given, limits, passage=chosen_passage(passage, given))

        yield from show(read, mel_path or path, chosen, own, residuals, request, number, files or ())

    def show(
        read: Callable[[str], Recording | GivenMel],
        path: str | None,
        chosen: list[str],
        own: tuple[Upload, ...],
        residuals: bool,
        request: gr.Request,
        number: float | None = None,
        files: Sequence[str] = (),
    ) -> Iterator[dict]:
        try:
            selected = chosen_systems(systems, own, chosen)
            source = read(require_both(path, [*selected, *files]))
            given = read_outputs(files, source, limits, [system.title for system in selected])
        except (AudioError, CheckpointError, MelFileError, ComputeError) as error:
            yield {outputs.message: notice(str(error), "bad")}
            return
        session = request.session_hash or ""
        if not running.is_wanted(session, number):
            yield unchanged(outputs.message)
            return
        folder, stop = store.new(), threading.Event()
        job = CompareJob(source, [*given, *quick_first(selected)], folder, compute, residuals, precision)

        def ended(shown: Mapping[str, Any]) -> None:
            running.ended(stop)
            try:
                keep(folder, source, shown)
            except DiskFull as error:  # the page has it; only one that is loaded anew does not
                _log.warning("a comparison was not kept: %s", error)

        comparison = live.start(folder.token, map(outputs.by_name, updates(source, job.run(stop))), stop, ended)
        for update in running.follow(session, lambda _: comparison.follow(), number, stop):
            yield unchanged(outputs.message) if update is None else outputs.by_component(update)

    def updates(source: Recording | GivenMel, views: Iterator[View]) -> Iterator[dict]:
        yield outputs.begin(source)
        shown, drawn = None, 0
        for view in views:
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
        yield from show(lambda given: read_recording_contained(given, limits), path, chosen, own, residuals, request)

    def halt(request: gr.Request) -> str:
        running.stop(request.session_hash or "")
        return ""

    ticket = gr.Number(visible="hidden")
    fields = [inputs.audio, inputs.choice, uploads, inputs.residuals]
    work = {
        "fn": run,
        "inputs": [*fields, inputs.passage, *inputs.mel.fields, inputs.given, ticket],
        "outputs": outputs.components,
    }
    wiring = (running, ticket, outputs.message, work)
    options: dict[str, Any] = {**QUEUE, "show_progress": "hidden"}
    ask_then(inputs.start.click, *wiring, **options, api_visibility="private")
    gr.Button(visible=False).click(
        run_for_program, fields, outputs.components, **options, api_name="compare"
    )  # by programs
    _look_at_files(inputs, limits, compute)
    _mark_old_outputs(inputs, outputs.message)
    inputs.stop.click(halt, outputs=outputs.message, queue=False, show_progress="hidden", api_visibility="private")

    def compare_after(event: Callable) -> None:
        quietly: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        without_mel = event(lambda: None, outputs=inputs.mel.file, queue=False, **quietly)
        ask_then(without_mel.success, *wiring, **options, api_visibility="private")

    _start_with_examples(inputs, outputs.message, compare_after)
    return replace(inputs, compare_after=compare_after)


def _look_at_files(inputs: Inputs, limits: Limits, compute: Executor) -> None:
    """A recording's waveform and a mel's diagnosis appear as soon as the file is there."""
    options = {"concurrency_id": "look", "concurrency_limit": 4, "show_progress": "hidden", "api_visibility": "private"}
    inputs.audio.change(looker(limits), inputs.audio, [inputs.look, inputs.passage], **options)
    inputs.mel.file.change(mel_looker(limits, compute), inputs.mel.file, inputs.mel.told, **options)


def _mark_old_outputs(inputs: Inputs, message: gr.HTML) -> None:
    """Another recording or mel, while outputs of the one before stand below. Examples are compared at once, without these events."""

    def mark(shown: str) -> str:
        return notice(OLD_OUTPUTS) if shown else ""

    audio, mel = inputs.audio, inputs.mel.file
    for given in (audio.upload, audio.stop_recording, mel.upload):
        given(
            mark,
            gr.Textbox(visible="hidden"),
            message,
            js=f"() => [{SHOWN}]",
            queue=False,
            show_progress="hidden",
            api_visibility="private",
        )


def _start_with_examples(inputs: Inputs, message: gr.HTML, compare_after: Callable[[Callable], object]) -> None:
    """An example takes the place of the recording and of the mel, and is compared at once."""
    quietly = {"show_progress": "hidden", "api_visibility": "private"}
    for button, load in inputs.examples:
        loaded = button.click(load, outputs=[inputs.audio, message], trigger_mode="multiple", **quietly)
        loaded.failure(lambda: "", outputs=message, queue=False, **quietly)
        compare_after(loaded.success)


def require_both(path: str | None, selected: Sequence[object]) -> str:
    """The path. Errors: `AudioError` when there is no recording, or nothing to compare it with."""
    if not path:
        raise AudioError("Give a recording first: upload a file, use the microphone, or press an example.")
    if not selected:
        raise AudioError("Choose at least one system to compare with the recording, or add outputs made elsewhere.")
    return path
